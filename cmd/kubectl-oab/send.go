package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// lookAgain is the pause between two looks at what became of a test item.
const lookAgain = 500 * time.Millisecond

// sendOptions of a command line.
type sendOptions struct {
	to, kind, object, item string
	cleanup                bool
	timeout                time.Duration
}

func (a *app) newSendTestCommand() *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send-test [CONNECTOR] --to ACCOUNT",
		Short: "Send a marked to-do or reminder, and show what the OA said",
		Long: `Send a to-do or reminder that says of itself that it is a test, wait for what becomes of it, and show request, answer, verdict
and the link that the person gets. It takes the way of all events from the queue on. The dispatcher makes the event itself, so
no signing key is needed; the CRM and the signature of its events are not tested.

Exit code 0: it was delivered, and withdrawn with --cleanup; 3: it was not.`,
		Example: `  kubectl oab send-test hq --to 1002
  kubectl oab send-test hq --to 1002 --object AccountObj/5f3c2ab1 --cleanup
  # withdraw an earlier one
  kubectl oab send-test hq --to 1002 --cleanup --item oab-test-k3v9x0q2ab`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.sendTest(cmd.Context(), first(args), &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "CRM account of the receiver")
	flags.StringVar(&o.kind, "kind", string(v1alpha1.KindTodo), strings.Join(wordsKind, ", "))
	flags.StringVar(&o.object, "object", "AccountObj/oab-test", "record of the CRM that the link leads to: apiName/id")
	flags.BoolVar(&o.cleanup, "cleanup", false, "withdraw the to-do afterwards")
	flags.StringVar(&o.item, "item", "", "with --cleanup: only withdraw this test item")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for what becomes of it")
	completeWords(cmd, "kind", wordsKind)
	a.bindFormat(cmd)
	return cmd
}

// event that the flags ask for.
func (o *sendOptions) event() (e lookup.TestEvent, err error) {
	api, id, ok := strings.Cut(o.object, "/")
	switch {
	case o.to == "":
		return e, usage("to whom? Give the CRM account with --to")
	case !slices.Contains(wordsKind, o.kind):
		return e, usage("--kind: %q is no kind of item; use %s", o.kind, strings.Join(wordsKind, ", "))
	case o.cleanup && o.kind != string(v1alpha1.KindTodo):
		return e, usage("--cleanup withdraws to-dos; what is no to-do stays")
	case !ok || api == "" || id == "":
		return e, usage("--object: %q is not apiName/id, such as AccountObj/5f3c2ab1", o.object)
	case o.item != "" && !o.cleanup:
		return e, usage("--item is for --cleanup")
	}
	e = lookup.TestEvent{ItemID: o.item, Kind: o.kind, Action: scenario.Create, Receiver: o.to, Object: scenario.Object{APIName: api, ID: id}}
	if e.ItemID == "" {
		e.ItemID = lookup.TestItemPrefix + strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // a name, no secret
	}
	return e, nil
}

// sent is what became of a test event.
type sent struct {
	lookup.Delivery
	// Link that the person gets.
	Link string `json:"link,omitempty"`
}

func (a *app) sendTest(ctx context.Context, connector string, o *sendOptions) error {
	e, err := o.event()
	if err != nil {
		return err
	}
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, pods, err := x.dispatchers(ctx, connector)
	if err != nil {
		return err
	}
	var all []sent
	actions := []scenario.Action{scenario.Create}
	if o.item != "" {
		actions = nil
	}
	if o.cleanup {
		actions = append(actions, scenario.Delete)
	}
	for _, e.Action = range actions {
		var some []sent
		some, err = a.sendOne(ctx, x, c, pods, e, o.timeout)
		all = append(all, some...)
		if err != nil {
			break
		}
	}
	if printed, failed := a.document(all); printed || failed != nil {
		return errors.Join(failed, err)
	}
	if failed := a.tellSent(all); failed != nil {
		return failed
	}
	if err == nil && !o.cleanup && e.Kind == string(v1alpha1.KindTodo) {
		a.say("it stays in the OA until: kubectl oab send-test %s -n %s --to %s --cleanup --item %s", c.Name, c.Namespace, o.to, e.ItemID)
	}
	return err
}

// sendOne sends one event and waits for the end of its deliveries, of which each scenario for the kind has one. What is
// known of them is returned with the error too.
func (a *app) sendOne(ctx context.Context, x *access, c *v1alpha1.OAConnector, pods []corev1.Pod, e lookup.TestEvent, timeout time.Duration) (last []sent, err error) {
	// One dispatcher is enough: it hands the event to the one that has its part of the queue.
	ids, err := look(ctx, a, x, pods[:1], func(ctx context.Context, c *lookup.Client) (string, error) { return c.SendTest(ctx, e) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s has not ended within %s; kubectl oab trace %s %s -n %s tells how it goes on", e.ItemID, timeout, e.ItemID, c.Name, c.Namespace))
	defer cancel()
	filter := filter{events: ids}
	for {
		pages, err := look(ctx, a, x, pods, func(ctx context.Context, c *lookup.Client) (found []lookup.Delivery, err error) {
			found, _, err = c.Trace(ctx, filter.values())
			return found, err
		})
		if found := slices.Concat(pages...); len(found) > 0 {
			last = nil
			for _, d := range found {
				last = append(last, sent{Delivery: d, Link: deepLink(c, d.Steps)})
			}
			if ended, err := verdict(last); ended {
				return last, err
			}
		} else if err != nil && ctx.Err() == nil {
			return last, err
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return last, context.Cause(ctx)
		}
	}
}

// verdict reports whether all deliveries have come to an end that only a person changes, and which of them is no success.
func verdict(all []sent) (ended bool, err error) {
	for i := range all {
		outcome := record.Outcome(all[i].State)
		switch {
		case !outcome.Final() && outcome != record.Held:
			return false, nil
		case outcome != record.Delivered && err == nil:
			err = fmt.Errorf("%s was not delivered: %s", all[i].ItemID, outcome)
		}
	}
	return true, err
}

// deepLink finds the link to the gateway in what was sent.
func deepLink(c *v1alpha1.OAConnector, steps []record.Record) string {
	if c.Spec.SSO.Host == "" || len(steps) == 0 || steps[len(steps)-1].Action == scenario.Delete {
		return ""
	}
	links := regexp.MustCompile(`https?://` + regexp.QuoteMeta(c.Spec.SSO.Host) + `(?::\d+)?/[^\s"'<>\\]*`)
	return links.FindString(steps[len(steps)-1].Request)
}

func (a *app) tellSent(all []sent) error {
	var b strings.Builder
	for i := range all {
		s := &all[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s for %s\n", a.paint(bold, s.Kind+" "+s.ItemID), s.Action, person(s.Receiver, s.ReceiverOA))
		line := func(title, text string) {
			if text != "" {
				fmt.Fprintf(&b, "  %-12s %s\n", title, text)
			}
		}
		words := a.paint(colourOf(s.State), s.State)
		line("scenario", s.Scenario)
		if n := len(s.Steps); n > 0 {
			r := &s.Steps[n-1]
			line("template", template(r))
			if r.Method != "" {
				line("request", r.Method+" "+r.URL)
				body(&b, r.Request)
			}
			if r.Status != 0 {
				line("answer", fmt.Sprintf("HTTP %d, %s", r.Status, milliseconds(r.LatencyMS)))
				body(&b, r.Answer)
			}
			if r.Reason != "" {
				words += ", " + r.Reason
			}
			if r.Message != "" {
				words += ": " + oneLine(r.Message)
			}
		}
		line("verdict", words)
		line("now", s.Note)
		line("link", s.Link)
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}
