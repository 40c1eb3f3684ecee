package dispatch

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/tracing"
)

// serving tells of what the gateway asks for in the course of a sign-in, below its own span.
func (d *Dispatcher) serving(name string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		parent := r.Header.Get("Traceparent")
		if parent == "" || !d.tracer.On() || !d.keys.isPeer(r.Header.Get("Authorization")) {
			next(w, r)
			return
		}
		ctx, span := d.tracer.Begin(tracing.Under(r.Context(), parent), name, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		next(w, r.WithContext(ctx))
	}
}

// clicked joins the traces of clicks with those of the events that they belong to: below the click comes a span that links to
// the event, and names the item. Which item a person opened is what was delivered to them last about the record that the link
// leads to. It looks that up now, and tells when the result is called.
func (d *Dispatcher) clicked(ctx context.Context, s *session, x *index.Index, batch []audit.SignIn) (tell func()) {
	var spans []func()
	tell = func() {
		for _, span := range spans {
			span()
		}
	}
	if !d.tracer.On() {
		return tell
	}
	for i := range batch {
		c := &batch[i]
		about := record.AboutObject(c.APIName, c.DataID)
		if c.TraceParent == "" || c.CRMAccount == "" || about == "" {
			continue
		}
		hits, err := x.Query(ctx, index.Filter{
			Receivers: []string{c.CRMAccount}, Abouts: []string{about}, Outcomes: []record.Outcome{record.Delivered}, Limit: 1,
		})
		if err != nil {
			d.log.Error(err, "cannot look up what was clicked; traces are not joined")
			return tell
		}
		if len(hits) == 0 {
			continue
		}
		r, _ := s.whole(ctx, &hits[0])
		event := trace.SpanContextFromContext(tracing.Under(context.Background(), r.TraceParent))
		options := []trace.SpanStartOption{trace.WithTimestamp(c.At), trace.WithAttributes(
			tracing.ItemID.String(r.ItemID), tracing.ItemKind.String(r.Kind), tracing.Record(c.APIName, c.DataID),
			attribute.String("oabridge.scenario", r.Scenario), attribute.String("oabridge.code", c.Code))}
		if v := d.live.Load(); v != nil {
			options = append(options, trace.WithAttributes(tracing.Connector(v.bundle.Namespace, v.bundle.Name)))
		}
		if event.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: event}))
		}
		spans = append(spans, func() {
			_, span := d.tracer.Begin(tracing.Under(context.Background(), c.TraceParent), "open", options...)
			span.End(trace.WithTimestamp(c.At))
		})
	}
	return tell
}
