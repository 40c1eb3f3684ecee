package workload

import (
	"cmp"
	"maps"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// hosts of the gateway, the main one first.
func hosts(sso v1alpha1.SSO) []string {
	return append([]string{sso.Host}, sso.AdditionalHosts...)
}

// PublicAddresses are the hosts with their path prefix, as a person says them.
func PublicAddresses(sso v1alpha1.SSO) []string {
	list := hosts(sso)
	for i := range list {
		list[i] += sso.PathPrefix
	}
	return list
}

// door is a path of the hosts that leads to a Service: the path itself, or all that is below it.
type door struct {
	path    string
	exact   bool
	service string
}

// doors of the hosts, the narrow ones first: the list that Seeyon reads is the dispatcher's, and the files that prove whose
// host this is are at its root, also where the gateway has only a part of the host.
func doors(in Input) []door {
	sso, gateway := in.Connector.Spec.SSO, GatewayName(in.Connector.Name)
	var list []door
	if bundle.Pulled(&in.Connector.Spec) {
		list = append(list, door{bundle.PendingsPath(&in.Connector.Spec), true, DispatcherName(in.Connector.Name)})
	}
	if sso.PathPrefix != "" {
		for _, f := range sso.DomainFiles {
			list = append(list, door{"/" + f.Name, true, gateway})
		}
	}
	return append(list, door{cmp.Or(sso.PathPrefix, "/"), false, gateway})
}

// exposureLabels are the user's and the operator's own, which win.
func exposureLabels(in Input) map[string]string {
	ours := labels(in.Connector, v1alpha1.ComponentGateway)
	all := withoutKeysOf(in.Connector.Spec.SSO.Exposure.Labels, ours)
	if all == nil {
		return ours
	}
	maps.Copy(all, ours)
	return all
}

// issuerAnnotations ask cert-manager for the certificate of an Ingress, in the words of its ingress-shim.
func issuerAnnotations(i v1alpha1.CertificateIssuer) map[string]string {
	const prefix = "cert-manager.io/"
	if i.Name == "" {
		return nil
	}
	kind := cmp.Or(i.Kind, kindIssuer)
	if kind == kindClusterIssuer && i.Group == "" {
		return map[string]string{prefix + "cluster-issuer": i.Name}
	}
	annotations := map[string]string{prefix + "issuer": i.Name}
	if kind != kindIssuer {
		annotations[prefix+"issuer-kind"] = kind
	}
	if i.Group != "" {
		annotations[prefix+"issuer-group"] = i.Group
	}
	return annotations
}

// Kinds of cert-manager's own issuers.
const (
	kindIssuer        = "Issuer"
	kindClusterIssuer = "ClusterIssuer"
)
