package gateway

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/oabridge/oabridge/internal/tracing"
)

// beginTrace begins the span of a request and returns its trace id, which is the caller's if there is a valid one. Only a
// sign-in ends its span; one that is not ended is told to nobody.
func (h *Handler) beginTrace(r *http.Request) (context.Context, oteltrace.Span, string) {
	trace, given := traceOf(r)
	ctx := r.Context()
	if given {
		ctx = tracing.Under(ctx, r.Header.Get("Traceparent"))
	}
	ctx, span := h.tracer.Begin(ctx, "sign in", oteltrace.WithSpanKind(oteltrace.SpanKindServer))
	if h.tracer.On() {
		trace = span.SpanContext().TraceID().String()
	}
	return ctx, span, trace
}

// endTrace says how a sign-in ended: what its record says, but for the person.
func endTrace(span oteltrace.Span, v *visit, res result) {
	t := v.route.target
	span.SetAttributes(attribute.String("oabridge.code", string(res.code)), attribute.String("oabridge.reason", res.reason),
		attribute.String("oabridge.page", t.Page), attribute.String("oabridge.client", t.Client), attribute.String("http.request.method", v.request.Method))
	if v.live != nil {
		namespace, name, _ := strings.Cut(v.connector, "/")
		span.SetAttributes(tracing.Connector(namespace, name), attribute.String("oabridge.oa.type", v.oaType), attribute.String("oabridge.sso.mode", v.mode))
	}
	if t.APIName != "" {
		span.SetAttributes(tracing.Record(t.APIName, t.DataID))
	}
	if strings.HasPrefix(string(res.code), "SSO-") {
		span.SetAttributes(attribute.String("error.type", string(res.code)))
		span.SetStatus(otelcodes.Error, string(res.code))
	}
	span.End()
}

// step begins a step of a sign-in that waits for somebody else. The returned function ends it.
func (h *Handler) step(ctx context.Context, name string) (context.Context, func()) {
	start := h.now()
	ctx, span := h.tracer.Begin(ctx, name, oteltrace.WithSpanKind(oteltrace.SpanKindClient))
	return ctx, func() {
		h.metrics.steps.WithLabelValues(name).Observe(h.now().Sub(start).Seconds())
		span.End()
	}
}
