package stage

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/browser"
)

// Prefix of the pages of a simulator.
func Prefix(oa string) string {
	if oa == "seeyon" {
		return "/seeyon"
	}
	return ""
}

// EnterOA signs a person in at an OA's own login page.
func EnterOA(tab context.Context, oa, login string) error {
	return chromedp.Do(tab,
		chromedp.Navigate(At(oa, Prefix(oa)+"/login")),
		Choose(login),
		chromedp.WaitVisible(`#tab-todo`),
	)
}

// Choose clicks a person on a page of a simulator that lists people: its login page, or the phones that could scan a code.
func Choose(login string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(`button[name="choose"][value="` + login + `"]`)
}

// OpenItem clicks a to-do in the inbox of whoever is signed in.
func OpenItem(tab context.Context, task string) error {
	return chromedp.Do(tab, chromedp.Click(`a.item[data-task="`+task+`"], a.item[data-task^="`+task+`@"]`))
}

// Link is the address that the OA keeps with a to-do of a person.
func (s *Stage) Link(ctx context.Context, oa string, want crm.Expected) (string, error) {
	items, err := s.Inbox(ctx, oa)
	for _, i := range items {
		if task, _, _ := strings.Cut(i.TaskID, "@"); task == want.ToDo && i.Person == want.OALogin {
			return i.URL, err
		}
	}
	if err == nil {
		err = fmt.Errorf("%s has no %s of %s", oa, want.ToDo, want.OALogin)
	}
	return "", err
}

// Landed waits for the CRM's page of a record, pictures it, and reads it. When the page does not come, the picture is of
// what came in its place.
func (s *Stage) Landed(tab context.Context, picture string) (Click, error) {
	var c Click
	if err := s.shows(tab, `#dataId`, picture); err != nil {
		return c, err
	}
	return c, c.read(tab)
}

// Shows waits for an element and pictures the page.
func (s *Stage) Shows(tab context.Context, selector, picture string) (string, error) {
	if err := s.shows(tab, selector, picture); err != nil {
		return "", err
	}
	return chromedp.Run(tab, chromedp.Text("body"))
}

func (s *Stage) shows(tab context.Context, selector, picture string) error {
	wait, stop := context.WithTimeout(tab, browser.Patience/3)
	defer stop()
	if err := chromedp.Do(wait, chromedp.WaitVisible(selector)); err != nil {
		at, _ := chromedp.Run(tab, chromedp.Location())
		text, _ := chromedp.Run(tab, chromedp.Text("body"))
		_ = s.Screenshot(tab, picture+"-failed")
		return fmt.Errorf("%s: no %s at %s (out/%s-failed.png): %w: %s", picture, selector, withoutQuery(at), picture, err, text)
	}
	return s.Screenshot(tab, picture)
}
