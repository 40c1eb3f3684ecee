package controllers

import (
	"bytes"
	"slices"

	"github.com/klauspost/compress/s2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// CacheOptions keeps the operator from holding what is none of its business: of Secrets it sees those that were labelled
// for it, of ConfigMaps account files and its own bundles, of connectors and replays those of its class, of everything else
// its own children; and of those only what it looks at.
//
// presets is added to the namespaces of a scope that has some.
func CacheOptions(scope Scope, presets string) cache.Options {
	children := cache.ByObject{Label: exists(v1alpha1.LabelConnector), Transform: lean}
	class := cache.ByObject{Label: scope.ofClass(), Transform: leanDeclared}
	o := cache.Options{
		DefaultTransform: leanDeclared,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.OAConnector{}: class,
			&v1alpha1.Replay{}:      class,
			&corev1.Secret{}: {
				Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelCredentials: "true"}), Transform: leanSecret,
			},
			// "true" on people's account files, "compiled" on the operator's own.
			&corev1.ConfigMap{}:             {Label: exists(v1alpha1.LabelAccounts), Transform: lean},
			&corev1.Pod{}:                   children,
			&corev1.PersistentVolumeClaim{}: children,
			&appsv1.Deployment{}:            children,
			&networkingv1.Ingress{}:         children,
		},
	}
	for _, kind := range bodiless {
		o.ByObject[metadataOf(kind)] = children
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

// bodiless are the kinds of children that are there or not, and say no more: the caches hold their metadata.
var bodiless = []schema.GroupVersionKind{
	corev1.SchemeGroupVersion.WithKind("Service"),
	corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
	networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
	policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
}

// metadataOf an object of a kind, to read it into.
func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(kind)
	return o
}

// lean takes from a child what no controller looks at, before it goes into a cache. What is applied is compared by its
// digests, so that the specs, which are most of it, need not be kept.
func lean(in any) (any, error) {
	switch o := in.(type) {
	case *corev1.Pod:
		leanPod(o)
		return o, nil
	case *corev1.ConfigMap:
		packDocument(o)
	case *appsv1.Deployment:
		o.Spec = appsv1.DeploymentSpec{Replicas: o.Spec.Replicas}
	case *corev1.PersistentVolumeClaim:
		o.Spec, o.Status = corev1.PersistentVolumeClaimSpec{}, corev1.PersistentVolumeClaimStatus{Phase: o.Status.Phase}
	case *networkingv1.Ingress:
		o.Spec = networkingv1.IngressSpec{}
	}
	o, ok := in.(metav1.Object)
	if !ok {
		return in, nil
	}
	err := digestOwnership(o)
	leanOwned(o)
	o.SetNamespace(phrase(o.GetNamespace()))
	return in, err
}

// isController is what all owner references of the caches share.
var isController = ptr.To(true)

// leanOwned drops labels and annotations of what a connector controls, and says whether one does: it is found by its owner.
func leanOwned(o metav1.Object) bool {
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil || owner.Kind != connectorKind {
		return false
	}
	o.SetLabels(nil)
	o.SetAnnotations(nil)
	owner.APIVersion, owner.Kind = phrase(owner.APIVersion), connectorKind
	owner.Controller = isController
	if owner.BlockOwnerDeletion != nil && *owner.BlockOwnerDeletion {
		owner.BlockOwnerDeletion = isController
	}
	return true
}

// leanPod keeps what is asked of a pod: whose it is, where it is, whether it is ready, and why not.
func leanPod(p *corev1.Pod) {
	only := func(all map[string]string, keys ...string) map[string]string {
		kept := map[string]string{}
		for _, key := range keys {
			if v, ok := all[key]; ok {
				kept[key] = v
			}
		}
		return kept
	}
	p.Labels = only(p.Labels, v1alpha1.LabelConnector, v1alpha1.LabelComponent)
	p.Annotations = only(p.Annotations, v1alpha1.AnnotationConfigRevision)
	p.GenerateName, p.OwnerReferences, p.ManagedFields = "", nil, nil
	p.Namespace = phrase(p.Namespace)
	p.Spec = corev1.PodSpec{}
	status := corev1.PodStatus{Phase: p.Status.Phase, PodIP: p.Status.PodIP}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady || c.Status == corev1.ConditionFalse {
			status.Conditions = append(status.Conditions, c)
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Waiting != nil {
			status.ContainerStatuses = append(status.ContainerStatuses, s)
		}
	}
	p.Status = status
}

// phrases are what many objects say: the texts of conditions, and their namespaces.
var phrases = lru.New(4096)

func phrase(s string) string {
	if known, ok := phrases.Get(s); ok {
		return known.(string) //nolint:forcetypeassert // nothing else is put there
	}
	phrases.Add(s, s)
	return s
}

// leanDeclared takes what no controller looks at from what people declare.
func leanDeclared(in any) (any, error) {
	var conditions []metav1.Condition
	switch o := in.(type) { // what was decoded has room to spare, up to half
	case *v1alpha1.OAConnector:
		conditions = slices.Clone(o.Status.Conditions)
		o.Status.Conditions, o.Status.Credentials = conditions, slices.Clone(o.Status.Credentials)
	case *v1alpha1.AccountBinding:
		conditions = slices.Clone(o.Status.Conditions)
		o.Status.Conditions = conditions
	}
	for i := range conditions {
		c := &conditions[i]
		c.Type, c.Status, c.Reason = phrase(c.Type), metav1.ConditionStatus(phrase(string(c.Status))), phrase(c.Reason)
		c.Message = phrase(c.Message)
	}
	o, ok := in.(client.Object)
	if !ok {
		return in, nil
	}
	o.SetManagedFields(nil)
	o.SetNamespace(phrase(o.GetNamespace()))
	delete(o.GetAnnotations(), corev1.LastAppliedConfigAnnotation) // the whole spec once more
	return o, nil
}

// leanSecret keeps what people put into Secrets. What the operator put into its own is the pods' business.
func leanSecret(in any) (any, error) {
	o, ok := in.(*corev1.Secret)
	if !ok {
		return in, nil
	}
	o.ManagedFields = nil
	if leanOwned(o) {
		o.Data = nil
	}
	o.Namespace = phrase(o.Namespace)
	return o, nil
}

// packDocument compresses the document of a bundle, which is looked at when its connector is, and drops account shards, of which
// the operator needs the digest alone.
func packDocument(cm *corev1.ConfigMap) {
	if cm.Labels[v1alpha1.LabelAccounts] != workload.AccountsCompiled || cm.Labels[v1alpha1.LabelConnector] == "" {
		return
	}
	document := cm.Data[bundle.FileName]
	cm.Data, cm.BinaryData = nil, nil
	if document != "" {
		cm.BinaryData = map[string][]byte{bundle.FileName: bytes.Clone(s2.EncodeBetter(nil, []byte(document)))} // without the room to spare
	}
}

// unpackDocument returns what packDocument put away, empty for a ConfigMap without a document.
func unpackDocument(cm *corev1.ConfigMap) (string, error) {
	packed := cm.BinaryData[bundle.FileName]
	if len(packed) == 0 {
		return "", nil
	}
	document, err := s2.Decode(nil, packed)
	return string(document), err
}

func exists(key string) labels.Selector {
	r, err := labels.NewRequirement(key, selection.Exists, nil)
	if err != nil {
		panic("controllers: label " + key + ": " + err.Error()) // the keys are constants
	}
	return labels.NewSelector().Add(*r)
}
