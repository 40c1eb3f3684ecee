package dispatch

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// What waits and what died is told to who bears the peer token, whole, and nothing that was delivered.
func TestLeftovers(t *testing.T) {
	w := newWorld(t)
	w.secret(bundle.SlotPeer, "token", "the-peer-token")
	w.bundle(nil)
	w.oa.set(func(c call) oa.Attempt {
		switch c.ID {
		case "T-dead":
			return oa.Attempt{Class: oa.BusinessCode, Message: "no such form"}
		case "T-waits":
			return oa.Attempt{Class: oa.Timeout, Message: "slow"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-done", "created"), todo("e2", "T-dead", "created"), todo("e3", "T-waits", "created"), todo("e4", "T-held", "created", "2000"))
	w.until("all have their state", func(r report.Report) bool {
		d := r.Delivery
		return d.Delivered == 1 && d.Dead == 1 && d.Held == 1 && d.Retrying == 1
	})

	url := w.url("admin", report.PathLeftovers)
	if a := w.do(http.MethodGet, url, nil); a.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %s", a.status, a.body)
	}
	if a := w.do(http.MethodGet, url, nil, "Authorization", "Bearer another-one"); a.status != http.StatusUnauthorized {
		t.Errorf("with another token: %d %s", a.status, a.body)
	}
	var got []string
	err := report.Leftovers(t.Context(), http.DefaultClient, url, "the-peer-token", func(line []byte) error {
		var l report.Leftover
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		var d record.Delivery
		if err := json.Unmarshal(l.Delivery, &d); err != nil {
			return err
		}
		got = append(got, l.State+" "+d.Event.Item.ID+" for "+d.Receiver()+" "+l.Reason)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := []string{"Dead T-dead for 1002 BusinessCode", "Waiting T-held for 2000 ", "Waiting T-waits for 1002 "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
