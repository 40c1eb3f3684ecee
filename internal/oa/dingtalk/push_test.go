package dingtalk_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dingtalk"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	sim "github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	todo   = "dingtalk-todo"
	notice = "dingtalk-reminder"

	tasks   = "/v1.0/todo"
	login   = "/gettoken"
	loginV1 = "/v1.0/oauth2/accessToken"
)

type stage struct {
	*oatest.Stage
	sim *sim.DingTalk
	t   *testing.T
}

var app = sim.App{AppKey: "ding1", AppSecret: oatest.Secret, AgentID: 7, Name: "CRM"}

func newStage(t *testing.T) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		CorpID: "corp", Apps: []sim.App{app}, Now: c.Now,
		People: []desk.Person{{ID: "lisi", Name: "李四"}, {ID: "wangwu", Name: "王五"}, {ID: "hidden", Name: "不可见", OutOfScope: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"appKey": "ding1", "agentID": "7"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		return driver(s, c, nil)
	})}
}

// driver is one replica's.
func driver(s *oatest.Stage, c exchange.Config, v1 tokens.Store) oa.Pusher {
	return dingtalk.NewPusher(dingtalk.Config{Config: c, API: s.Address(""), APITokens: v1, Credentials: s.Account("ding1")})
}

func (s *stage) of(person string, states ...inbox.State) []inbox.Item {
	return oatest.Of(s.sim.Inbox(), person, states...)
}

// A to-do of two people is two tasks: what one of them does says nothing about the other. The task's id is looked up.
func TestLifeOfATodo(t *testing.T) { // F19 F36
	s := newStage(t)
	mine, theirs := oatest.Item("T-1", "union-lisi"), oatest.Item("T-1", "union-wangwu")
	for _, item := range []scenario.Fields{mine, theirs, mine} { // the last one is a repeat
		s.WantOK(s.Push(todo, scenario.Create, item))
	}
	mine["F056"] = "再次提交"
	s.WantOK(s.Push(todo, scenario.Update, mine))
	got := s.of("lisi")
	if len(got) != 1 || got[0].State != inbox.Open || got[0].Title != "张三 再次提交 报价单" || !strings.HasPrefix(got[0].URL, "https://sso.crm.example/erp/") {
		t.Fatalf("%+v", got)
	}
	s.WantOK(s.Push(todo, scenario.Complete, mine))
	s.WantOK(s.Push(todo, scenario.Delete, theirs))
	if len(s.of("lisi", inbox.Done)) != 1 || len(s.of("wangwu", inbox.Gone)) != 1 {
		t.Errorf("lisi %+v, wangwu %+v", s.of("lisi"), s.of("wangwu"))
	}
	if n := s.Calls(loginV1); n != 1 || s.Calls(login) != 0 {
		t.Errorf("%d and %d token calls, want 1 and 0", n, s.Calls(login))
	}
	// What the OA does not have needs no finishing; a change makes it anew.
	gone := oatest.Item("T-9", "union-lisi")
	for _, a := range []scenario.Action{scenario.Complete, scenario.Delete} {
		if got := s.Push(todo, a, gone); got.Class != oa.OK || !strings.Contains(got.Message, "nothing to do") {
			t.Errorf("%s: %s %s", a, got.Class, got.Message)
		}
	}
	s.WantOK(s.Push(todo, scenario.Update, gone))
	if len(s.of("lisi", inbox.Open)) != 1 {
		t.Errorf("%+v", s.of("lisi"))
	}
}

// A reminder is a work notice, which wants the userid of the person whose unionId the binding holds, and its own token.
func TestReminder(t *testing.T) { // F3
	s := newStage(t)
	s.WantOK(s.Push(notice, scenario.Create, oatest.Item("R-1", "union-lisi")))
	got := s.of("lisi", inbox.Open)
	if len(got) != 1 || got[0].Kind != inbox.Notice || got[0].Title != "张三 提交 报价单" || got[0].URL == "" {
		t.Fatalf("%+v", got)
	}
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "union-lisi")))
	if n, m := s.Calls(login), s.Calls(loginV1); n != 1 || m != 1 {
		t.Errorf("%d and %d token calls, want 1 of each", n, m)
	}
}

// DingTalk takes a notice for anybody and tells only its result whom it did not reach.
func TestReceiversOutOfReach(t *testing.T) { // F118
	s := newStage(t)
	for preset, says := range map[string]string{todo: "correct the binding", notice: "visible range"} {
		for _, who := range []string{"union-hidden", "union-nobody"} {
			a := s.Push(preset, scenario.Create, oatest.Item("T-1", who))
			s.Want(a, oa.ReceiverUnknown, "", says)
			if a.TargetDown() {
				t.Errorf("%s for %s makes DingTalk look down", preset, who)
			}
		}
	}
	s.WantOK(s.Push(notice, scenario.Create, oatest.Item("R-1", "union-lisi")))
	s.Want(s.Push(notice, scenario.Create, oatest.Item("R-2", "union-lisi")), oa.BusinessCode, "", "same content today")
	s.Clock.Advance(time.Minute) // the notice holds the time
	s.WantOK(s.Push(notice, scenario.Create, oatest.Item("R-2", "union-lisi")))
}

// Success without the task's id, or without result:true, is none.
func TestFalseSuccess(t *testing.T) { // F14
	s := newStage(t)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "union-lisi")))
	for _, body := range []string{`{}`, `{"result":false}`, `{"requestId":"r"}`} {
		s.Fault(tasks, 1, fault.Action{Kind: fault.Status, Status: 200, Body: body})
		s.Want(s.Push(todo, scenario.Create, oatest.Item("T-2", "union-lisi")), oa.BusinessCode, "", "did nothing")
	}
	s.Fault("/topapi/message", 1, fault.Action{Kind: fault.Status, Status: 200, Body: `{"errcode":0,"errmsg":"ok"}`})
	s.Want(s.Push(notice, scenario.Create, oatest.Item("R-1", "union-lisi")), oa.BusinessCode, "", "task_id")
	// The notice was taken, and no more is known.
	s.Fault("/topapi/message/corpconversation/getsendresult", 1, fault.Action{Kind: fault.Status, Status: 502})
	if a := s.Push(notice, scenario.Create, oatest.Item("R-3", "union-wangwu")); a.Class != oa.OK || !a.Accepted {
		t.Errorf("%s, accepted %t: %s", a.Class, a.Accepted, a.Message)
	}
}

// However DingTalk says that a token is dead, one new token is fetched and the call made once more.
func TestTokenDeath(t *testing.T) { // F36
	for _, old := range []string{"plain", "88"} {
		for _, status := range []int{400, 401, 403} {
			s := newStage(t)
			if err := s.sim.Configure(func(c *sim.Settings) { c.TokenError, c.BadTokenStatus, c.OncePerDay = old, status, false }); err != nil {
				t.Fatal(err)
			}
			for preset, path := range map[string]string{todo: loginV1, notice: login} {
				s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi")))
				s.sim.ForgetTokens()
				s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-2", "union-lisi")))
				s.Clock.Advance(3 * time.Hour)
				s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-3", "union-lisi")))
				if n := s.Calls(path); n != 3 {
					t.Errorf("%s, %s, %d: %d token calls, want 3", preset, old, status, n)
				}
			}
			s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "union-lisi")))
			before, pushes := s.Calls(loginV1), s.Calls(tasks)
			s.Fault(tasks, 0, fault.Action{Kind: fault.ExpireToken})
			s.Want(s.Push(todo, scenario.Create, oatest.Item("T-4", "union-lisi")), oa.AuthExpired, "TokenRejected", "")
			if n, p := s.Calls(loginV1)-before, s.Calls(tasks)-pushes; n != 1 || p != 2 {
				t.Errorf("%d: %d token calls and %d pushes, want 1 and 2", status, n, p)
			}
		}
	}
}

func TestWrongCredentials(t *testing.T) { // F40
	s := newStage(t)
	s.Rotate(oatest.Wrong)
	for preset, says := range map[string]string{todo: "invalidClientIdOrSecret", notice: "40089"} {
		s.Want(s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi")), oa.AuthExpired, "TokenRejected", says)
	}
	s.Want(s.Pusher.Probe(t.Context()), oa.AuthExpired, "TokenRejected", "appSecret")
	s.Rotate(oatest.Secret)
	for _, preset := range []string{todo, notice} {
		s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi")))
	}
}

func TestRateLimit(t *testing.T) { // F61
	for _, old := range []string{"plain", "88"} {
		s := newStage(t)
		if err := s.sim.Configure(func(c *sim.Settings) { c.PerSecond, c.TokenError = 1, old }); err != nil {
			t.Fatal(err)
		}
		for preset, says := range map[string]string{todo: "QpsLimit", notice: "90018"} {
			s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi")))
			s.Want(s.Push(preset, scenario.Create, oatest.Item("T-2", "union-lisi")), oa.RateLimited, "", says)
			s.Clock.Advance(time.Minute)
		}
	}
}

// The caller's address is in the message on either interface, because it is what must be added to the white list.
func TestUntrustedIP(t *testing.T) { // F183
	s := newStage(t)
	closed := app
	closed.TrustedIPs = []string{"203.0.113.7"}
	if err := s.sim.SetApp(closed); err != nil {
		t.Fatal(err)
	}
	for preset, code := range map[string]string{todo: "IpNotInWhiteList", notice: "60020"} {
		a := s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi"))
		s.Want(a, oa.AuthExpired, "CallerNotTrusted", code)
		if !strings.Contains(a.Message, "127.0.0.1") {
			t.Errorf("%s: %s", preset, a.Message)
		}
	}
}

func TestMarkup(t *testing.T) { // F26
	s := newStage(t)
	hostile := `"}],{"x":1} </script> ../%2e \u0000 😀 龘 #F001 ${lookup.taskId}`
	f := oatest.Item("T/../1?x=&y#z", "union-lisi")
	f["F056"] = hostile
	s.WantOK(s.Push(todo, scenario.Create, f))
	s.WantOK(s.Push(todo, scenario.Complete, f))
	if got := s.of("lisi", inbox.Done); len(got) != 1 || got[0].Title != "张三 "+hostile+" 报价单" {
		t.Errorf("%+v", got)
	}
}

// store is what replicas share.
type store struct {
	mu       sync.Mutex
	sealed   []byte
	revision uint64
}

func (s *store) Load(context.Context) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sealed), s.revision, nil
}

func (s *store) Save(_ context.Context, sealed []byte, revision uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision != s.revision {
		return 0, tokens.ErrConflict
	}
	s.revision++
	s.sealed = slices.Clone(sealed)
	return s.revision, nil
}

// Replicas share both tokens.
func TestReplicasShareBothTokens(t *testing.T) { // F80
	s := newStage(t)
	if err := s.sim.Configure(func(c *sim.Settings) { c.OncePerDay = false }); err != nil {
		t.Fatal(err)
	}
	old, v1 := &store{}, &store{}
	for range 3 {
		s.Pusher = driver(s.Stage, s.Config(old), v1)
		for _, preset := range []string{todo, notice} {
			s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-1", "union-lisi")))
		}
	}
	if n, m := s.Calls(login), s.Calls(loginV1); n != 1 || m != 1 {
		t.Errorf("%d and %d token calls, want 1 of each", n, m)
	}
}
