package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

// marker stands before the number of an event in the title that the OA gets; so the sink knows which event it is.
const marker = "bench-"

// Widths of the numbers in a body, in digits. They are fixed, so that a body is made once and only its numbers are
// overwritten.
const (
	eventDigits    = 9
	itemDigits     = 8
	receiverDigits = 6
)

// firstReceiver is the CRM account of the first receiver.
const firstReceiver = 100_000

const (
	eventSlot    = "EEEEEEEEE"
	itemSlot     = "IIIIIIII"
	receiverSlot = "RRRRRR"
)

// The types are of one length, filled up with white space, so that one can be written over the other.
const (
	typeTodo     = `"dev.oabridge.todo.updated"    `
	typeReminder = `"dev.oabridge.reminder.created"`
)

// eventText is an event of a usual size, about 560 bytes.
const eventText = `{"specversion":"1.0","id":"b-` + eventSlot + `","source":"/crm/` + process.EnterpriseID + `","type":` + typeTodo + `,` +
	`"datacontenttype":"application/json","data":{"id":"T-` + itemSlot + `","subject":"提交","detail":"报价单 ` + marker + eventSlot +
	` 华东区年度框架","createdAt":"2026-11-22T09:30:00+08:00","enterpriseID":"` + process.EnterpriseID +
	`","object":{"apiName":"QuoteObj","id":"5f3c2ab1d4e5f60718293a4b"},"sender":{"account":"1000","name":"张伟"},` +
	`"receivers":[{"account":"` + receiverSlot + `","name":"李娜"}]}}`

// keys are the to-dos and receivers that events are about.
type keys struct {
	items, receivers int
	// reminders makes every other item a reminder.
	reminders bool
}

// body is a request that is made once and filled in for each sending.
type body struct {
	keys   keys
	data   []byte
	events [][]byte // parts of data
	// header is sent with it; signing is the key of signatures, nil for a bearer token.
	header  http.Header
	signing []byte
}

func newBody(k keys, batch int, signed bool, token string) *body {
	text := eventText
	b := &body{keys: k, header: http.Header{"Content-Type": {"application/cloudevents+json"}}}
	if batch > 1 {
		b.header.Set("Content-Type", "application/cloudevents-batch+json")
		text = "[" + strings.Repeat(text+",", batch-1) + text + "]"
	}
	b.data = []byte(text)
	for i, at := 0, strings.IndexByte(text, '{'); i < batch; i, at = i+1, at+len(eventText)+1 {
		b.events = append(b.events, b.data[at:at+len(eventText)])
	}
	if signed {
		b.signing, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(process.SigningKey, "whsec_"))
	} else {
		b.header.Set("Authorization", "Bearer "+token)
	}
	return b
}

// offsets of the slots in an event; every event has the same.
var (
	atID       = strings.Index(eventText, eventSlot)
	atMarker   = strings.LastIndex(eventText, eventSlot)
	atItem     = strings.Index(eventText, itemSlot)
	atReceiver = strings.Index(eventText, receiverSlot)
	atType     = strings.Index(eventText, typeTodo)
)

// fill writes the numbers of the events from first on.
func (b *body) fill(first int) {
	for i, e := range b.events {
		n := first + i
		// A prime step spreads neighbours over the items; it visits all of them.
		item := int(uint64(n) * 2_654_435_761 % uint64(b.keys.items))
		digits(e[atID:], n, eventDigits)
		digits(e[atMarker:], n, eventDigits)
		digits(e[atItem:], item, itemDigits)
		digits(e[atReceiver:], firstReceiver+item%b.keys.receivers, receiverDigits)
		kind := typeTodo
		if b.keys.reminders && item%2 == 1 {
			kind = typeReminder
		}
		copy(e[atType:], kind)
	}
	if b.signing != nil {
		b.sign(first)
	}
}

// sign makes the headers of Standard Webhooks.
func (b *body) sign(first int) {
	id := "b-" + string(digits(make([]byte, eventDigits), first, eventDigits))
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, b.signing)
	_, _ = mac.Write([]byte(id + "." + stamp + "."))
	_, _ = mac.Write(b.data)
	b.header.Set("webhook-id", id)
	b.header.Set("webhook-timestamp", stamp)
	b.header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// digits writes n with leading zeros.
func digits(to []byte, n, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
	return to[:width]
}

// number reads the number of an event; ok is false when there is none.
func number(text []byte) (n int, ok bool) {
	if len(text) < eventDigits {
		return 0, false
	}
	for _, c := range text[:eventDigits] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
