// Package tracing tells an OpenTelemetry collector what a workload does: one span for each event that is taken, for each step
// of its deliveries and for each sign-in. It is off unless OTEL_EXPORTER_OTLP_ENDPOINT, or the variable for traces alone, is
// set; the other OTEL_ variables mean what the OpenTelemetry specification says.
//
// A span names items, scenarios, outcomes and records. It never holds a secret, a ticket, a query string, a title, or a person.
package tracing

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/oabridge/oabridge/internal/outbound"
)

// The variables that turn tracing on.
const (
	EnvEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	EnvTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

const (
	// exportTimeout bounds one request to the collector.
	exportTimeout = 10 * time.Second
	// closeTimeout bounds the last one, when the process ends.
	closeTimeout = 3 * time.Second
	// connectTimeout bounds DNS, TCP and TLS together.
	connectTimeout = 5 * time.Second
	// maxAttributeBytes bounds a value: ids come from the CRM.
	maxAttributeBytes = 256
)

// silent makes spans that do nothing.
var silent = noop.NewTracerProvider().Tracer("")

// Tracer makes spans. The zero value makes none.
type Tracer struct {
	tracer trace.Tracer
	stop   func(context.Context) error
}

// Start returns the tracer of a component (dispatcher, gateway) as the environment asks for it: one that does nothing when it
// names no collector. HeadersFile holds headers for the collector, see headers.
//
// A collector that does not answer costs spans and a line in the log, and holds nothing up.
func Start(ctx context.Context, component, version, headersFile string, log logr.Logger) (*Tracer, error) {
	if cmp.Or(os.Getenv(EnvTracesEndpoint), os.Getenv(EnvEndpoint)) == "" {
		return &Tracer{}, nil
	}
	// A collector may run beside the workload, on loopback; link-local and cloud metadata addresses stay closed.
	client, err := outbound.NewClient(outbound.Config{
		ConnectTimeout: connectTimeout, AllowedCIDRs: []string{"127.0.0.0/8", "::1/128"}, Field: EnvEndpoint,
	})
	if err != nil {
		return nil, err
	}
	client.Timeout = exportTimeout
	client.Transport = headers{file: headersFile, next: client.Transport}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w; correct %s", err, EnvEndpoint)
	}
	described, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "oabridge-"+component), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("tracing: %w; correct OTEL_RESOURCE_ATTRIBUTES", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Info("traces are not taken by the collector", "message", err.Error())
	}))
	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttributeBytes
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described), sdktrace.WithRawSpanLimits(limits))
	return &Tracer{tracer: provider.Tracer("github.com/oabridge/oabridge"), stop: provider.Shutdown}, nil
}

// Close tells the collector of the last spans, as far as it answers.
func (t *Tracer) Close() {
	if t.stop == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = t.stop(ctx) // the error handler has told
}

// On reports whether spans are made.
func (t *Tracer) On() bool { return t != nil && t.tracer != nil }

// Begin starts a span. Without a collector it is one that does nothing.
func (t *Tracer) Begin(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !t.On() {
		return silent.Start(ctx, name, options...)
	}
	return t.tracer.Start(ctx, name, options...)
}

// Under returns a context whose spans belong below a W3C traceparent; one that is not valid begins a trace.
func Under(ctx context.Context, traceParent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceParent})
}

// Parent is the W3C traceparent of the span of a context, empty when there is none.
func Parent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
