package exchange

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Auth is how calls prove to an OA who makes them. The zero Auth proves nothing: the OA trusts the network, or headers of
// the connector.
type Auth struct {
	// Credentials returns the OA account as it is now, or the one that is to follow it. It is asked before every call; which of
	// them a call shows is up to the rotation. nil means that there is no account.
	Credentials tokens.Source
	// Login asks the OA for a token; nil when the account itself is the proof.
	Login func(ctx context.Context, p *Pusher, a tokens.Account) (tokens.Token, *oa.Attempt)
	// Idle is how long a token lives without a call; 0 when only its own life ends it.
	Idle time.Duration
	// Place puts the proof into a message. token is empty without Login.
	Place Proof
}

// Proof puts a token, or the account itself, into a message. An error says why it does not fit, without a value.
type Proof func(m *Message, a tokens.Account, token string) error

// Bearer is the header Authorization: Bearer TOKEN (Feishu, generic OAuth).
func Bearer() Proof { return InHeader("Authorization", "Bearer ") }

// InHeader is a header with the token behind a prefix: token (Seeyon), x-wlk-Authorization (WeLink),
// x-acs-dingtalk-access-token (DingTalk v1.0).
func InHeader(name, prefix string) Proof {
	return func(m *Message, _ tokens.Account, token string) error {
		m.Header.Set(name, prefix+token)
		return nil
	}
}

// InQuery is a query parameter with the token, behind those that are there (F37): token (Seeyon), accessToken (Yunzhijia),
// access_token (WeCom, DingTalk's old interface).
func InQuery(name string) Proof {
	return func(m *Message, _ tokens.Account, token string) error {
		u := *m.URL
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += name + "=" + url.QueryEscape(token)
		m.URL = &u
		return nil
	}
}

// Basic is HTTP Basic authentication with the account.
func Basic() Proof {
	return func(m *Message, a tokens.Account, _ string) error {
		if strings.Contains(a.Name, ":") {
			return errors.New("the username holds a colon, which HTTP Basic cannot carry: ask the OA administrator for another account")
		}
		m.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.Name+":"+a.Secret)))
		return nil
	}
}

// BasicSecret is the form in which Basic shows an account; it is as secret as the password.
func BasicSecret(a tokens.Account) string {
	return base64.StdEncoding.EncodeToString([]byte(a.Name + ":" + a.Secret))
}

// SOAPHeader is an element in the header of the SOAP envelope: element in namespace, with the children user and password
// (Landray: RequestSOAPHeader in http://sys.webservice.client [LR-SOAP]).
func SOAPHeader(namespace, element string) Proof {
	return func(m *Message, a tokens.Account, _ string) error {
		var block bytes.Buffer
		block.WriteString("<" + element + ` xmlns="` + namespace + `"><user>`)
		_ = xml.EscapeText(&block, []byte(a.Name)) // a Buffer takes everything
		block.WriteString("</user><password>")
		_ = xml.EscapeText(&block, []byte(a.Secret))
		block.WriteString("</password></" + element + ">")
		body, err := intoHeader(m.Body, block.Bytes())
		if err != nil {
			return err
		}
		m.Body = body
		return nil
	}
}

var errNoEnvelope = errors.New("the body is no SOAP envelope, so the OA account has no place in it: correct the body in the template, or choose another authentication")

// intoHeader puts a block into the Header of an envelope, and makes a Header when there is none.
func intoHeader(envelope, block []byte) ([]byte, error) {
	d := xml.NewDecoder(bytes.NewReader(envelope))
	depth, prefix := 0, ""
	for {
		before := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) || err != nil {
			return nil, errNoEnvelope
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch {
			case depth == 1 && t.Name.Local != "Envelope":
				return nil, errNoEnvelope
			case depth == 1:
				prefix = t.Name.Space
			case depth == 2 && t.Name.Local == "Header":
				after := d.InputOffset()
				if envelope[after-2] == '/' { // <Header/>
					return splice(envelope, after-2, after, "", block, ">", "</"+qualified(prefix, "Header")+">"), nil
				}
				return splice(envelope, after, after, "", block, "", ""), nil
			case depth == 2:
				header := qualified(prefix, "Header")
				return splice(envelope, before, before, "<"+header+">", block, "", "</"+header+">"), nil
			}
		case xml.EndElement:
			depth--
		}
	}
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// splice replaces document[from:to] by open, block and end; first stands before the block.
func splice(document []byte, from, to int64, open string, block []byte, first, end string) []byte {
	out := make([]byte, 0, len(document)+len(open)+len(block)+len(first)+len(end))
	out = append(out, document[:from]...)
	out = append(out, open...)
	out = append(out, first...)
	out = append(out, block...)
	out = append(out, end...)
	return append(out, document[to:]...)
}

// defaultHeader is what is left to say in every call.
func (p *Pusher) defaultHeader(h http.Header) {
	for _, d := range [...][2]string{
		{"Content-Type", "application/json;charset=UTF-8"},
		{"Accept", p.c.Vendor.accept()},
		{"User-Agent", p.c.UserAgent},
	} {
		if h.Get(d[0]) == "" {
			h.Set(d[0], d[1])
		}
	}
}
