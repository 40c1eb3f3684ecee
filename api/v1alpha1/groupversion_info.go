// Package v1alpha1 holds the objects of OA Bridge: what a person declares about one OA (OAConnector), how a scenario
// is written for it (ScenarioTemplate), who is who (AccountBinding) and what is sent once more (Replay).
//
// The package has types, markers and names only. What they mean is decided in internal/bundle and controllers.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
// +groupName=oabridge.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "oabridge.dev", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

// SchemeBuilder collects the kinds of this package.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme registers the kinds of this package.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&OAConnector{}, &OAConnectorList{},
		&ScenarioTemplate{}, &ScenarioTemplateList{},
		&AccountBinding{}, &AccountBindingList{},
		&Replay{}, &ReplayList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
