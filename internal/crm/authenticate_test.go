package crm

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAccept(t *testing.T) { // TM-01
	body := structured()
	signed := func(key, id string, at time.Time) http.Header {
		return sign(t, contentType(typeStructured), key, id, at, body)
	}
	bearer := func(value string) http.Header { return with(contentType(typeStructured), "Authorization", value) }
	both := Keys{Signing: []string{currentKey, nextKey}, Tokens: []string{token, nextToken}}
	tests := map[string]struct {
		keys   Keys // default both
		header http.Header
		body   string // default: the signed one
		why    string // part of the detail; empty: accepted
	}{
		"signed":                         {header: signed(currentKey, "e-1", now)},
		"signed with the next key":       {header: signed(nextKey, "e-1", now)}, // F49
		"signed 5 minutes ago":           {header: signed(currentKey, "e-1", now.Add(-SignatureTolerance))},
		"signed 5 minutes ahead":         {header: signed(currentKey, "e-1", now.Add(SignatureTolerance))},
		"one of several signatures fits": {header: with(signed(currentKey, "e-1", now), "webhook-signature", "v1,AAAA v2,x "+signed(currentKey, "e-1", now).Get("webhook-signature"))},
		"token":                          {header: bearer("Bearer " + token)},
		"next token":                     {header: bearer("bearer  " + nextToken)},
		"signature and a wrong token":    {header: with(signed(currentKey, "e-1", now), "Authorization", "Bearer wrong")},
		"signature of somebody, but only tokens are agreed": {keys: Keys{Tokens: []string{token}},
			header: with(signed(foreignKey, "e-1", now), "Authorization", "Bearer "+token)},

		"nothing":                          {header: contentType(typeStructured), why: "no proof"},
		"nothing where keys are agreed":    {keys: Keys{Signing: []string{currentKey}}, header: contentType(typeStructured), why: "not signed"},
		"nothing where a token is agreed":  {keys: Keys{Tokens: []string{token}}, header: contentType(typeStructured), why: "no token"},
		"a token where only keys count":    {keys: Keys{Signing: []string{currentKey}}, header: bearer("Bearer " + token), why: "not signed"},
		"signed with another key":          {header: signed(foreignKey, "e-1", now), why: "no signature"},
		"wrong signature and right token":  {header: with(signed(foreignKey, "e-1", now), "Authorization", "Bearer "+token), why: "no signature"},
		"body changed":                     {header: signed(currentKey, "e-1", now), body: body + " ", why: "no signature"},
		"replayed later":                   {header: signed(currentKey, "e-1", now.Add(-SignatureTolerance-time.Second)), why: "in the past"},
		"signed for later":                 {header: signed(currentKey, "e-1", now.Add(SignatureTolerance+time.Second)), why: "in the future"},
		"stale, timestamp refreshed":       {header: with(signed(currentKey, "e-1", now.Add(-time.Hour)), "webhook-timestamp", strconv.FormatInt(now.Unix(), 10)), why: "no signature"},
		"timestamp beyond all time":        {header: with(signed(currentKey, "e-1", now), "webhook-timestamp", "9223372036854775807"), why: "in the future"},
		"timestamp before all time":        {header: with(signed(currentKey, "e-1", now), "webhook-timestamp", "-9223372036854775808"), why: "in the past"},
		"timestamp in words":               {header: with(signed(currentKey, "e-1", now), "webhook-timestamp", "now"), why: "whole number"},
		"no timestamp":                     {header: without(signed(currentKey, "e-1", now), "Webhook-Timestamp"), why: "webhook-timestamp"},
		"no webhook-id":                    {header: without(signed(currentKey, "e-1", now), "Webhook-Id"), why: "webhook-id"},
		"two webhook-ids":                  {header: twice(signed(currentKey, "e-1", now), "Webhook-Id", "e-2"), why: "exactly once"},
		"signature for another event":      {header: signed(currentKey, "e-2", now), why: "not the id of the event"},
		"signature without a version":      {header: with(signed(currentKey, "e-1", now), "webhook-signature", "AAAA"), why: "no signature"},
		"short token":                      {header: bearer("Bearer x"), why: "bearer token"},
		"empty token":                      {header: bearer("Bearer "), why: "bearer token"},
		"basic":                            {header: bearer("Basic " + token), why: "bearer token"},
		"token that begins like ours":      {header: bearer("Bearer " + token + "x"), why: "bearer token"},
		"token that is the start of ours":  {header: bearer("Bearer " + token[:len(token)-1]), why: "bearer token"},
		"malformed and not authenticated":  {header: contentType("text/plain"), body: "x", why: "no proof"},
		"a wrong signature tells no field": {header: signed(foreignKey, "e-1", now), body: "{", why: "no signature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.keys.Signing == nil && test.keys.Tokens == nil {
				test.keys = both
			}
			events, problem := newAuthenticator(t, test.keys).Accept(test.header, []byte(orElse(test.body, body)), DefaultLimits())
			if test.why == "" {
				if problem != nil || len(events) != 1 {
					t.Fatal(problem)
				}
				return
			}
			if problem == nil || events != nil {
				t.Fatal("accepted")
			}
			if problem.Status != http.StatusUnauthorized || !strings.Contains(problem.Detail, test.why) || problem.Errors != nil {
				t.Errorf("got %v, want 401 because %q", problem, test.why)
			}
			for _, secret := range []string{token, nextToken, currentKey, nextKey} {
				if strings.Contains(problem.String(), secret) {
					t.Errorf("the problem holds a secret: %v", problem)
				}
			}
		})
	}
}

// In binary mode the signature covers the body alone, so the id in the header must be the signed one.
func TestAcceptBinary(t *testing.T) {
	a := newAuthenticator(t, Keys{Signing: []string{currentKey}})
	h := sign(t, binaryHeader(), currentKey, "e-1", now, itemJSON)
	h.Set("ce-source", "/elsewhere")
	events, problem := a.Accept(h, []byte(itemJSON), DefaultLimits())
	if problem != nil {
		t.Fatal(problem)
	}
	// A repeat is known by source and id: a source that nobody signed must not make a replay look new.
	if events[0].Source != "" {
		t.Errorf("the unsigned source %q is believed", events[0].Source)
	}
	h.Set("ce-id", "e-2")
	if _, problem := a.Accept(h, []byte(itemJSON), DefaultLimits()); problem == nil || problem.Status != http.StatusUnauthorized {
		t.Errorf("got %v", problem)
	}
}

// A batch is signed as a whole under an id of its own.
func TestAcceptBatch(t *testing.T) {
	a := newAuthenticator(t, Keys{Signing: []string{currentKey}})
	for _, body := range []string{batchOf(3), "[]"} {
		h := sign(t, contentType(typeBatch), currentKey, "batch-1", now, body)
		if _, problem := a.Accept(h, []byte(body), DefaultLimits()); problem != nil {
			t.Error(problem)
		}
	}
}

// Whatever bit of a signed request is flipped, it is refused.
func TestEveryFlippedBitIsRefused(t *testing.T) { // TM-01
	a := newAuthenticator(t, Keys{Signing: []string{currentKey}})
	rapid.Check(t, func(r *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(r, "body")
		id := rapid.StringMatching(`[a-zA-Z0-9-]{1,40}`).Draw(r, "id")
		at := now.Add(time.Duration(rapid.Int64Range(-300, 300).Draw(r, "age")) * time.Second)
		h := sign(t, http.Header{}, currentKey, id, at, string(body))
		if problem := a.Check(h, body); problem != nil {
			r.Fatalf("the untouched request is refused: %v", problem)
		}
		flip := func(s string, from int) string {
			b := []byte(s)
			b[rapid.IntRange(from, len(b)-1).Draw(r, "byte")] ^= 1 << rapid.IntRange(0, 6).Draw(r, "bit")
			return string(b)
		}
		switch part := rapid.SampledFrom([]string{"webhook-id", "webhook-timestamp", "webhook-signature", "body"}).Draw(r, "part"); part {
		case "body":
			body = []byte(flip(string(body), 0))
		default:
			h.Set(part, flip(h.Get(part), 0))
		}
		if problem := a.Check(h, body); problem == nil {
			r.Fatal("the touched request is accepted")
		}
	})
}

// A key that cannot be used is named, its value is not.
func TestNewAuthenticatorNamesTheKey(t *testing.T) {
	for name, test := range map[string]struct {
		keys Keys
		key  string
	}{
		"no prefix":    {Keys{Signing: []string{strings.TrimPrefix(currentKey, "whsec_")}}, "signing-key"},
		"not base64":   {Keys{Signing: []string{"whsec_!secret!"}}, "signing-key"},
		"short":        {Keys{Signing: []string{"whsec_c2VjcmV0"}}, "signing-key"},
		"next broken":  {Keys{Signing: []string{currentKey, "whsec_c2VjcmV0"}}, "signing-key.next"},
		"short token":  {Keys{Tokens: []string{"secret"}}, "token"},
		"spaced token": {Keys{Tokens: []string{token, "secret secret secret"}}, "token.next"},
		"nothing":      {Keys{Signing: []string{"", " "}}, "signing-key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewAuthenticator(test.keys, time.Now)
			k, ok := errors.AsType[*KeyError](err)
			if !ok || k.Key != test.key || k.NextStep == "" {
				t.Fatalf("got %v, want a KeyError about %s", err, test.key)
			}
			for _, v := range append(test.keys.Signing, test.keys.Tokens...) {
				if v = strings.TrimPrefix(strings.TrimSpace(v), "whsec_"); v != "" && strings.Contains(err.Error(), v) {
					t.Errorf("the error holds the value: %v", err)
				}
			}
		})
	}
}

func twice(h http.Header, name, value string) http.Header {
	h.Add(name, value)
	return h
}
