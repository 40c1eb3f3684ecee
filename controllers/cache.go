package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// CacheOptions keeps the operator from holding what is none of its business: of Secrets it sees those that were labelled
// for it, of ConfigMaps account files and its own bundles, of connectors and replays those of its class, of everything else
// its own children; and of those only what it looks at.
//
// presets is added to the namespaces of a scope that has some.
func CacheOptions(scope Scope, presets string) cache.Options {
	children := cache.ByObject{Label: exists(v1alpha1.LabelConnector), Transform: lean}
	class := cache.ByObject{Label: scope.ofClass()}
	o := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.OAConnector{}: class,
			&v1alpha1.Replay{}:      class,
			&corev1.Secret{}:        {Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelCredentials: "true"})},
			// "true" on people's account files, "compiled" on the operator's own.
			&corev1.ConfigMap{}:             {Label: exists(v1alpha1.LabelAccounts), Transform: lean},
			&corev1.Pod{}:                   children,
			&corev1.Service{}:               children,
			&corev1.ServiceAccount{}:        children,
			&corev1.PersistentVolumeClaim{}: children,
			&appsv1.Deployment{}:            children,
			&networkingv1.Ingress{}:         children,
			&networkingv1.NetworkPolicy{}:   children,
			&policyv1.PodDisruptionBudget{}: children,
		},
	}
	if len(scope.Namespaces) > 0 {
		o.DefaultNamespaces = map[string]cache.Config{}
		if presets != "" {
			o.DefaultNamespaces[presets] = cache.Config{}
		}
		for _, ns := range scope.Namespaces {
			o.DefaultNamespaces[ns] = cache.Config{}
		}
	}
	return o
}

// lean takes from a child what no controller looks at, before it goes into a cache. What is applied is compared by its
// digests, so that the specs, which are most of it, need not be kept.
func lean(in any) (any, error) {
	switch o := in.(type) {
	case *corev1.Pod:
		o.ManagedFields = nil
		o.Spec = corev1.PodSpec{}
		o.Status = corev1.PodStatus{
			Phase: o.Status.Phase, PodIP: o.Status.PodIP, Conditions: o.Status.Conditions, ContainerStatuses: o.Status.ContainerStatuses,
		}
		return o, nil
	case *appsv1.Deployment:
		o.Spec = appsv1.DeploymentSpec{Replicas: o.Spec.Replicas}
	case *corev1.Service:
		o.Spec = corev1.ServiceSpec{}
	case *corev1.PersistentVolumeClaim:
		o.Spec = corev1.PersistentVolumeClaimSpec{}
	case *networkingv1.Ingress:
		o.Spec = networkingv1.IngressSpec{}
	case *networkingv1.NetworkPolicy:
		o.Spec = networkingv1.NetworkPolicySpec{}
	case *policyv1.PodDisruptionBudget:
		o.Spec, o.Status = policyv1.PodDisruptionBudgetSpec{}, policyv1.PodDisruptionBudgetStatus{}
	}
	if o, ok := in.(metav1.Object); ok {
		return in, digestOwnership(o)
	}
	return in, nil
}

func exists(key string) labels.Selector {
	r, err := labels.NewRequirement(key, selection.Exists, nil)
	if err != nil {
		panic("controllers: label " + key + ": " + err.Error()) // the keys are constants
	}
	return labels.NewSelector().Add(*r)
}
