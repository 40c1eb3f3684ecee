package workload

import (
	"cmp"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/tracing"
)

// tracingEnv is what the OpenTelemetry libraries in the workloads read. The headers, which are secret, come as a file.
func tracingEnv(c *v1alpha1.OAConnector) []*corev1ac.EnvVarApplyConfiguration {
	t := c.Spec.Observability.Tracing
	if t.Endpoint == "" {
		return nil
	}
	env := func(name, value string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValue(value)
	}
	return []*corev1ac.EnvVarApplyConfiguration{
		env(tracing.EnvEndpoint, t.Endpoint),
		env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
		env("OTEL_TRACES_SAMPLER_ARG", cmp.Or(t.SamplingRatio, bundle.DefaultSamplingRatio)),
	}
}

// observabilitySlots are those of both workloads.
func observabilitySlots(o v1alpha1.Observability) []slot {
	var slots []slot
	if name := o.Tracing.HeadersSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotTracing, keys(name, v1alpha1.KeyHeaders)})
	}
	if name := o.Profiling.TokenSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotProfiling, keys(name, rotated(v1alpha1.KeyToken)...)})
	}
	return slots
}
