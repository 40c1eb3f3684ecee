package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The ways to put events into a request (CloudEvents HTTP binding).
const (
	Structured = "structured"
	Binary     = "binary"
	Batch      = "batch"
)

// parcel is one request: its body, its headers, and the id that its signature names.
type parcel struct {
	id     string
	body   []byte
	header http.Header
	events []Event
}

// pack puts events into a request. Only Batch takes more than one.
func pack(mode string, events []Event) (parcel, error) {
	p := parcel{header: http.Header{}, events: events}
	var err error
	switch mode {
	case Batch:
		p.header.Set("Content-Type", "application/cloudevents-batch+json")
		p.body, err = json.Marshal(events)
		sum := sha256.Sum256(p.body)
		p.id = "batch-" + hex.EncodeToString(sum[:12])
	case Binary:
		e := events[0]
		p.id = e.ID
		p.header.Set("Content-Type", "application/json")
		for name, value := range map[string]string{
			"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type, "datacenterid": e.DataCenterID,
		} {
			if value != "" {
				p.header.Set("ce-"+name, headerValue(value))
			}
		}
		if !e.Time.IsZero() {
			p.header.Set("ce-time", e.Time.Format(time.RFC3339Nano))
		}
		p.body, err = json.Marshal(e.Data)
	case Structured:
		p.id = events[0].ID
		p.header.Set("Content-Type", "application/cloudevents+json")
		p.body, err = json.Marshal(events[0])
	default:
		err = fmt.Errorf("mode %q is not one of structured, binary, batch", mode)
	}
	return p, err
}

// headerValue percent-encodes what the CloudEvents HTTP binding does not let into a header.
func headerValue(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// signingKey decodes a Standard Webhooks secret: whsec_ and base64.
func signingKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("the signing key is not whsec_ followed by base64")
	}
	return key, nil
}

// sign sets the three headers of Standard Webhooks: HMAC-SHA-256 over id.timestamp.body.
func (p parcel) sign(h http.Header, key []byte, at time.Time) {
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(p.id + "." + stamp + "."))
	mac.Write(p.body)
	h.Set("webhook-id", p.id)
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
