package controllers

import (
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// addresses are to be pasted into the consoles of the CRM and the OA.
func (r *round) addresses() v1alpha1.AddressStatus {
	spec := &r.connector.Spec
	a := v1alpha1.AddressStatus{TrustedIPs: strings.Join(spec.Endpoint.EgressIPs, ";")}
	if spec.Source.SigningSecretRef.Name != "" || spec.Source.TokenSecretRef.Name != "" {
		a.Events = workload.EventsURL(r.connector)
	}
	if spec.Source.Callback.SecretRef.Name != "" {
		a.Callback = workload.CallbackURL(r.connector)
	}
	b := r.bundle()
	if b != nil && bundle.Pulled(spec) {
		a.Pendings = workload.PendingsURL(r.connector, b.SSO)
	}
	if b != nil && b.SSO != nil {
		signInAddresses(&a, b, spec.SSO)
	}
	return a
}

// signInAddresses are those of the gateway. The paths are in the hands of its package; they are fixed by the seeds.
func signInAddresses(a *v1alpha1.AddressStatus, b *bundle.Bundle, sso v1alpha1.SSO) {
	const (
		oaPaths = "/erp/syncdata/open/oa/"
		object  = "{apiName}/{dataId}/"
	)
	if b.Type == string(v1alpha1.TypeSeeyon) {
		seeyon := b.SSO.URL + oaPaths + "authorizeWeb/SeeYon/"
		a.Login, a.MobileLogin = seeyon+"login/"+b.EnterpriseID+"/false", seeyon+"login/"+b.EnterpriseID+"/true"
		a.Record = seeyon + object + b.EnterpriseID + "/{isApp}"
		if sso.Mode == v1alpha1.SSOPortalTicket {
			a.Handshake = seeyon + "handshake/" + b.EnterpriseID
		}
	} else {
		a.Login = b.SSO.URL + oaPaths + "authorizePortalWebhook/webhook/" + b.EnterpriseID
		a.Record = b.SSO.URL + oaPaths + "authorizeWeb/webhook/" + object + b.EnterpriseID
	}
	if name := returnName(b); name != "" {
		a.Return, a.Domain = b.SSO.URL+"/sso/callback/"+name, sso.Host
	}
	switch sso.CRMLogin.Type {
	case v1alpha1.LoginSignedURL: // the CRM knows the key and asks nothing
	case v1alpha1.LoginOneTimeCode:
		a.Redeem = b.SSO.URL + "/sso/redeem"
	default:
		a.Issuer, a.JWKS = b.SSO.URL, b.SSO.URL+"/.well-known/jwks.json"
	}
	for _, f := range sso.DomainFiles {
		a.DomainFiles = append(a.DomainFiles, strings.TrimSuffix(b.SSO.URL, sso.PathPrefix)+"/"+f.Name) // at the root of the host
	}
}

// returnName is the last part of the address of return; empty for modes in which the proof is in the link.
func returnName(b *bundle.Bundle) string {
	switch v1alpha1.SSOMode(b.SSO.Mode) {
	case v1alpha1.SSOOIDC, v1alpha1.SSOOAuth2, v1alpha1.SSOCAS:
		return strings.ToLower(b.SSO.Mode)
	case v1alpha1.SSOApp:
		if b.Type != string(v1alpha1.TypeYunzhijia) {
			return strings.ToLower(b.Type)
		}
	}
	return ""
}
