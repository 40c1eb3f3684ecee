package controllers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// The API server writes down for each field who set it last (managedFields). As long as our entry of a child has every field
// that was applied, nobody has changed one of them: a field that someone else sets or removes leaves our entry. So what is
// known of a child fits into two digests, one of the request (an annotation) and one of the entry, and both are in the object.

// serverFields are never in managedFields: the API server takes them out.
var serverFields = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
)

// ownedFields tells which fields an apply request owns afterwards.
type ownedFields struct {
	known, deduced managedfields.TypeConverter
}

func newOwnedFields(scheme *runtime.Scheme) *ownedFields {
	return &ownedFields{known: applyconfigurations.NewTypeConverter(scheme), deduced: managedfields.NewDeducedTypeConverter()}
}

// of returns the digest of the fields of a request. Where the API server's schema is another one, the digest is of no use,
// and the child is applied once more than needed.
func (f *ownedFields) of(request *unstructured.Unstructured) (string, error) {
	convert := f.known.ObjectToTyped
	if request.GroupVersionKind() == workload.RouteKind { // its lists are atomic, and so are those of a deduced schema
		convert = f.deduced.ObjectToTyped
	}
	// Set-like lists may not hold duplicates; the API server says so better.
	value, err := convert(request, typed.AllowDuplicates)
	if err != nil {
		return "", fmt.Errorf("fields of %s: %w", request.GetKind(), err)
	}
	set, err := value.ToFieldSet()
	if err != nil {
		return "", fmt.Errorf("fields of %s: %w", request.GetKind(), err)
	}
	text, err := set.Difference(serverFields).ToJSON()
	return shortDigest(text), err
}

// lastApplied returns a digest of the last request for an object and of the fields that are ours, empty when none is.
func lastApplied(o metav1.Object) (string, error) {
	if digested := o.GetSelfLink(); digested != "" {
		return digested, nil
	}
	for _, e := range o.GetManagedFields() {
		if e.Manager != string(connectorManager) || e.Operation != metav1.ManagedFieldsOperationApply || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		text := e.FieldsV1.GetRawBytes()
		if _, reordered := o.(*unstructured.Unstructured); reordered {
			set := &fieldpath.Set{}
			err := set.FromJSON(bytes.NewReader(text))
			if err == nil {
				text, err = set.ToJSON()
			}
			if err != nil {
				return "", fmt.Errorf("managed fields of %s: %w", o.GetName(), err)
			}
		}
		return applied(o.GetAnnotations()[v1alpha1.AnnotationApplied], shortDigest(text)), nil
	}
	return "", nil
}

// applied joins the digest of a request and that of the fields that are ours.
func applied(request, owned string) string { return shortDigest([]byte(request + " " + owned)) }

// digestOwnership replaces the managed fields of an object on its way into a cache by lastApplied. It lies in selfLink, which no API
// server sets any more: a list of managed fields with nothing else in it would be 200 bytes more for each child.
func digestOwnership(o metav1.Object) error {
	last, err := lastApplied(o)
	o.SetManagedFields(nil)
	o.SetSelfLink(last)
	return err
}

// digest of a value as JSON.
func digest(v any) (string, error) {
	data, err := json.Marshal(v)
	return shortDigest(data), err
}

func shortDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
