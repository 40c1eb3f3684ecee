package record_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// What was written down is read again as it was, with or without the bodies.
func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 30, 0, 123456789, time.UTC)
	want := record.Record{
		Seq: 7, Kind: crm.Todo, Source: "/crm/714439", EventID: "e-1", ItemID: "T-<1>&", Version: 3, EventTime: at, Action: scenario.Update,
		Receiver: "1000", ReceiverOA: "zhangwei", Attempt: 2, Outcome: record.Retrying, Reason: "Timeout", Class: "Timeout", Message: "no answer\u2028",
		Template: "seeyon-todo", Revision: "r", Method: "POST", URL: "http://oa/x?a=1&b=2", Request: `{"title":"报价单 \"1\""}`, Answer: "<html>\x00",
		Status: 502, LatencyMS: 1.5, AcceptedAt: at, At: at.Add(time.Second), ReadBacks: 1, RetryAt: at.Add(time.Minute), TargetDown: true,
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Sent: 9, Captured: map[string]string{"id": "5", "old": ""}, Replay: "x", ReplayOf: 4,
	}
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := record.Decode(data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	want.Request, want.Answer = "", ""
	if got, err = record.DecodeHead(data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("head: got  %+v, %v\nwant %+v", got, err, want)
	}
	for _, broken := range []string{"", "[]", `{"seq":"x"}`, string(data[:len(data)/2])} {
		if _, err := record.Decode([]byte(broken)); err == nil {
			t.Errorf("%q is a record", broken)
		}
		if _, err := record.DecodeHead([]byte(broken)); err == nil {
			t.Errorf("%q is the head of a record", broken)
		}
	}
}
