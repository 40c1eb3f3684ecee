// Package cas signs people in at a CAS server, versions 2 and 3 of the protocol (Apereo CAS protocol specification).
package cas

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

// Config of a Verifier.
type Config struct {
	Channel signin.Channel
	// URL of the server, to which /login and /serviceValidate are added.
	URL string
	// Version is 2 or 3.
	Version string
	// Attribute that holds the account, for version 3; empty for the user.
	Attribute string
}

// Verifier implements oa.RedirectVerifier.
type Verifier struct{ c Config }

// New returns a Verifier.
func New(c Config) *Verifier {
	c.URL = strings.TrimRight(c.URL, "/")
	return &Verifier{c}
}

// service is the address to which the server sends the ticket. CAS has no state of its own, so it is in the address, which
// the server compares when the ticket is validated: a ticket for another sign-in is refused.
func service(f oa.Flow) string { return f.RedirectURI + "?" + url.Values{"state": {f.State}}.Encode() }

// Begin implements oa.RedirectVerifier.
func (v *Verifier) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	address, err := signin.WithQuery(v.c.URL+"/login", url.Values{"service": {service(f)}})
	if err != nil {
		return oa.Step{}, signin.Unexpected("the address is "+err.Error(), v.c.Channel.Field)
	}
	return oa.Step{URL: address}, nil
}

// Read implements oa.RedirectVerifier.
func (v *Verifier) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	p, err := signin.OneProof(query, "ticket")
	if err == nil && !strings.HasPrefix(p.Key, "ST-") {
		err = signin.Rejected("Malformed", "the ticket is no service ticket; the server was not asked")
	}
	if err != nil {
		return oa.Proof{}, err
	}
	return p, nil
}

// Verify implements oa.RedirectVerifier.
func (v *Verifier) Verify(ctx context.Context, p oa.Proof, f oa.Flow) (oa.Identity, error) {
	path := "/serviceValidate"
	if v.c.Version == "3" {
		path = "/p3/serviceValidate"
	}
	address, err := signin.WithQuery(v.c.URL+path, url.Values{"service": {service(f)}, "ticket": {p.Key}})
	if err != nil {
		return oa.Identity{}, signin.Unexpected("the address is "+err.Error(), v.c.Channel.Field)
	}
	a, err := v.c.Channel.Get(ctx, address, nil)
	if err != nil {
		return oa.Identity{}, err
	}
	if a.Status != http.StatusOK {
		return oa.Identity{}, signin.Unexpected("the server answered "+http.StatusText(a.Status), v.c.Channel.Field)
	}
	r, err := parse(a.Body)
	if err != nil {
		return oa.Identity{}, signin.Unexpected("the answer is no CAS answer: "+err.Error(), v.c.Channel.Field)
	}
	return v.judge(r)
}

// namespace of CAS.
const namespace = "http://www.yale.edu/tp/cas"

// response is what may be in an answer. Slices, so that what is there twice is seen.
type response struct {
	XMLName xml.Name
	Success []struct {
		User       []string `xml:"http://www.yale.edu/tp/cas user"`
		Attributes []struct {
			List []attribute `xml:",any"`
		} `xml:"http://www.yale.edu/tp/cas attributes"`
	} `xml:"http://www.yale.edu/tp/cas authenticationSuccess"`
	Failure []struct {
		Code string `xml:"code,attr"`
	} `xml:"http://www.yale.edu/tp/cas authenticationFailure"`
}

type attribute struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// parse reads one document. It knows no entities but those of XML itself, and fetches nothing.
func parse(body []byte) (response, error) {
	var r response
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return r, errors.New("not XML")
		}
		if _, directive := t.(xml.Directive); directive {
			return r, errors.New("it has a document type")
		}
		if start, ok := t.(xml.StartElement); ok {
			if err := d.DecodeElement(&r, &start); err != nil {
				return r, errors.New("not XML")
			}
			break
		}
	}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if data, ok := t.(xml.CharData); err != nil || !ok || len(bytes.TrimSpace(data)) > 0 {
			return r, errors.New("something follows the answer")
		}
	}
	if r.XMLName != (xml.Name{Space: namespace, Local: "serviceResponse"}) || len(r.Success)+len(r.Failure) != 1 {
		return r, errors.New("not exactly one serviceResponse with success or failure")
	}
	return r, nil
}

func (v *Verifier) judge(r response) (oa.Identity, error) {
	if len(r.Failure) == 1 {
		switch r.Failure[0].Code {
		case "INVALID_TICKET", "INVALID_TICKET_SPEC":
			return oa.Identity{}, signin.Rejected("TicketRejected", "the server does not know the ticket: it expired or was used before")
		case "INVALID_SERVICE", "UNAUTHORIZED_SERVICE", "UNAUTHORIZED_SERVICE_PROXY":
			return oa.Identity{}, signin.SetUp("ServiceRejected", "the CAS server does not know this gateway as a service: register https://<spec.sso.host>/sso/callback/cas there")
		}
		return oa.Identity{}, signin.Unasked("UnexpectedAnswer", "the CAS server answered with a failure")
	}
	success := r.Success[0]
	if len(success.User) != 1 {
		return oa.Identity{}, signin.Unexpected("the answer names not exactly one user", v.c.Channel.Field)
	}
	account := success.User[0]
	if v.c.Attribute != "" {
		var found []string
		for _, group := range success.Attributes {
			for _, a := range group.List {
				if a.XMLName.Local == v.c.Attribute {
					found = append(found, a.Value)
				}
			}
		}
		if len(found) != 1 {
			return oa.Identity{}, signin.Unexpected("the answer has not exactly one attribute "+v.c.Attribute, "spec.sso.cas.attribute")
		}
		account = found[0]
	}
	id, good := signin.Account(account)
	if !good {
		return oa.Identity{}, signin.Unexpected("the user in the answer is no account", v.c.Channel.Field)
	}
	return id, nil
}
