package digest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/dispatch/digest"
)

// A thousand failures of all kinds make one message at the end of the window; none make none. // F66 F67
func TestOneMessageForAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		began := time.Now().Truncate(window)
		for i := range 1000 {
			kind, reason := "Todo", "BusinessCode"
			if i%4 == 0 {
				kind, reason = "Reminder", "Expired"
			}
			s.giveUp(kind, fmt.Sprint("T-", i), fmt.Sprint(1000+i%7), reason)
			pass(100 * time.Millisecond)
		}
		if got := in.take(); len(got) != 0 {
			t.Fatalf("%d messages before the window ended", len(got))
		}
		toEnd()
		got := in.take()
		if len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
		d := got[0]
		if d.GivenUp != 1000 || len(d.Items) != 10 || d.Items[0].ItemID != "T-999" || d.Items[9].ItemID != "T-990" ||
			!d.From.Equal(began) || !d.To.Equal(began.Add(window)) || d.Unbound.People != 0 {
			t.Errorf("%+v", d)
		}
		for i := range d.Groups {
			d.Groups[i].Example = ""
		}
		if diff := cmp.Diff([]digest.Group{{Kind: "Todo", Reason: "BusinessCode", Count: 750}, {Kind: "Reminder", Reason: "Expired", Count: 250}}, d.Groups); diff != "" {
			t.Error(diff)
		}
		// Nothing happens for an hour: nobody hears of it, and the dead man's switch shows that it was looked.
		for range 6 {
			toEnd()
			if alive, ok := r.metric(t, "oabridge_notifications_last_success_timestamp_seconds", "im"); !ok || alive < float64(time.Now().Add(-2*time.Second).Unix()) {
				t.Errorf("last success %v %v at %d", alive, ok, time.Now().Unix())
			}
		}
		if got := in.take(); len(got) != 0 {
			t.Errorf("a message about nothing: %+v", got)
		}
	})
}

// The same item, receiver and reason count once, whatever the OA says each time; another receiver or reason counts.
func TestFailuresCountByTheirKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		for range 5 {
			s.giveUp("Todo", "T-1", "1002", "BusinessCode")
			pass(time.Second)
		}
		s.giveUp("Todo", "T-1", "1003", "BusinessCode")
		s.giveUp("Todo", "T-1", "1002", "Expired")
		s.giveUp("Reminder", "T-1", "1002", "BusinessCode")
		toEnd()
		if got := in.take(); len(got) != 1 || got[0].GivenUp != 4 || len(got[0].Items) != 4 {
			t.Errorf("%+v", got)
		}
	})
}

// A digest that a channel does not take comes again with the same ID, and with what came meanwhile; the others are told once.
func TestAChannelThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, im, ops := newStore(), &inbox{}, &inbox{}
		ops.fail(&digest.Failure{Message: "the webhook answered HTTP 500"})
		r := start(s, map[string]digest.Sink{"im": im, "ops": ops})
		defer r.stop()
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		toEnd()
		pass(5 * time.Minute)
		if ops.tries < 3 || ops.tries > 5 {
			t.Errorf("%d attempts in five minutes", ops.tries)
		}
		if p := r.Report().Problem; p != "channel ops: the webhook answered HTTP 500" {
			t.Errorf("problem %q", p)
		}
		if failed, _ := r.metric(t, "oabridge_notifications_failed_total", "ops"); failed != float64(ops.tries) {
			t.Errorf("%v failures of %d", failed, ops.tries)
		}
		if _, ok := r.metric(t, "oabridge_notifications_last_success_timestamp_seconds", "ops"); ok {
			t.Error("a channel that was never told looks alive")
		}
		s.giveUp("Reminder", "R-1", "1003", "Expired")
		toEnd()
		ops.fail(nil)
		pass(15 * time.Minute)
		told := ops.take()
		if len(told) != 1 || told[0].GivenUp != 2 {
			t.Errorf("ops: %+v", told)
		}
		if got := im.take(); len(got) != 2 || got[0].GivenUp != 1 || got[1].GivenUp != 1 || got[0].Items[0].ItemID != "T-1" || got[1].Items[0].ItemID != "R-1" {
			t.Errorf("im: %+v", got)
		}
		if n := r.Report(); n.Problem != "" || n.LastSent == nil {
			t.Errorf("report %+v", n)
		}
	})
}

// A channel that asks for patience gets it.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		in.fail(&digest.Failure{Message: "limited", RetryAfter: time.Hour})
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		toEnd()
		pass(55 * time.Minute)
		if in.tries != 1 {
			t.Errorf("%d attempts within the hour", in.tries)
		}
		in.fail(nil)
		pass(10 * time.Minute)
		if got := in.take(); len(got) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// What was given up before a restart is told after it, and what was told is not told again; a crash before it is written
// down repeats the digest with the same ID.
func TestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		channels := map[string]digest.Sink{"im": in}
		r := start(s, channels)
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		r.stop()
		pass(window)
		r = start(s, channels)
		pass(time.Second)
		if got := in.take(); len(got) != 1 || got[0].GivenUp != 1 {
			t.Fatalf("after a restart: %+v", got)
		}
		r.stop()
		r = start(s, channels)
		toEnd()
		if got := in.take(); len(got) != 0 {
			t.Fatalf("told again: %+v", got)
		}
		// The store breaks just after the message went out.
		in.then = func() { s.breakDown(errDisk) }
		s.giveUp("Todo", "T-2", "1002", "BusinessCode")
		toEnd()
		r.stop()
		in.then = nil
		s.breakDown(nil)
		r = start(s, channels)
		defer r.stop()
		toEnd()
		got := in.take()
		if len(got) < 2 {
			t.Fatalf("%d messages", len(got))
		}
		if first, again := got[0], got[1]; first.GivenUp != 1 || again.GivenUp != 1 || first.ID != again.ID {
			t.Errorf("%+v and %+v", first, again)
		}
	})
}

// Two replicas that both believe to be the one that tells send one message: the store lets one of them begin.
func TestTwoReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		a, b := start(s, map[string]digest.Sink{"im": in}), start(s, map[string]digest.Sink{"im": in})
		defer a.stop()
		for i := range 20 {
			s.giveUp("Todo", fmt.Sprint("T-", i), "1002", "BusinessCode")
			toEnd()
			pass(10 * time.Second)
			if got := in.take(); len(got) != 1 || got[0].GivenUp != 1 || got[0].Items[0].ItemID != fmt.Sprint("T-", i) {
				t.Fatalf("window %d: %+v", i, got)
			}
		}
		b.stop()
		if _, ok := b.metric(t, "oabridge_notifications_last_success_timestamp_seconds", "im"); ok {
			t.Error("who does not tell any more still says when it did")
		}
	})
}

// People who are not bound are named once, with how much waits for them; who is bound before the window ends is not named.
func TestUnboundPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		s.hold(digest.Person{Account: "2000", Reason: "Unbound", Items: 3}, digest.Person{Account: "2001", Reason: "BindingConflict", Items: 1})
		pass(time.Minute)
		s.hold(digest.Person{Account: "2000", Reason: "Unbound", Items: 4})
		toEnd()
		got := in.take()
		if len(got) != 1 || got[0].GivenUp != 0 {
			t.Fatalf("%+v", got)
		}
		if diff := cmp.Diff(digest.Unbound{People: 1, Items: 4, List: []digest.Person{{Account: "2000", Reason: "Unbound", Items: 4}}}, got[0].Unbound); diff != "" {
			t.Error(diff)
		}
		s.hold(digest.Person{Account: "2000", Reason: "Unbound", Items: 9}, digest.Person{Account: "2002", Reason: "Unbound", Items: 1})
		toEnd()
		if got := in.take(); len(got) != 1 || got[0].Unbound.People != 1 || got[0].Unbound.List[0].Account != "2002" {
			t.Errorf("the next one: %+v", got)
		}
		s.hold()
		pass(25 * time.Hour)
		s.hold(digest.Person{Account: "2000", Reason: "Unbound", Items: 1})
		toEnd()
		if got := in.take(); len(got) != 1 || got[0].Unbound.List[0].Account != "2000" {
			t.Errorf("after a day: %+v", got)
		}
	})
}

// What a replay has taken back before a digest could be sent is not in it, and when nothing is left nothing is sent.
func TestReplaysTakeFailuresBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		in.fail(&digest.Failure{Message: "down"})
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		toEnd()
		s.replayed("T-1")
		in.fail(nil)
		pass(time.Minute)
		if got := in.take(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		if p := r.Report().Problem; p != "" {
			t.Errorf("problem %q", p)
		}
		s.giveUp("Todo", "T-2", "1002", "BusinessCode")
		toEnd()
		if got := in.take(); len(got) != 1 || got[0].GivenUp != 1 || got[0].Items[0].ItemID != "T-2" {
			t.Errorf("%+v", got)
		}
	})
}

// A channel that joins is told of what comes, not of history; so is one that was away.
func TestChannelsJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, im, ops := newStore(), &inbox{}, &inbox{}
		for i := range 50 {
			s.giveUp("Todo", fmt.Sprint("old-", i), "1002", "BusinessCode")
		}
		r := start(s, map[string]digest.Sink{"im": im})
		defer r.stop()
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		toEnd()
		if got := im.take(); len(got) != 1 || got[0].GivenUp != 1 {
			t.Fatalf("%+v", got)
		}
		r.tell(map[string]digest.Sink{"im": im, "ops": ops})
		synctest.Wait()
		s.giveUp("Todo", "T-2", "1002", "BusinessCode")
		toEnd()
		if a, b := im.take(), ops.take(); len(a) != 1 || len(b) != 1 || a[0].GivenUp != 1 || b[0].GivenUp != 1 || a[0].ID == b[0].ID {
			t.Errorf("im %+v, ops %+v", a, b)
		}
		r.tell(nil)
		synctest.Wait()
		if r.Report() != nil {
			t.Errorf("nobody is told, and yet: %+v", r.Report())
		}
		s.giveUp("Todo", "T-3", "1002", "BusinessCode")
		toEnd()
		r.tell(map[string]digest.Sink{"im": im})
		synctest.Wait()
		s.giveUp("Todo", "T-4", "1002", "BusinessCode")
		toEnd()
		if got := im.take(); len(got) != 1 || got[0].GivenUp != 1 || got[0].Items[0].ItemID != "T-4" {
			t.Errorf("%+v", got)
		}
	})
}

// Messages name what a person needs, in both languages, and no more than that.
func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		r := start(s, map[string]digest.Sink{"im": in})
		defer r.stop()
		for i := range 12 {
			s.giveUp("Todo", fmt.Sprint("T-", i), "1002", "BusinessCode")
		}
		s.giveUp("Reminder", "R-1", "1003", "Expired")
		s.hold(digest.Person{Account: "2000", Reason: "Unbound", Items: 4})
		toEnd()
		text := in.take()[0].Text()
		for _, want := range []string{
			"【OA Bridge】连接器 crm/hq：13 条推送失败，不再重试\n时段：2000-01-01 00:00 – 00:10 +00:00\n",
			"· 待办 OA 拒绝 (BusinessCode): 12 — attempt of T-11", "· 提醒 超过时限仍未送达 (Expired): 1",
			"最新：\n· 00:00:00 提醒 R-1 → 1003: 超过时限仍未送达 (Expired)\n· 00:00:00 待办 T-11 → 1002", "  另有 3 条\n",
			"1 人未绑定 OA 账号，4 条待办或提醒等待绑定后发送：2000（4 条，未绑定 (Unbound)）",
			"[OA Bridge] connector crm/hq: 13 given up, not tried again\n", "· to-do refused by the OA (BusinessCode): 12", "  and 3 more\n",
			"See all: kubectl oab dead hq -n crm",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
		if len(text) > 4000 {
			t.Errorf("%d bytes", len(text))
		}
	})
}

// A process that ends while a channel takes the digest lets it finish, and still writes down that it was taken.
func TestEndWhileTelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := newStore(), &inbox{}
		r := start(s, map[string]digest.Sink{"im": in})
		in.then = func() {
			go r.stop()
			time.Sleep(time.Second) // it has heard of the end by now
		}
		s.giveUp("Todo", "T-1", "1002", "BusinessCode")
		toEnd()
		in.then = nil
		next := start(s, map[string]digest.Sink{"im": in})
		defer next.stop()
		toEnd()
		toEnd()
		if got := in.take(); len(got) != 1 {
			t.Errorf("%d messages", len(got))
		}
	})
}
