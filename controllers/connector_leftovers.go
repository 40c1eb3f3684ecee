package controllers

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/workload"
)

const (
	// leftoverPart is when a part of the leftovers is full, in compressed bytes: a Secret holds 1 MiB.
	leftoverPart = 640 << 10
	// maxLeftoverParts bounds the Secrets that one deletion leaves; what is more stays in the queue alone.
	maxLeftoverParts = 16
	// leftoverTimeout bounds the copying, so that a deletion never hangs.
	leftoverTimeout = 45 * time.Second
	// leftoverFlush is how many lines are compressed before the size of a part is looked at.
	leftoverFlush = 32
)

var errLeftoversTooLarge = errors.New("they are more than Secrets are made for")

// exported copies what the dispatchers did not deliver into Secrets that outlive the connector, and returns how many deliveries
// they hold. Nothing hangs on it: whatever fails, the queue has all of it, and the deletion goes on.
func (c *ConnectorReconciler) exported(ctx context.Context, r *round) int {
	ctx, cancel := context.WithTimeout(ctx, leftoverTimeout)
	defer cancel()
	n, err := c.export(ctx, r)
	if err != nil {
		logf.FromContext(ctx).Info("what was not delivered is not copied into Secrets; the queue keeps it", "cause", err.Error())
		return 0
	}
	return n
}

func (c *ConnectorReconciler) export(ctx context.Context, r *round) (int, error) {
	var peer corev1.Secret
	key := types.NamespacedName{Namespace: r.connector.Namespace, Name: workload.PeerName(r.connector.Name)}
	if err := c.apply.uncached.Get(ctx, key, &peer); err != nil { // the caches hold no token
		return 0, err
	}
	var parts parts
	asked := 0
	for i := range r.pods {
		pod := &r.pods[i]
		if pod.Labels[v1alpha1.LabelComponent] != v1alpha1.ComponentDispatcher || pod.Status.PodIP == "" || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		asked++
		if err := c.options.Reports.leftovers(ctx, pod, string(bytes.TrimSpace(peer.Data[v1alpha1.KeyToken])), parts.add); err != nil {
			return 0, err
		}
	}
	if err := parts.close(); err != nil {
		return 0, err
	}
	if asked == 0 {
		return 0, errors.New("no dispatcher runs")
	}
	for i, part := range parts.done {
		if err := c.client.Create(ctx, leftoverSecret(r.connector, part, i, len(parts.done)), connectorManager); err != nil && !apierrors.IsAlreadyExists(err) {
			return 0, err
		}
	}
	return parts.lines, nil
}

// leftoverSecret is named by its content: an export that is repeated after a crash makes nothing twice, and one of a queue that has
// moved on meanwhile makes Secrets of its own. It has no owner, because it is to outlive the connector.
func leftoverSecret(c *v1alpha1.OAConnector, part part, number, of int) *corev1.Secret {
	sum := sha256.Sum256(part.data)
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Namespace, Name: fmt.Sprintf("%s-leftover-%s", c.Name, hex.EncodeToString(sum[:4])),
			Labels: map[string]string{v1alpha1.LabelLeftover: c.Name},
			Annotations: map[string]string{
				v1alpha1.AnnotationLeftoverPart: fmt.Sprintf("%d/%d", number+1, of), v1alpha1.AnnotationLeftoverCount: strconv.Itoa(part.lines),
				v1alpha1.AnnotationLeftoverUID: string(c.UID),
			},
		},
		Immutable: ptr.To(true),
		Type:      v1alpha1.SecretTypeLeftover,
		Data:      map[string][]byte{v1alpha1.KeyLeftovers: part.data},
	}
}

// parts cuts lines into compressed pieces of a bounded size.
type parts struct {
	done  []part
	lines int

	buffer  bytes.Buffer
	zip     *gzip.Writer
	pending int
}

type part struct {
	data  []byte
	lines int
}

func (p *parts) add(line []byte) error {
	if p.zip == nil {
		p.buffer.Reset()
		p.zip = gzip.NewWriter(&p.buffer) // without a time: equal lines make equal bytes
	}
	if _, err := p.zip.Write(append(line[:len(line):len(line)], '\n')); err != nil {
		return err
	}
	p.pending++
	p.lines++
	if p.pending%leftoverFlush != 0 && len(line) < leftoverPart/leftoverFlush {
		return nil
	}
	if err := p.zip.Flush(); err != nil {
		return err
	}
	if p.buffer.Len() < leftoverPart {
		return nil
	}
	return p.close()
}

// close ends the piece at hand.
func (p *parts) close() error {
	if p.zip == nil {
		return nil
	}
	if err := p.zip.Close(); err != nil {
		return err
	}
	p.done = append(p.done, part{bytes.Clone(p.buffer.Bytes()), p.pending})
	p.zip, p.pending = nil, 0
	if len(p.done) > maxLeftoverParts {
		return errLeftoversTooLarge
	}
	return nil
}

// leftovers asks a dispatcher's pod.
func (r *Reports) leftovers(ctx context.Context, pod *corev1.Pod, token string, each func([]byte) error) error {
	return report.Leftovers(ctx, r.client, strings.TrimSuffix(r.url(pod), "/report")+report.PathLeftovers, token, each)
}
