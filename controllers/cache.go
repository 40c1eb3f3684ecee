package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// CacheOptions keeps the operator from holding what is none of its business: of Secrets it sees those that were labelled
// for it, of ConfigMaps account files and its own bundles, of everything else its own children.
//
// namespaces limits the operator to some namespaces; presets is then added to them. None means all.
func CacheOptions(namespaces []string, presets string) cache.Options {
	children := cache.ByObject{Label: exists(v1alpha1.LabelConnector)}
	o := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelCredentials: "true"})},
			// "true" on people's account files, "compiled" on the operator's own.
			&corev1.ConfigMap{}:             {Label: exists(v1alpha1.LabelAccounts)},
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
	if len(namespaces) > 0 {
		o.DefaultNamespaces = map[string]cache.Config{}
		if presets != "" {
			o.DefaultNamespaces[presets] = cache.Config{}
		}
		for _, ns := range namespaces {
			o.DefaultNamespaces[ns] = cache.Config{}
		}
	}
	return o
}

func exists(key string) labels.Selector {
	r, err := labels.NewRequirement(key, selection.Exists, nil)
	if err != nil {
		panic("controllers: label " + key + ": " + err.Error()) // the keys are constants
	}
	return labels.NewSelector().Add(*r)
}
