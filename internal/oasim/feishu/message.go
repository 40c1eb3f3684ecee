package feishu

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	messagePath = "/open-apis/im/v1/messages"
	// repeatLife is how long a uuid makes a second message the first one again (from memory).
	repeatLife = time.Hour
)

// routeMessages serves messages and cards (FS-SDK, FS-DOC); reading and recalling one are from memory.
func (s *Feishu) routeMessages(mux *http.ServeMux) {
	mux.HandleFunc("POST "+messagePath, s.asTenant(Messages, s.sendMessage))
	mux.HandleFunc("PATCH "+messagePath+"/{id}", s.asTenant(Messages, s.updateCard))
	mux.HandleFunc("GET "+messagePath+"/{id}", s.asTenant(Messages, func(w http.ResponseWriter, r *http.Request, a App) {
		if item, ok := s.message(w, r, a); ok {
			succeed(w, fields{"items": []fields{messageData(item)}})
		}
	}))
	mux.HandleFunc("DELETE "+messagePath+"/{id}", s.asTenant(Messages, func(w http.ResponseWriter, r *http.Request, a App) {
		if item, ok := s.message(w, r, a); ok {
			if !fault.Swallows(r.Context()) {
				s.box.Change("DELETE "+messagePath, item.Key, item.Person, func(c *inbox.Content) { c.State = inbox.Gone })
			}
			succeed(w, fields{})
		}
	}))
}

// look is what somebody sees of a message; without a title it is none.
type look struct{ title, text, url string }

// seen reads the content of a message, a JSON text whose form depends on the type.
func seen(kind, content string) look {
	var c struct {
		Text string `json:"text"`
		ZhCN struct {
			Title string `json:"title"`
		} `json:"zh_cn"`
		Header struct {
			Title struct {
				Content string `json:"content"`
			} `json:"title"`
		} `json:"header"`
		Elements []struct {
			Text struct {
				Content string `json:"content"`
			} `json:"text"`
			Content string `json:"content"`
		} `json:"elements"`
		CardLink struct {
			URL string `json:"url"`
		} `json:"card_link"`
	}
	if json.Unmarshal([]byte(content), &c) != nil {
		return look{}
	}
	switch kind {
	case "text":
		return look{title: c.Text}
	case "post":
		return look{title: c.ZhCN.Title}
	case "interactive":
		out := look{title: c.Header.Title.Content, url: cmp.Or(c.CardLink.URL, firstURL(content))}
		for _, e := range c.Elements {
			out.text = strings.TrimSpace(out.text + " " + e.Text.Content + e.Content)
		}
		out.title = cmp.Or(out.title, out.text)
		return out
	}
	return look{}
}

// firstURL is the address of the first button or link of a card.
func firstURL(content string) string {
	var card any
	if json.Unmarshal([]byte(content), &card) != nil {
		return ""
	}
	return urlIn(card)
}

func urlIn(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if link, ok := v["url"].(string); ok && link != "" {
			return link
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if link := urlIn(v[name]); link != "" {
				return link
			}
		}
	case []any:
		for _, one := range v {
			if link := urlIn(one); link != "" {
				return link
			}
		}
	}
	return ""
}

func (s *Feishu) sendMessage(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		ReceiveID string `json:"receive_id"`
		MsgType   string `json:"msg_type"`
		Content   string `json:"content"`
		UUID      string `json:"uuid"`
	}
	if !s.read(w, r, badMessage, &in) {
		return
	}
	kind := r.URL.Query().Get("receive_id_type")
	if !slices.Contains([]string{"open_id", "user_id", "union_id", "email"}, kind) {
		s.refuse(w, badMessage, fmt.Sprintf("receive_id_type %q; the simulator has no chats", kind))
		return
	}
	show := seen(in.MsgType, in.Content)
	if show.title == "" {
		s.refuse(w, badMessage, "msg_type, or content is not the JSON text that it needs")
		return
	}
	p, ok := s.find(kind, in.ReceiveID)
	if !ok {
		s.refuse(w, badMessage, "receive_id")
		return
	}
	if p.OutOfScope {
		s.refuse(w, notAvailable, "")
		return
	}
	repeat := "message " + a.AppID + " " + in.UUID
	if id, known := s.sent.Get(repeat); known && in.UUID != "" {
		if item, ok := s.box.Get(id, p.ID); ok {
			succeed(w, messageData(item))
			return
		}
	}
	id := "om_" + rand.Text()
	c := inbox.Content{
		TaskID: cmp.Or(in.UUID, id), Kind: inbox.Notice, Title: show.title, Text: show.text, URL: show.url, State: inbox.Open,
		Fields: map[string]any{"app": a.AppID, "msg_type": in.MsgType, "content": in.Content},
	}
	if in.MsgType == "interactive" {
		c.Kind = inbox.Card
	}
	if fault.Swallows(r.Context()) {
		succeed(w, messageData(inbox.Item{Key: id, Content: c, Created: s.Now(), Updated: s.Now()}))
		return
	}
	if err := s.box.Put("POST "+messagePath, id, p.ID, c); err != nil {
		s.refuse(w, internalError, err.Error())
		return
	}
	if in.UUID != "" {
		s.sent.Put(repeat, id, repeatLife)
	}
	item, _ := s.box.Get(id, p.ID)
	succeed(w, messageData(item))
}

func messageData(item inbox.Item) fields {
	return fields{
		"message_id": item.Key, "msg_type": item.Fields["msg_type"], "create_time": fmt.Sprint(item.Created.UnixMilli()),
		"update_time": fmt.Sprint(item.Updated.UnixMilli()), "deleted": item.State == inbox.Gone, "updated": !item.Updated.Equal(item.Created),
		"chat_id": "oc_" + item.Person, "sender": fields{"id": item.Fields["app"], "id_type": "app_id", "sender_type": "app"},
		"body": fields{"content": item.Fields["content"]},
	}
}

// message finds the message of the path among those of the app; one that was withdrawn can only be read.
func (s *Feishu) message(w http.ResponseWriter, r *http.Request, a App) (inbox.Item, bool) {
	id := r.PathValue("id")
	found := s.box.Where(func(i *inbox.Item) bool { return i.Key == id && i.Fields["app"] == a.AppID })
	switch {
	case len(found) == 0:
		s.refuse(w, badMessage, "message_id")
	case found[0].State == inbox.Gone && r.Method != http.MethodGet:
		s.refuse(w, noMessage, "")
	default:
		return found[0], true
	}
	return inbox.Item{}, false
}

// updateCard replaces a card that was made to be updated, within 14 days and not too often (FS-DOC).
func (s *Feishu) updateCard(w http.ResponseWriter, r *http.Request, a App) {
	var in struct{ Content string }
	if !s.read(w, r, badMessage, &in) {
		return
	}
	item, ok := s.message(w, r, a)
	if !ok {
		return
	}
	settings, before := s.Settings(), fmt.Sprint(item.Fields["content"])
	show := seen("interactive", in.Content)
	switch {
	case item.Kind != inbox.Card:
		s.refuse(w, badMessage, "only a card can be updated")
	case !shared(before) || !shared(in.Content):
		s.refuse(w, badMessage, "config.update_multi must be true in the card and in its update")
	case show.title == "":
		s.refuse(w, badMessage, "content is no card")
	case s.Now().Sub(item.Created) > time.Duration(settings.CardDays)*24*time.Hour:
		s.refuse(w, cardTooOld, "")
	case !s.calls.Allow("card "+item.Key, settings.cardUpdates()):
		s.refuse(w, cardTooOften, "")
	default:
		if !fault.Swallows(r.Context()) {
			s.box.Change("PATCH "+messagePath, item.Key, item.Person, func(c *inbox.Content) {
				c.Title, c.Text, c.URL = show.title, show.text, cmp.Or(show.url, c.URL)
				c.Fields = map[string]any{"app": a.AppID, "msg_type": "interactive", "content": in.Content}
			})
		}
		succeed(w, fields{})
	}
}

// shared says whether a card is one that can be updated.
func shared(content string) bool {
	var c struct {
		Config struct {
			UpdateMulti bool `json:"update_multi"`
		} `json:"config"`
	}
	return json.Unmarshal([]byte(content), &c) == nil && c.Config.UpdateMulti
}
