package wecom

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// cardUpdate is the body of update_template_card (WC-94945).
type cardUpdate struct {
	UserIDs      []string `json:"userids"`
	PartyIDs     []int    `json:"partyids"`
	TagIDs       []int    `json:"tagids"`
	AtAll        int      `json:"atall"`
	AgentID      int      `json:"agentid"`
	ResponseCode string   `json:"response_code"`
	Button       struct {
		ReplaceName string `json:"replace_name"`
	} `json:"button"`
	TemplateCard *card `json:"template_card"`
}

// updateCard replaces the button, or the whole card, for those who are named. A response_code works once and for some
// days (WC-94945); how its second use is refused is not public (derived).
func (s *WeCom) updateCard(w http.ResponseWriter, r *http.Request, a account) {
	var in cardUpdate
	if !s.read(w, r, &in) {
		return
	}
	switch {
	case in.AgentID != a.app.AgentID:
		s.refuse(w, r, s.wrongAgent(a, strconv.Itoa(in.AgentID)), "")
		return
	case len(in.UserIDs) > maxUsers || len(in.PartyIDs) > maxParties || len(in.TagIDs) > maxTags:
		s.refuse(w, r, badParameter, "userids takes 1000, partyids and tagids 100 each")
		return
	case (in.Button.ReplaceName == "") == (in.TemplateCard == nil):
		s.refuse(w, r, badParameter, "either button.replace_name or template_card")
		return
	}
	if in.TemplateCard != nil {
		if wrong := in.TemplateCard.check(); wrong != "" {
			s.refuse(w, r, badParameter, wrong)
			return
		}
	}
	card, state := s.cards.Look(in.ResponseCode)
	if state != credential.Alive || card.account != a.key() {
		s.refuse(w, r, badParameter, "response_code is unknown, used or older than the time it is valid")
		return
	}
	s.cards.Take(in.ResponseCode)
	users, invalid := s.holders(card, a, in)
	for _, user := range users {
		if !fault.Swallows(r.Context()) {
			s.box.Change(updatePath, card.id, user, in.apply)
		}
	}
	succeed(w, invalid.answer())
}

// holders are the members with the card who are named; "" stands for all who have it.
func (s *WeCom) holders(card sent, a account, in cardUpdate) ([]string, receivers) {
	var users []string
	var t receivers
	if in.AtAll == 1 {
		return []string{""}, t
	}
	has := func(p desk.Person) bool {
		_, ok := s.box.Get(card.id, p.ID)
		return ok
	}
	for _, id := range in.UserIDs {
		if p, ok := s.user(a.corp.CorpID, id); ok && has(p) {
			users = append(users, p.ID)
		} else {
			t.invalidUser = append(t.invalidUser, id)
		}
	}
	for _, id := range in.PartyIDs {
		members, ok := s.members(a.corp, strconv.Itoa(id))
		if !ok {
			t.invalidParty = append(t.invalidParty, strconv.Itoa(id))
		}
		for _, p := range members {
			if has(p) {
				users = append(users, p.ID)
			}
		}
	}
	for _, id := range in.TagIDs {
		t.badTag = append(t.badTag, strconv.Itoa(id))
	}
	return users, t
}

// apply changes the card: its button now shows a word, or the whole card is another one. It is open as long as there is
// something to press.
func (u cardUpdate) apply(c *inbox.Content) {
	replaced, state := u.Button.ReplaceName, inbox.Done
	if u.TemplateCard != nil {
		shown := u.TemplateCard.content()
		c.Title, c.Text, c.URL = shown.title, shown.text, cmp.Or(shown.url, c.URL)
		replaced = u.TemplateCard.ReplaceText
		if u.TemplateCard.interactive() && replaced == "" {
			state = inbox.Open
		}
	}
	c.State, c.Fields = state, maps.Clone(c.Fields)
	c.Fields["replaced"] = replaced
}

type attendee struct {
	UserID string `json:"userid"`
	Status int    `json:"status"`
}

// todoKey is the key of a to-do (待办) in the inbox. How one is created is not public; AddTodo stands for it.
func todoKey(id string) string { return "todo/" + id }

// AddTodo puts a to-do into the clients of some members of a company.
func (s *WeCom) AddTodo(corpID, id, title, link string, users ...string) error {
	for _, user := range users {
		p, ok := s.user(corpID, user)
		if !ok {
			return fmt.Errorf("corp %q has no member %q", corpID, user)
		}
		c := inbox.Content{TaskID: id, Kind: inbox.ToDo, Title: title, URL: link, State: inbox.Open}
		if err := s.box.Put("/_sim/todos", todoKey(id), p.ID, c); err != nil {
			return err
		}
	}
	return nil
}

// updateTodo changes the status of a to-do as a whole (0 done, 1 in progress), or that of some attendees (WC-101534).
func (s *WeCom) updateTodo(w http.ResponseWriter, r *http.Request, a account) {
	var in struct {
		ID        string     `json:"todo_id"`
		Status    *int       `json:"status"`
		Attendees []attendee `json:"attendees"`
	}
	if !s.read(w, r, &in) {
		return
	}
	changes := map[string]int{} // person id → status
	for _, item := range s.box.Where(func(i *inbox.Item) bool { return i.Key == todoKey(in.ID) }) {
		if p, ok := s.people.Get(item.Person); ok && s.corpOf(p) == a.corp.CorpID && in.Status != nil {
			changes[p.ID] = *in.Status
		}
	}
	if in.Status != nil && len(changes) == 0 || in.Status == nil && len(in.Attendees) == 0 {
		s.refuse(w, r, badParameter, "todo_id, or nothing to change")
		return
	}
	for _, change := range in.Attendees {
		p, ok := s.user(a.corp.CorpID, change.UserID)
		if _, attends := s.box.Get(todoKey(in.ID), p.ID); !ok || !attends {
			s.refuse(w, r, userMissing, change.UserID)
			return
		}
		changes[p.ID] = change.Status
	}
	for person, status := range changes {
		if fault.Swallows(r.Context()) {
			break
		}
		s.box.Change(todoPath, todoKey(in.ID), person, func(c *inbox.Content) {
			c.State = inbox.Open
			if status == 0 {
				c.State = inbox.Done
			}
		})
	}
	succeed(w, nil)
}
