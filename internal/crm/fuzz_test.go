package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Whatever arrives, Parse returns events or a problem that says something, and every event it takes is whole.
func FuzzParse(f *testing.F) {
	for _, body := range []string{structured(), "[" + structured() + "]", itemJSON, batchOf(3), `{"data_base64":"e30="}`, "", "[", "null", "\xff"} {
		for _, mode := range []string{typeStructured, typeBatch, typeBinary} {
			f.Add(mode, "e-1", body)
		}
	}
	f.Fuzz(func(t *testing.T, mode, id, body string) {
		h := http.Header{"Content-Type": {mode}, "Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {"/crm"},
			"Ce-Type": {"dev.oabridge.todo.created"}}
		events, problem := Parse(h, []byte(body), DefaultLimits())
		if problem != nil {
			if events != nil || problem.Detail == "" || problem.Status < 400 {
				t.Fatalf("got %v, %v", events, problem)
			}
			for _, e := range problem.Errors {
				if e.Field == "" || e.Cause == "" || e.NextStep == "" {
					t.Fatalf("an error says too little: %+v", e)
				}
			}
			return
		}
		for _, e := range events {
			if e.ID == "" || e.Source == "" || e.Kind == "" || e.Action == "" || len(e.Item.Validate()) > 0 {
				t.Fatalf("an event is not whole: %+v", e)
			}
		}
	})
}

// Whatever stands in the headers and the body, a request passes for signed only when a signature over exactly these bytes is
// among them. The check is made a second time here, without the library.
func FuzzCheckSignature(f *testing.F) {
	body := structured()
	valid := sign(f, contentType(typeStructured), currentKey, "e-1", now, body)
	stamp, signature := valid.Get("webhook-timestamp"), valid.Get("webhook-signature")
	for _, s := range []string{signature, "v1,AAAA " + signature, "v1a," + signature, signature[:len(signature)-1], "v1,", "", " ", "v1", ","} {
		f.Add("e-1", stamp, s, body)
	}
	f.Add("e-1", "-1", signature, body)
	f.Add("e-1.", stamp, signature, body)
	f.Add("e-1", "99999999999999999999", signature, body)
	f.Add("e-1", " "+stamp, signature, body+" ")
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(currentKey, signingPrefix))
	if err != nil {
		f.Fatal(err)
	}
	a := newAuthenticator(f, Keys{Signing: []string{currentKey}})
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string) {
		h := http.Header{"Content-Type": {typeStructured}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		problem := a.Check(h, []byte(body))
		if problem != nil {
			if problem.Status != http.StatusUnauthorized || problem.Detail == "" {
				t.Fatalf("%+v", problem)
			}
			return
		}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || seconds < now.Add(-SignatureTolerance).Unix() || seconds > now.Add(SignatureTolerance).Unix() {
			t.Fatalf("the time %q was accepted", stamp)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + strconv.FormatInt(seconds, 10) + "." + body))
		if right := base64.StdEncoding.EncodeToString(mac.Sum(nil)); !strings.Contains(signature, right) {
			t.Fatalf("%q was accepted as the signature of id %q, time %q, body %q", signature, id, stamp, body)
		}
	})
}

// Whatever a Secret holds, it becomes keys or an error that names the key of the Secret and not its value.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{currentKey, "whsec_", "whsec_AAAA", "whsec_%", "", " ", token, "short", "a token with spaces in it", "\xff\xfe"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, signing, bearer string) {
		_, err := NewAuthenticator(Keys{Signing: []string{signing}, Tokens: []string{bearer}}, func() time.Time { return now })
		if err == nil {
			return
		}
		k, ok := errors.AsType[*KeyError](err)
		if !ok || k.Key == "" || k.Cause == "" || k.NextStep == "" {
			t.Fatalf("%v", err)
		}
		for _, secret := range []string{signing, bearer} {
			if len(secret) >= MinTokenLength && strings.Contains(err.Error(), secret) && !strings.Contains(wordsOfKeyErrors, secret) {
				t.Fatalf("the error holds the secret: %v", err)
			}
		}
	})
}

// wordsOfKeyErrors may stand in an error, even when somebody has them as a secret.
const wordsOfKeyErrors = "signing-key token put one of them into the Secret that spec.source refers to"

func BenchmarkAccept(b *testing.B) {
	a := newAuthenticator(b, Keys{Signing: []string{currentKey}})
	for name, in := range map[string]struct{ mode, id, body string }{
		"structured": {typeStructured, "e-1", structured()},
		"batch100":   {typeBatch, "b-1", batchOf(100)},
	} {
		b.Run(name, func(b *testing.B) {
			h := sign(b, contentType(in.mode), currentKey, in.id, now, in.body)
			body, limits := []byte(in.body), DefaultLimits()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, problem := a.Accept(h, body, limits); problem != nil {
					b.Fatal(problem)
				}
			}
		})
	}
}
