package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Defaults of the containers. There is no CPU limit: it only slows a catch-up down that nobody else needs the CPU for.
var (
	defaultCPU                  = resource.MustParse("50m")
	dispatcherMemory            = resource.MustParse("128Mi")
	dispatcherMemoryLimit       = resource.MustParse("512Mi")
	gatewayMemory               = resource.MustParse("64Mi")
	gatewayMemoryLimit          = resource.MustParse("256Mi")
	goMemoryPercent             = int64(80) // of the limit; the rest is for stacks, mapped files and the collector's slack
	bytesPerMebibyte      int64 = 1 << 20
)

// resources fills what the connector leaves open, so that the request never exceeds the limit.
func resources(r v1alpha1.Resources, defaultMemory, defaultLimit resource.Quantity) *corev1ac.ResourceRequirementsApplyConfiguration {
	cpu := quantity(r.CPURequest, defaultCPU)
	memory := quantity(r.MemoryRequest, defaultMemory)
	limit := quantity(r.MemoryLimit, defaultLimit)
	switch {
	case memory.Cmp(limit) <= 0:
	case r.MemoryRequest == "":
		memory = limit
	default:
		limit = memory
	}
	return corev1ac.ResourceRequirements().
		WithRequests(corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory}).
		WithLimits(corev1.ResourceList{corev1.ResourceMemory: limit})
}

func quantity(s string, fallback resource.Quantity) resource.Quantity {
	if q, err := resource.ParseQuantity(s); err == nil {
		return q
	}
	return fallback
}

// goMemoryLimit tells the Go runtime to collect harder before the kernel kills the process.
func goMemoryLimit(r *corev1ac.ResourceRequirementsApplyConfiguration) string {
	limit := (*r.Limits)[corev1.ResourceMemory]
	return fmt.Sprintf("%dMiB", max(1, limit.Value()*goMemoryPercent/100/bytesPerMebibyte))
}
