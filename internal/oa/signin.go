package oa

import (
	"context"
	"net/url"
	"time"
)

// Identity is a person as an OA names them.
type Identity struct {
	// Account is the OA account that the bindings map: the OA's own unchangeable id of the person (a login name where the
	// OA has nothing else), never an e-mail address or a phone number, which can come to belong to somebody else.
	Account string
}

// Proof is what says who clicked: a ticket, a code, or signed parameters. It is a secret until it is used up.
type Proof struct {
	// Key is the same for every spelling of one proof; it is what must not be used twice. It never leaves the gateway.
	Key string
	// Life is how long the proof could be accepted once more if nobody remembered it; 0 means the gateway's own bound.
	Life time.Duration
	// Claimed is the account that the proof names, not verified yet; empty when only the OA can tell.
	Claimed string
	// Values are what the verifier needs to know of the proof.
	Values map[string]string
	// Skew is how far the proof's time is from ours (positive: the OA's clock is ahead); 0 when it has none.
	Skew time.Duration
}

// Link is the address of a click, as far as a proof may depend on it.
type Link struct {
	// Host is the gateway's own public name.
	Host string
	// Path as it came over the wire; it holds the record and the enterprise.
	Path string
	// Query as it was parsed, with every value of a parameter that is there twice.
	Query url.Values
	// Home is true for the link of the app itself, false for that of an item.
	Home bool
}

// LinkVerifier is a sign-in mode in which the OA writes the proof into the link.
type LinkVerifier interface {
	// Read finds the proof in a link. It asks nobody, so it may be called again for the same click.
	Read(l Link) (Proof, error)
	// Verify says whose proof this is. It is called at most once for a proof.
	Verify(ctx context.Context, p Proof) (Identity, error)
}

// Handshaker is a LinkVerifier of an OA whose server announces each proof before the browser comes with it (Seeyon's
// portal authentication). Such a proof is verified when it is announced.
type Handshaker interface {
	LinkVerifier
	// Answer is the body with which the OA's server is told whether the proof was accepted.
	Answer(accepted bool) string
}

// RedirectVerifier is a sign-in mode in which the browser is sent to a provider and comes back with a proof.
type RedirectVerifier interface {
	// Begin returns where the browser goes. State, Nonce and Challenge are in it where the provider's protocol has a place
	// for them.
	Begin(ctx context.Context, f Flow) (Step, error)
	// Read finds the proof in the query with which the browser came back. The state is checked already.
	Read(query url.Values, f Flow) (Proof, error)
	// Verify says whose proof this is. It is called at most once for a proof.
	Verify(ctx context.Context, p Proof, f Flow) (Identity, error)
}

// Flow is one sign-in between Begin and the return of the browser. All of it but RedirectURI and InApp is random.
type Flow struct {
	// RedirectURI is the gateway's own address for the return, without query.
	RedirectURI string
	// State ties the return to the browser that began.
	State string
	// Nonce ties an ID token to this flow.
	Nonce string
	// CodeVerifier is the secret of PKCE; Challenge its SHA-256, base64url.
	CodeVerifier, Challenge string
	// InApp is true inside of the OA's own app, where nobody has to scan anything.
	InApp bool
}

// Step is how a flow begins: either the browser is redirected to URL, or it gets a page that asks the OA's app for a code.
type Step struct {
	URL    string
	Script *Script
}

// Script is a page inside of an OA's app that asks the app for a code and goes to the RedirectURI with code and state.
type Script struct {
	// Library is the address of the vendor's script.
	Library string
	// Call is JavaScript that calls done(code) or failed(). It sees the variable clientId and no other value.
	Call string
	// ClientID of the app.
	ClientID string
}

// Provider is one way to sign in by redirect: the OA itself, or one of several companies in it (F189).
type Provider struct {
	// Name is part of the address of the return; it is plain and unique.
	Name string
	// Title is shown to people who choose.
	Title string
	// AccountPrefix tells accounts of this company from equal ones of another; it precedes Identity.Account.
	AccountPrefix string
	Verifier      RedirectVerifier
}

// SignIn is the sign-in mode of a connector: either Link is set, or Providers are.
type SignIn struct {
	Link      LinkVerifier
	Providers []Provider
	// Rotators are the credentials that the mode shows to the OA.
	Rotators []Rotator
}

// Verdict is what a refused proof means for the person who clicked.
type Verdict string

// The verdicts.
const (
	// Unasked: nobody answered the question. The proof is not used up.
	Unasked Verdict = ""
	// Rejected: the proof is not accepted, and never will be.
	Rejected Verdict = "Rejected"
	// Missing: there is no proof.
	Missing Verdict = "Missing"
	// Ambiguous: two readers could find two different proofs.
	Ambiguous Verdict = "Ambiguous"
	// Skewed: the proof's time is too far from ours.
	Skewed Verdict = "Skewed"
	// Declined: the person, or the provider, ended the sign-in.
	Declined Verdict = "Declined"
	// SetUp: the OA refuses this gateway or this app, whoever clicks (IP, domain, app secret). The proof is not used up.
	SetUp Verdict = "SetUp"
)

// VerifyError says why a proof was not accepted.
type VerifyError struct {
	Verdict Verdict
	// Reason is a CamelCase condition reason.
	Reason string
	// Message holds no part of the proof.
	Message string
	// Skew is set for Skewed, and like Proof.Skew.
	Skew time.Duration
}

func (e *VerifyError) Error() string { return e.Reason + ": " + e.Message }

// One returns the only value of a parameter: Missing when there is none, Ambiguous when there are two, even equal ones.
func One(query url.Values, name string) (string, error) {
	switch values := query[name]; {
	case len(values) > 1:
		return "", &VerifyError{Verdict: Ambiguous, Reason: "Ambiguous", Message: "the parameter " + name + " is there more than once"}
	case len(values) == 0 || values[0] == "":
		return "", &VerifyError{Verdict: Missing, Reason: "NoProof", Message: "there is no parameter " + name}
	default:
		return values[0], nil
	}
}
