package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/report"
)

// lastHour is the time that the summary looks back.
const lastHour = "1h"

// overview is everything that status shows, for programs.
type overview struct {
	Namespace  string                        `json:"namespace"`
	Connector  string                        `json:"connector"`
	Type       string                        `json:"type"`
	DataCenter string                        `json:"dataCenterID,omitempty"`
	Endpoint   string                        `json:"endpoint"`
	Problems   []v1alpha1.Problem            `json:"problems,omitempty"`
	Conditions []metav1.Condition            `json:"conditions"`
	Delivery   v1alpha1.DeliveryStatus       `json:"delivery"`
	SLO        v1alpha1.SLOStatus            `json:"slo,omitzero"`
	Accounts   v1alpha1.AccountsStatus       `json:"accounts"`
	Addresses  v1alpha1.AddressStatus        `json:"addresses,omitzero"`
	Reports    map[string]report.Report      `json:"reports,omitempty"`
	LastHour   lookup.Summary                `json:"lastHour"`
	Dispatcher int                           `json:"dispatchers"`
	Missing    string                        `json:"missing,omitempty"`
	SSO        map[string]map[string]float64 `json:"sso,omitempty"`
}

func (a *app) newStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [CONNECTOR]",
		Short: "Show on one screen how a connector does",
		Example: `  kubectl oab status hq
  kubectl oab status hq -o json | jq .lastHour`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.status(cmd.Context(), first(args)) },
	}
	a.bindFormat(cmd)
	return cmd
}

func (a *app) status(ctx context.Context, name string) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, name)
	if err != nil {
		return err
	}
	o := overview{
		Namespace: c.Namespace, Connector: c.Name, Type: string(c.Spec.Type), DataCenter: c.Spec.DataCenterID, Endpoint: c.Spec.Endpoint.URL,
		Problems: c.Status.Problems, Conditions: c.Status.Conditions, Delivery: c.Status.Delivery, SLO: c.Status.SLO, Accounts: c.Status.Accounts, Addresses: c.Status.Addresses, Reports: map[string]report.Report{},
		LastHour: lookup.Summary{Outcomes: map[record.Outcome]int64{}, DeadReasons: map[string]int64{}, SignIns: map[string]int64{}},
	}
	pods, err := x.pods(ctx, c.Name, v1alpha1.ComponentDispatcher)
	if err != nil {
		return err
	}
	o.Dispatcher = len(pods)
	// What the dispatchers do not say is missing; what the operator wrote down is shown all the same.
	if err := a.askAll(ctx, x, pods, &o); err != nil {
		o.Missing = oneLine(err.Error())
	}
	gateways, err := x.pods(ctx, c.Name, v1alpha1.ComponentGateway)
	if err != nil {
		return err
	}
	a.askGateways(ctx, x, gateways, &o)
	if printed, err := a.document(o); printed {
		return err
	}
	return a.show(&o)
}

// askAll fills in what the dispatchers say.
func (a *app) askAll(ctx context.Context, x *access, pods []corev1.Pod, o *overview) error {
	if len(pods) == 0 {
		return fmt.Errorf("no dispatcher runs: see WorkloadAvailable")
	}
	type named struct {
		pod    string
		report report.Report
	}
	http := newHTTPClient()
	var failed error
	for i := range pods {
		got, err := each(ctx, a, x, pods[i:i+1], bundle.PortAdmin, func(ctx context.Context, url string) (named, error) {
			r, _, _, err := report.Get(ctx, http, url+"/report", "", 0)
			return named{pods[i].Name, r}, err
		})
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		o.Reports[got[0].pod] = got[0].report
	}
	sums, err := look(ctx, a, x, pods, func(ctx context.Context, c *lookup.Client) (lookup.Summary, error) {
		return c.Summary(ctx, url.Values{lookup.ParamSince: {lastHour}})
	})
	for _, s := range sums {
		addSummary(&o.LastHour, s)
	}
	return cmp.Or(failed, err)
}

// addSummary adds that of another dispatcher; of its latencies the worst counts.
func addSummary(sum *lookup.Summary, s lookup.Summary) {
	for outcome, n := range s.Outcomes {
		sum.Outcomes[outcome] += n
	}
	for reason, n := range s.DeadReasons {
		sum.DeadReasons[reason] += n
	}
	for code, n := range s.SignIns {
		if s.SignInsShared {
			sum.SignIns[code] = max(sum.SignIns[code], n)
		} else {
			sum.SignIns[code] += n
		}
	}
	sum.DeliveredLate += s.DeliveredLate
	sum.P50, sum.P95, sum.P99 = max(sum.P50, s.P50), max(sum.P95, s.P95), max(sum.P99, s.P99)
}

// show prints the screen.
func (a *app) show(o *overview) error {
	var b strings.Builder
	title := o.Type
	if o.DataCenter != "" {
		title += ", " + o.DataCenter
	}
	fmt.Fprintf(&b, "%s (%s)", a.paint(bold, o.Namespace+"/"+o.Connector), title)
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionDeliveryHealthy} {
		c := condition(o, kind)
		colour := green
		if c.Status != metav1.ConditionTrue {
			colour = red
		}
		fmt.Fprintf(&b, "   %s=%s", kind, a.paint(colour, string(c.Status)))
		if c.Reason != "" && c.Reason != kind && c.Reason != v1alpha1.ReasonHealthy {
			fmt.Fprintf(&b, " %s", c.Reason)
		}
	}
	b.WriteByte('\n')
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, " %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("OA", "%s   %s", o.Endpoint, condition(o, v1alpha1.ConditionOAReachable).Message)
	line("Queue", "%s", a.queue(o))
	line("Last hour", "%s", a.hour(o.LastHour))
	if promised := promised(&o.SLO); promised != "" {
		line("SLO", "%s", promised)
	}
	if n := value(o.Delivery.Dead); n > 0 {
		line("Dead", "%s   kubectl oab dead %s -n %s", a.paint(red, fmt.Sprint(n)), o.Connector, o.Namespace)
	}
	if f := o.Delivery.LastFailure; !f.Time.IsZero() {
		line("Last failure", "%s ago   %s: %s", a.age(f.Time.Time), f.Class, f.Message)
	}
	line("Accounts", "bound %d   conflicts %d", value(o.Accounts.Bound), value(o.Accounts.Conflicts))
	if sso := a.sso(o); sso != "" {
		line("SSO", "%s", sso)
	}
	if counts := signInCounts(o); counts != "" {
		line("Sign-ins", "%s", counts)
	}
	if digest := a.digest(o); digest != "" {
		line("Digest", "%s", digest)
	}
	line("Dispatchers", "%d running, %d reported", o.Dispatcher, len(o.Reports))
	for _, name := range slices.Sorted(maps.Keys(o.Reports)) {
		if s := o.Reports[name].Store; s != nil && s.Records != "" {
			line("Records", "%s: %s", name, s.Records)
		}
	}
	if o.Missing != "" {
		line("Missing", "%s", a.paint(yellow, o.Missing))
	}
	for i, p := range o.Problems {
		name := ""
		if i == 0 {
			name = "Problems"
		}
		line(name, "%s  %s %s   for %s", a.paint(red, p.Reason), p.Object, p.Key, a.age(p.Since.Time))
		line("", "  %s", p.Message)
	}
	for _, c := range o.Conditions {
		// A message that is on the screen already is not repeated.
		good := metav1.ConditionTrue
		if c.Type == v1alpha1.ConditionStalled || c.Type == v1alpha1.ConditionReconciling {
			good = metav1.ConditionFalse
		}
		listed := slices.ContainsFunc(o.Problems, func(p v1alpha1.Problem) bool { return strings.Contains(c.Message, p.Message) })
		if c.Status != good && !listed && c.Type != v1alpha1.ConditionReady && c.Type != v1alpha1.ConditionOAReachable {
			fmt.Fprintf(&b, " %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	for i, address := range addressLines(&o.Addresses) {
		name := ""
		if i == 0 {
			name = "Paste"
		}
		line(name, "%-12s %s", address[0], address[1])
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}

func condition(o *overview, kind string) metav1.Condition {
	for _, c := range o.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{Type: kind, Status: metav1.ConditionUnknown, Message: "the operator has not looked at it yet"}
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func (a *app) queue(o *overview) string {
	held := fmt.Sprintf("held %d", value(o.Delivery.Held))
	reasons := map[string]int64{}
	for _, r := range o.Reports {
		if r.Delivery != nil {
			for reason, n := range r.Delivery.HeldReasons {
				reasons[reason] += n
			}
		}
	}
	if len(reasons) > 0 {
		held += " (" + counts(reasons) + ")"
	}
	out := fmt.Sprintf("pending %d   retrying %d   %s   delivered %d   skipped %d", value(o.Delivery.Pending), value(o.Delivery.Retrying), held,
		value(o.Delivery.Delivered), value(o.Delivery.Skipped))
	if t := o.Delivery.OldestTime; !t.IsZero() {
		out += "   oldest " + a.age(t.Time)
	}
	return out
}

// promised says how deliveries do against the objective.
func promised(s *v1alpha1.SLOStatus) string {
	if s.InTime == "" {
		return ""
	}
	return fmt.Sprintf("%s %% within %s, of the last hour (objective %s %%)   burn rate %s", s.InTime, s.Within.Duration, s.Objective, s.BurnRate)
}

func counts(m map[string]int64) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

func (a *app) hour(s lookup.Summary) string {
	out := fmt.Sprintf("delivered %d (%d after retries)   dead %d", s.Outcomes[record.Delivered], s.DeliveredLate, s.Outcomes[record.Dead])
	if len(s.DeadReasons) > 0 {
		out += " (" + counts(s.DeadReasons) + ")"
	}
	if s.Outcomes[record.Delivered] > 0 {
		out += fmt.Sprintf("   p50 %s  p95 %s  p99 %s", milliseconds(float64(s.P50)), milliseconds(float64(s.P95)), milliseconds(float64(s.P99)))
	}
	return out
}

// digest says when people were told of failures the last time.
func (a *app) digest(o *overview) string {
	var last time.Time
	known := false
	for _, r := range o.Reports {
		n := r.Notifications
		if n == nil {
			continue
		}
		known = true
		if n.Problem != "" {
			return a.paint(red, n.Problem)
		}
		if n.LastSent != nil && n.LastSent.After(last) {
			last = *n.LastSent
		}
	}
	switch {
	case !known:
		return ""
	case last.IsZero():
		return "nothing had to be said yet"
	}
	return "last sent " + a.clock(last)
}
