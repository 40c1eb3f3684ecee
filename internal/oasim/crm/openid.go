package crm

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	flowCookie = "crm_flow"
	// flowLife is how long a person may take to sign in at the issuer.
	flowLife = 10 * time.Minute
	maxFlows = 10_000
)

// flow is a login that the CRM began at the OpenID Provider. Its state is its key here and the value of a cookie, so that
// only the browser that began can finish.
type flow struct{ nonce, verifier string }

// beginOpenID sends the browser to the issuer (third-party initiated login: iss says to which).
func (c *CRM) beginOpenID(w http.ResponseWriter, r *http.Request) {
	login := c.Login()
	if login.OpenID.ID == "" || r.URL.Query().Get("iss") != login.Issuer {
		refuseAudience.write(w, false)
		return
	}
	_, client, refused := c.openID(r.Context(), login)
	if refused != nil {
		refused.write(w, false)
		return
	}
	state, f := rand.Text(), flow{nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	c.flows.Put(state, f, flowLife)
	http.SetCookie(w, &http.Cookie{
		Name: flowCookie, Value: state, Path: "/oidc/", MaxAge: int(flowLife.Seconds()), HttpOnly: true, Secure: c.overTLS(r),
		SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, client.AuthCodeURL(state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)), http.StatusSeeOther)
}

// finishOpenID takes the browser that comes back, and exchanges its code.
func (c *CRM) finishOpenID(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: flowCookie, Path: "/oidc/", MaxAge: -1})
	person, where, refused := c.exchange(r)
	c.letIn(w, r, person, where, refused)
}

func (c *CRM) exchange(r *http.Request) (Person, Destination, *refusal) {
	var nobody Person
	var nowhere Destination
	login, state := c.Login(), r.URL.Query().Get("state")
	cookie, err := r.Cookie(flowCookie)
	if err != nil || cookie.Value != state {
		return nobody, nowhere, refuseFlow
	}
	f, begun := c.flows.Take(state)
	if !begun {
		return nobody, nowhere, refuseFlow
	}
	provider, client, refused := c.openID(r.Context(), login)
	if refused != nil {
		return nobody, nowhere, refused
	}
	tokens, err := client.Exchange(oidc.ClientContext(r.Context(), c.client), r.URL.Query().Get("code"), oauth2.VerifierOption(f.verifier))
	if err != nil {
		return nobody, nowhere, refuseLoginCode
	}
	raw, _ := tokens.Extra("id_token").(string)
	// The library checks issuer, audience, times, and the signature with the published keys.
	token, err := provider.Verifier(&oidc.Config{
		ClientID: client.ClientID, SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256}, Now: c.Now,
	}).Verify(oidc.ClientContext(r.Context(), c.client), raw)
	var got claims
	if err != nil || token.Nonce != f.nonce || token.Claims(&got) != nil {
		return nobody, nowhere, refuseSignature
	}
	if login.EnterpriseID != "" && got.EnterpriseID != login.EnterpriseID {
		return nobody, nowhere, refuseAudience
	}
	return c.admit(token.Subject, got.Target)
}

// openID reads the issuer's document anew each time: people come one by one.
func (c *CRM) openID(ctx context.Context, login Login) (*oidc.Provider, *oauth2.Config, *refusal) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, c.client), login.Issuer)
	if err != nil {
		return nil, nil, refuseKeys
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return provider, &oauth2.Config{
		ClientID: login.OpenID.ID, ClientSecret: login.OpenID.Secret, RedirectURL: login.OpenID.RedirectURL, Endpoint: endpoint,
		Scopes: []string{oidc.ScopeOpenID},
	}, nil
}
