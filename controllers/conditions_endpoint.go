package controllers

import (
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// endpointSecure warns of an OA that is called without TLS (F17). That is allowed, and counts for nothing else.
func endpointSecure(c *v1alpha1.OAConnector) metav1.Condition {
	if warning := bundle.PlainHTTP(c); warning != "" {
		return condition(v1alpha1.ConditionEndpointSecure, metav1.ConditionFalse, v1alpha1.ReasonPlainHTTP, warning)
	}
	address := bundle.EndpointURL(&c.Spec)
	if u, err := url.Parse(address); err == nil {
		address = u.Host
	}
	return condition(v1alpha1.ConditionEndpointSecure, metav1.ConditionTrue, v1alpha1.ReasonEncrypted, "calls to "+address+" are encrypted")
}
