// Package audit is the record of a sign-in: what a gateway tells the dispatcher of its connector, and what the dispatcher
// answers to people. A record names who came, when, how and what became of it. It never holds a proof, token or state.
package audit

import (
	"regexp"
	"time"
)

// Path takes a JSON list of SignIn by POST, on the dispatcher's port for its gateway. 204 means that all of them are kept;
// one that comes again is kept once.
const Path = "sign-ins"

const (
	// MaxBatch bounds the sign-ins of one request.
	MaxBatch = 50
	// MaxBody bounds the request, in bytes.
	MaxBody = 1 << 20
	// MaxText bounds each text of a record, in bytes.
	MaxText = 256
)

// SignIn is one finished sign-in: somebody was let in, or was refused.
type SignIn struct {
	// ID is 32 random hex digits.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Mode is spec.sso.mode, Provider the company where there are several.
	Mode     string `json:"mode"`
	Provider string `json:"provider,omitempty"`
	// Code is OK or that of the error page, Reason and Detail say why.
	Code   string `json:"code"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	// OAAccount and CRMAccount as far as they became known.
	OAAccount  string `json:"oaAccount,omitempty"`
	CRMAccount string `json:"crmAccount,omitempty"`
	// Trace is the W3C trace id; a person sees the end of it.
	Trace string `json:"trace"`
	// TraceParent is the W3C traceparent of the click's span, if it has one. It is not kept.
	TraceParent string `json:"traceParent,omitempty"`
	// IP as far as proxies are trusted to say it; UserAgent is what the browser says of itself.
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	// Page (home, record …), APIName, DataID and Client (PC, H5) are where the link leads to.
	Page    string `json:"page,omitempty"`
	APIName string `json:"apiName,omitempty"`
	DataID  string `json:"dataID,omitempty"`
	Client  string `json:"client,omitempty"`
}

var ids = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Texts of a record but its id, to be bounded, stored and read in this order.
func (s *SignIn) Texts() []*string {
	return []*string{&s.Mode, &s.Provider, &s.Code, &s.Reason, &s.Detail, &s.OAAccount, &s.CRMAccount, &s.Trace, &s.IP, &s.UserAgent,
		&s.Page, &s.APIName, &s.DataID, &s.Client}
}

// Valid reports whether a record can be kept.
func (s *SignIn) Valid() bool {
	for _, text := range s.Texts() {
		if len(*text) > MaxText {
			return false
		}
	}
	return ids.MatchString(s.ID) && s.At.Unix() > 0 && s.Code != ""
}
