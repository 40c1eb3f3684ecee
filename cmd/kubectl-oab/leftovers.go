package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxLeftoverBytes bounds what a Secret of leftovers unpacks to, in bytes.
	maxLeftoverBytes = 256 << 20
	// leftoverBatch and leftoverBatchBytes bound one request to the dispatcher.
	leftoverBatch      = 200
	leftoverBatchBytes = crm.MaxRequestBytes / 2
)

// leftover is a delivery that a deleted connector did not make.
type leftover struct {
	Secret  string `json:"secret"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	Delivery record.Delivery `json:"delivery"`
}

func (a *app) newLeftoversCommand() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use:   "leftovers [CONNECTOR]",
		Short: "List what deleted connectors did not deliver",
		Long: `List what deleted connectors did not deliver: the operator copies it into Secrets with the label ` + v1alpha1.LabelLeftover + `
when a connector goes. kubectl oab replay --from-leftovers sends it again. You need the right to read Secrets.`,
		Example: `  kubectl oab leftovers
  kubectl oab leftovers hq -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeLeftovers,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.leftovers(cmd.Context(), first(args)) },
	})
}

func (a *app) completeLeftovers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	return a.complete(cmd, secrets, client.HasLabels{v1alpha1.LabelLeftover})
}

func (a *app) formatted(cmd *cobra.Command) *cobra.Command {
	a.bindFormat(cmd)
	return cmd
}

func (a *app) leftovers(ctx context.Context, connector string) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	all, err := x.leftovers(ctx, connector)
	if err != nil {
		return err
	}
	if printed, failed := a.document(all); printed {
		return failed
	}
	rows := [][]cell{a.header("ACCEPTED", "ITEM", "ACTION", "RECEIVER", "STATE", "REASON", "SECRET", "MESSAGE")}
	for i := range all {
		l := &all[i]
		e := &l.Delivery.Event
		rows = append(rows, plain(a.clock(l.Delivery.AcceptedAt), e.Item.ID, string(e.Action), l.Delivery.Receiver(), l.State, orDash(l.Reason), l.Secret, oneLine(l.Message)))
	}
	return a.table(rows)
}

// leftovers reads the Secrets of one deleted connector, or of all; the same delivery counts once.
func (x *access) leftovers(ctx context.Context, connector string) (all []leftover, err error) {
	var secrets corev1.SecretList
	selector := client.ListOption(client.HasLabels{v1alpha1.LabelLeftover})
	if connector != "" {
		selector = client.MatchingLabels{v1alpha1.LabelLeftover: connector}
	}
	if err := x.List(ctx, &secrets, client.InNamespace(x.namespace), selector); err != nil {
		return nil, err
	}
	seen := map[record.ID]bool{}
	for i := range secrets.Items {
		s := &secrets.Items[i]
		some, err := unpack(s)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", s.Name, err)
		}
		for _, l := range some {
			if id := l.Delivery.ID(); !seen[id] {
				seen[id] = true
				all = append(all, l)
			}
		}
	}
	if len(all) == 0 {
		return nil, none("no deleted connector has left anything in namespace %q under that name", x.namespace)
	}
	slices.SortStableFunc(all, func(a, b leftover) int { return a.Delivery.AcceptedAt.Compare(b.Delivery.AcceptedAt) })
	return all, nil
}

func unpack(s *corev1.Secret) (out []leftover, err error) {
	z, err := gzip.NewReader(bytes.NewReader(s.Data[v1alpha1.KeyLeftovers]))
	if err != nil {
		return nil, fmt.Errorf("the key %s is not what the operator wrote: %w", v1alpha1.KeyLeftovers, err)
	}
	lines := bufio.NewReader(io.LimitReader(z, maxLeftoverBytes))
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var l leftover
			if err := json.Unmarshal(line, &l); err != nil || len(l.Delivery.Event.Item.Receivers) != 1 {
				return nil, fmt.Errorf("a line of the key %s holds no delivery", v1alpha1.KeyLeftovers)
			}
			l.Secret = s.Name
			out = append(out, l)
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// replayLeftovers posts what a deleted connector left to a living one, as the CRM would: with the proof of origin from the
// Secret that the connector refers to.
func (a *app) replayLeftovers(ctx context.Context, from, connector string, dryRun bool) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	all, err := x.leftovers(ctx, from)
	if err != nil {
		return err
	}
	// Withdrawals of the connector that is gone are no events of the CRM.
	all = slices.DeleteFunc(all, func(l leftover) bool { return l.Delivery.Event.Source == index.RevokeSource })
	c, pods, err := x.dispatchers(ctx, cmp.Or(connector, from))
	if err != nil {
		return err
	}
	if dryRun {
		a.say("%s would be sent to connector %s", count(len(all), "delivery", "deliveries"), c.Name)
		return nil
	}
	prove, err := x.proof(ctx, c)
	if err != nil {
		return err
	}
	sent := 0
	_, err = each(ctx, a, x, pods[:1], bundle.PortPublic, func(ctx context.Context, url string) (int, error) {
		h := newHTTPClient()
		defer h.CloseIdleConnections()
		for batch := range batches(all) {
			if err := post(ctx, h, url+"/events", batch, prove); err != nil {
				return sent, fmt.Errorf("%d of %d were sent: %w", sent, len(all), err)
			}
			sent += len(batch)
		}
		return sent, nil
	})
	if err != nil {
		return err
	}
	a.say("%s sent to connector %s; when they have arrived: kubectl -n %s delete secret -l %s=%s",
		count(sent, "delivery was", "deliveries were"), c.Name, c.Namespace, v1alpha1.LabelLeftover, from)
	return nil
}

// batches of CloudEvents, each small enough for one request.
func batches(all []leftover) func(yield func([]json.RawMessage) bool) {
	return func(yield func([]json.RawMessage) bool) {
		var batch []json.RawMessage
		size := 0
		for i := range all {
			e := event(&all[i].Delivery.Event)
			if len(batch) == leftoverBatch || len(batch) > 0 && size+len(e) > leftoverBatchBytes {
				if !yield(batch) {
					return
				}
				batch, size = nil, 0
			}
			batch, size = append(batch, e), size+len(e)
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// event as the CRM sends it (docs/reference/events.md).
func event(e *crm.Event) json.RawMessage {
	out := map[string]any{"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type, "datacontenttype": "application/json", "data": e.Item}
	if !e.Time.IsZero() {
		out["time"] = e.Time
	}
	for name, value := range map[string]string{"datacenterid": e.DataCenterID, "traceparent": e.TraceParent} {
		if value != "" {
			out[name] = value
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		panic("kubectl-oab: an event is always JSON: " + err.Error())
	}
	return data
}

// proof signs a request as the CRM does, or bears its token.
func (x *access) proof(ctx context.Context, c *v1alpha1.OAConnector) (func(h http.Header, body []byte) error, error) {
	read := func(name, key string) (string, error) {
		var s corev1.Secret
		if err := x.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: name}, &s); err != nil {
			return "", err
		}
		if len(s.Data[key]) == 0 {
			return "", fmt.Errorf("secret %q has no value under the key %q", name, key)
		}
		return strings.TrimSpace(string(s.Data[key])), nil
	}
	if name := c.Spec.Source.TokenSecretRef.Name; name != "" {
		token, err := read(name, v1alpha1.KeyToken)
		return func(h http.Header, _ []byte) error { h.Set("Authorization", "Bearer "+token); return nil }, err
	}
	name := c.Spec.Source.SigningSecretRef.Name
	if name == "" {
		return nil, usage("connector %q takes no events: it has neither spec.source.signingSecretRef nor tokenSecretRef", c.Name)
	}
	key, err := read(name, v1alpha1.KeySigning)
	if err != nil {
		return nil, err
	}
	signer, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		return nil, fmt.Errorf("key %q of secret %q cannot be used for signing", v1alpha1.KeySigning, name)
	}
	return func(h http.Header, body []byte) error {
		now, id := time.Now(), "oab-leftovers-"+strconv.Itoa(len(body))
		signature, err := signer.Sign(id, now, body)
		h.Set(standardwebhooks.HeaderWebhookID, id)
		h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
		h.Set(standardwebhooks.HeaderWebhookSignature, signature)
		return err
	}, nil
}

// maxSaid bounds what is quoted of a refusal, in bytes.
const maxSaid = 2 << 10

func post(ctx context.Context, h *http.Client, url string, batch []json.RawMessage, prove func(http.Header, []byte) error) error {
	body, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/cloudevents-batch+json")
	if err := prove(req.Header, body); err != nil {
		return err
	}
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer drop(resp.Body)
	if resp.StatusCode != http.StatusAccepted {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, maxSaid))
		return fmt.Errorf("the dispatcher answers %d: %s", resp.StatusCode, oneLine(string(said)))
	}
	return nil
}
