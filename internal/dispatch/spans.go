package dispatch

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/tracing"
)

// spans of the events of a request, nil when nobody collects them.
type spans []trace.Span

// accepting begins the span of each event that is being taken in. Its trace context goes into the queue in the place of the
// CRM's, so that whatever becomes of the event later, even after a restart, belongs below that span.
func (s *shared) accepting(ctx context.Context, v *live, events []crm.Event, now time.Time) spans {
	if !s.tracer.On() {
		return nil
	}
	out := make(spans, len(events))
	for i := range events {
		e := &events[i]
		parent := ctx
		if !e.Untraced {
			parent = tracing.Under(ctx, e.TraceParent)
		}
		var begun context.Context
		begun, out[i] = s.tracer.Begin(parent, "accept", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(now), trace.WithAttributes(
			tracing.Connector(v.bundle.Namespace, v.bundle.Name), tracing.ItemID.String(e.Item.ID), tracing.ItemKind.String(e.Kind),
			tracing.Action.String(string(e.Action)), tracing.Record(e.Item.Object.APIName, e.Item.Object.ID), attribute.String("cloudevents.event_id", e.ID),
			attribute.Int("oabridge.receivers", len(e.Item.Receivers))))
		e.TraceParent = tracing.Parent(begun)
	}
	return out
}

// accepted ends the spans: the events are on disk.
func (s spans) accepted(fresh []bool) {
	for i, span := range s {
		span.SetAttributes(attribute.Bool("oabridge.duplicate", !fresh[i]))
		span.End()
	}
}

// refused ends the spans: the CRM is asked to send the events again.
func (s spans) refused() {
	for _, span := range s {
		span.SetStatus(codes.Error, "not stored")
		span.End()
	}
}

// trace tells of one step of a delivery, when its record is on disk: the tree of spans is that of the records.
func (e *engine) trace(r *record.Record) {
	if !e.tracer.On() {
		return
	}
	name, kind, began := "decide", trace.SpanKindInternal, r.At
	attributes := []attribute.KeyValue{
		tracing.ItemID.String(r.ItemID), tracing.ItemKind.String(r.Kind), tracing.Action.String(string(r.Action)),
		attribute.String("oabridge.outcome", string(r.Outcome)), attribute.String("oabridge.reason", r.Reason),
		attribute.String("oabridge.scenario", r.Scenario), attribute.String("oabridge.template", r.Template), attribute.String("oabridge.template.revision", r.Revision),
	}
	if v := e.live.Load(); v != nil {
		attributes = append(attributes, tracing.Connector(v.bundle.Namespace, v.bundle.Name), attribute.String("oabridge.oa.type", v.bundle.Type))
	}
	if r.Method != "" { // the OA was called
		name, kind, began = "push", trace.SpanKindClient, r.At.Add(-time.Duration(r.LatencyMS*float64(time.Millisecond)))
		if r.ReadBacks > 0 {
			name = "read back"
		}
		attributes = append(attributes, attribute.Int("oabridge.attempt", r.Attempt),
			attribute.String("http.request.method", r.Method), attribute.Int("http.response.status_code", r.Status))
	}
	_, span := e.tracer.Begin(tracing.Under(context.Background(), r.TraceParent), name, trace.WithSpanKind(kind), trace.WithTimestamp(began), trace.WithAttributes(attributes...))
	if r.Class != "" || r.Outcome == record.Dead {
		span.SetAttributes(attribute.String("error.type", r.Reason))
		span.SetStatus(codes.Error, r.Reason)
	}
	span.End(trace.WithTimestamp(r.At))
}
