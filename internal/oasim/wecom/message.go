package wecom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	// The bounds of message/send (WC-GO): receivers by name, departments, tags.
	maxUsers, maxParties, maxTags = 1000, 100, 100
	// maxText bounds the content of a text or markdown message, in bytes (from memory).
	maxText = 2048
	// The bounds of a card's parts (WC-GO).
	maxButtons, maxSelects = 6, 3
	// The repeat of a message is looked for in so many seconds (WC-GO).
	defaultRepeat, maxRepeat = 1800, 4 * 3600
)

// sendBody is the body of message/send (WC-SIL, WC-GO).
type sendBody struct {
	ToUser   string      `json:"touser"`
	ToParty  string      `json:"toparty"`
	ToTag    string      `json:"totag"`
	MsgType  string      `json:"msgtype"`
	AgentID  json.Number `json:"agentid"`
	Check    int         `json:"enable_duplicate_check"`
	Interval int         `json:"duplicate_check_interval"`

	Text     struct{ Content string } `json:"text"`
	Markdown struct{ Content string } `json:"markdown"`
	TextCard struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		URL         string `json:"url"`
		BtnTxt      string `json:"btntxt"`
	} `json:"textcard"`
	News struct {
		Articles []struct{ Title, Description, URL string } `json:"articles"`
	} `json:"news"`
	TemplateCard card `json:"template_card"`
}

// titled is a pair of lines of a card.
type titled struct {
	Title string `json:"title"`
	Desc  string `json:"desc"`
}

// card is a template card, as far as the simulator judges or shows it (WC-GO).
type card struct {
	CardType   string            `json:"card_type"`
	Source     titled            `json:"source"`
	ActionMenu json.RawMessage   `json:"action_menu"`
	TaskID     string            `json:"task_id"`
	MainTitle  titled            `json:"main_title"`
	SubTitle   string            `json:"sub_title_text"`
	Buttons    []json.RawMessage `json:"button_list"`
	Selects    []json.RawMessage `json:"select_list"`
	CardAction struct {
		Type int    `json:"type"`
		URL  string `json:"url"`
	} `json:"card_action"`
	ReplaceText string `json:"replace_text"`
}

var cardTypes = []string{"text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction"}

// content is what a message shows.
type content struct{ title, text, url string }

// check judges a message and returns what it shows, or a code and a word on what is wrong.
func (b *sendBody) check() (content, int, string) {
	var c content
	switch b.MsgType {
	case "text":
		c.title = b.Text.Content
	case "markdown":
		c.title = b.Markdown.Content
	case "textcard":
		c = content{b.TextCard.Title, b.TextCard.Description, b.TextCard.URL}
		if c.text == "" || c.url == "" {
			return c, badParameter, "textcard needs a title, a description and a url"
		}
	case "news":
		if len(b.News.Articles) > 0 {
			a := b.News.Articles[0]
			c = content{a.Title, a.Description, a.URL}
		}
	case "template_card":
		if wrong := b.TemplateCard.check(); wrong != "" {
			return c, badParameter, wrong
		}
		c = b.TemplateCard.content()
	default:
		return c, badParameter, fmt.Sprintf("msgtype %q", b.MsgType)
	}
	switch {
	case c.title == "":
		return c, badParameter, b.MsgType + " has nothing to show"
	case len(c.title) > maxText && c.url == "":
		return c, tooLong, fmt.Sprintf("%d bytes", len(c.title))
	case b.Interval < 0 || b.Interval > maxRepeat:
		return c, badParameter, "duplicate_check_interval is at most 4 hours"
	case count(b.ToUser) > maxUsers || count(b.ToParty) > maxParties || count(b.ToTag) > maxTags:
		return c, badParameter, "touser takes 1000, toparty and totag 100 each"
	}
	return c, 0, ""
}

// check says what is wrong with a card, or "".
func (c *card) check() string {
	switch {
	case !slices.Contains(cardTypes, c.CardType):
		return fmt.Sprintf("template_card.card_type %q", c.CardType)
	case len(c.Buttons) > maxButtons:
		return "template_card.button_list takes 6"
	case len(c.Selects) > maxSelects:
		return "template_card.select_list takes 3"
	case c.MainTitle.Title == "" && c.SubTitle == "":
		return "template_card needs main_title.title or sub_title_text"
	case c.interactive() && c.TaskID == "":
		return "template_card.task_id is required for a card with something to press" // from memory
	case c.CardType == "button_interaction" && len(c.Buttons) == 0:
		return "template_card.button_list is empty"
	case !c.interactive() && c.CardAction.URL == "" && c.CardAction.Type != 2:
		return "template_card.card_action is required" // from memory
	}
	return ""
}

// interactive cards have something to press besides their link, and only they can be updated later (from memory).
func (c *card) interactive() bool {
	return strings.HasSuffix(c.CardType, "_interaction") || len(c.ActionMenu) > 0
}

func (c *card) content() content {
	return content{
		title: cmp.Or(c.MainTitle.Title, c.SubTitle), text: cmp.Or(c.MainTitle.Desc, c.SubTitle, c.Source.Desc), url: c.CardAction.URL,
	}
}

// names splits a list such as "lina|wangfang".
func names(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}

func count(list string) int { return len(names(list)) }
