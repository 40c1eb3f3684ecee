package crm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The CRM of these tests: its clock, its keys, and an event as its contract shows it.
var now = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

const (
	currentKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
	nextKey    = "whsec_bmV4dC1uZXh0LW5leHQtbmV4dC1uZXh0LW5leHQ="
	foreignKey = "whsec_Zm9yZWlnbi1mb3JlaWduLWZvcmVpZ24tZm9yZWlnbg=="
	token      = "0123456789abcdef-current"
	nextToken  = "0123456789abcdef-next"
)

const itemJSON = `{"id":"T-0001","version":3,"heading":"报价单审批","subject":"提交","detail":"QT-2026-0001 华东区 <加急> 🚀",` +
	`"createdAt":"2026-11-22T09:30:00+08:00","enterpriseID":"714439","object":{"apiName":"QuoteObj","id":"5f3c2ab1"},` +
	`"sender":{"account":"1000","name":"张三"},"receivers":[{"account":"1002","name":"李四"}]}`

// structured returns an event; with changes it is a different one ("" removes an attribute).
func structured(changes ...string) string {
	members := map[string]any{
		"specversion": "1.0", "id": "e-1", "source": "/crm/714439", "type": "dev.oabridge.todo.created",
		"time": "2026-11-22T01:30:00Z", "datacenterid": "dc-1",
		"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"data":        json.RawMessage(itemJSON),
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(members, changes[i])
			continue
		}
		members[changes[i]] = json.RawMessage(changes[i+1])
	}
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// withItem returns an event whose item has one member replaced.
func withItem(old, replacement string) string {
	if !strings.Contains(itemJSON, old) {
		panic("the item has no " + old)
	}
	return structured("data", strings.Replace(itemJSON, old, replacement, 1))
}

func contentType(v string) http.Header { return http.Header{"Content-Type": {v}} }

func binaryHeader() http.Header {
	h := contentType("application/json")
	h.Set("ce-specversion", "1.0")
	h.Set("ce-id", "e-1")
	h.Set("ce-source", "/crm/714439")
	h.Set("ce-type", "dev.oabridge.todo.completed")
	h.Set("ce-time", "2026-11-22T01:30:00Z")
	h.Set("ce-datacenterid", "dc-1")
	return h
}

// sign adds a Standard Webhooks signature to the header.
func sign(t testing.TB, h http.Header, key, id string, at time.Time, body string) http.Header {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := w.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", signature)
	return h
}

func newAuthenticator(t testing.TB, keys Keys) *Authenticator {
	t.Helper()
	a, err := NewAuthenticator(keys, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func batchOf(n int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(structured("id", fmt.Sprintf("%q", "e-"+strconv.Itoa(i))))
	}
	b.WriteByte(']')
	return b.String()
}
