package wecom

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	sendPath   = "/cgi-bin/message/send"
	updatePath = "/cgi-bin/message/update_template_card"
	recallPath = "/cgi-bin/message/recall"
	todoPath   = "/cgi-bin/todo/update"
)

func (s *WeCom) routeMessages(mux *http.ServeMux) {
	mux.HandleFunc("POST "+sendPath, s.asApp(s.send))
	mux.HandleFunc("POST "+updatePath, s.asApp(s.updateCard))
	mux.HandleFunc("POST "+recallPath, s.asApp(s.recall))
	mux.HandleFunc("POST "+todoPath, s.asApp(s.updateTodo))
}

// send takes a message. Receivers who do not exist or may not see the app are listed, and the others get it; only when
// nobody is left the call fails (WC-GO).
func (s *WeCom) send(w http.ResponseWriter, r *http.Request, a account) {
	raw, err := io.ReadAll(r.Body)
	var in sendBody
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil {
		s.refuse(w, r, badParameter, "the body is not the JSON that is expected: "+err.Error())
		return
	}
	if in.AgentID.String() != strconv.Itoa(a.app.AgentID) {
		s.refuse(w, r, s.wrongAgent(a, in.AgentID.String()), "")
		return
	}
	shown, code, wrong := in.check()
	if code != 0 {
		s.refuse(w, r, code, wrong)
		return
	}
	to := s.receivers(a, in.ToUser, in.ToParty, in.ToTag)
	if len(to.users) == 0 {
		s.refuse(w, r, nobodyToSendTo, "")
		return
	}
	id, reply := rand.Text(), to.answer()
	reply["msgid"] = id
	item := inbox.Content{
		TaskID: id, Kind: inbox.Notice, Title: shown.title, Text: shown.text, URL: shown.url, State: inbox.Open,
		Fields: map[string]any{"msgtype": in.MsgType, "agent": a.key()},
	}
	if in.MsgType == "template_card" {
		item.Kind, item.TaskID = inbox.Card, cmp.Or(in.TemplateCard.TaskID, id)
		item.Fields["card_type"] = in.TemplateCard.CardType
		if set := s.Settings(); in.TemplateCard.interactive() || set.ResponseCodes == "all" {
			life := time.Duration(set.ResponseCodeHours) * time.Hour
			reply["response_code"] = s.cards.Issue(sent{a.key(), id, item.TaskID}, life)
		}
	}
	if !fault.Swallows(r.Context()) && !s.isRepeat(in, raw, a) {
		if err := s.deliver(id, item, to.users); err != nil {
			s.refuse(w, r, busy, err.Error())
			return
		}
	}
	succeed(w, reply)
}

// sent is a message on its way, as a response_code remembers it.
type sent struct{ account, id, task string }

// wrongAgent tells another app of the company from one that does not exist.
func (s *WeCom) wrongAgent(a account, agent string) int {
	if _, ok := s.accountByKey(a.corp.CorpID + "/" + agent); ok {
		return noRightsOnTheApp
	}
	return badAgent
}

func (s *WeCom) isRepeat(in sendBody, raw []byte, a account) bool {
	if in.Check != 1 {
		return false
	}
	if in.Interval == 0 {
		in.Interval = defaultRepeat
	}
	sum := sha256.Sum256(append([]byte(a.key()+"\n"), raw...))
	return !s.repeats.Add(hex.EncodeToString(sum[:]), true, time.Duration(in.Interval)*time.Second)
}

// deliver shows a message to the members who have not been sent too much. The others never learn of it (WC-90454).
func (s *WeCom) deliver(id string, item inbox.Content, users []string) error {
	limits := s.Settings().perMember()
	for _, user := range users {
		if !s.calls.Allow("member "+user, limits...) {
			continue
		}
		if err := s.box.Put(sendPath, id, user, item); err != nil {
			return err
		}
	}
	return nil
}

// receivers are the members that a message reaches, and the names that reach nobody.
type receivers struct {
	users                             []string // person ids
	invalidUser, invalidParty, badTag []string
	unlicensed                        []string
}

func (t receivers) answer() map[string]any {
	return map[string]any{
		"invaliduser": strings.Join(t.invalidUser, "|"), "invalidparty": strings.Join(t.invalidParty, "|"),
		"invalidtag": strings.Join(t.badTag, "|"), "unlicenseduser": strings.Join(t.unlicensed, "|"),
	}
}

// receivers resolves the three lists. The simulator has no tags.
func (s *WeCom) receivers(a account, users, parties, tags string) receivers {
	t := receivers{badTag: names(tags)}
	add := func(p desk.Person) {
		switch {
		case p.OutOfScope || slices.Contains(t.users, p.ID):
		case p.IDs["licence"] == "none":
			t.unlicensed = append(t.unlicensed, userID(p))
		default:
			t.users = append(t.users, p.ID)
		}
	}
	if users == "@all" {
		for _, p := range s.people.All() {
			if s.corpOf(p) == a.corp.CorpID {
				add(p)
			}
		}
		return t
	}
	for _, id := range names(users) {
		if p, ok := s.user(a.corp.CorpID, id); ok && !p.OutOfScope {
			add(p)
		} else {
			t.invalidUser = append(t.invalidUser, id)
		}
	}
	for _, id := range names(parties) {
		members, ok := s.members(a.corp, id)
		if !ok {
			t.invalidParty = append(t.invalidParty, id)
		}
		for _, p := range members {
			add(p)
		}
	}
	return t
}

// recall takes a message back within a day (from memory).
func (s *WeCom) recall(w http.ResponseWriter, r *http.Request, a account) {
	var in struct{ MsgID string }
	if !s.read(w, r, &in) {
		return
	}
	var own bool
	for _, item := range s.box.Where(func(i *inbox.Item) bool { return i.Key == in.MsgID }) {
		own = item.Fields["agent"] == a.key() && s.Now().Sub(item.Created) <= 24*time.Hour
	}
	if !own {
		s.refuse(w, r, badParameter, "msgid")
		return
	}
	if !fault.Swallows(r.Context()) {
		s.box.Change(recallPath, in.MsgID, "", func(c *inbox.Content) { c.State = inbox.Gone })
	}
	succeed(w, nil)
}

// describe says what a request is about, for the script of faults.
func (s *WeCom) describe(r *http.Request, body []byte) []fault.Subject {
	var in struct {
		sendBody
		UserIDs      []string   `json:"userids"`
		ResponseCode string     `json:"response_code"`
		TodoID       string     `json:"todo_id"`
		Attendees    []attendee `json:"attendees"`
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	about := fault.Subject{TaskID: in.TemplateCard.TaskID + in.TodoID}
	shown, _, _ := in.check()
	about.Title = shown.title
	if r.URL.Path == updatePath {
		card, _ := s.cards.Look(in.ResponseCode)
		about.TaskID = card.task
	}
	users := append(names(in.ToUser), in.UserIDs...)
	for _, a := range in.Attendees {
		users = append(users, a.UserID)
	}
	if len(users) == 0 {
		return []fault.Subject{about}
	}
	var out []fault.Subject
	for _, u := range users {
		out = append(out, fault.Subject{TaskID: about.TaskID, Receiver: u, Title: about.Title})
	}
	return out
}
