package stage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/browser"
)

// Click is what a person sees who clicks a to-do.
type Click struct {
	// Landed is the address after the click; User and Account are whom the CRM greets; Record is what it shows.
	Landed, User, Account, Record, Title string
	// Ticket was in the address that the browser asked for.
	Ticket string
	// Again is the page's text when the very same link is opened a second time.
	Again string
}

// ClickTodo signs in at the OA as the receiver of a to-do, opens the inbox, clicks the to-do, and then opens the same
// link, ticket and all, once more. It leaves pictures in out/.
func (s *Stage) ClickTodo(ctx context.Context, want crm.Expected) (Click, error) {
	var c Click
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	tab, end, err := s.Browser(ctx)
	if err != nil {
		return c, err
	}
	defer end()

	// The address with the ticket is seen only by the browser: remember it as the page asks for it.
	asked, err := browser.Follow(tab)
	if err != nil {
		return c, err
	}
	if err := chromedp.Do(tab,
		chromedp.Navigate(OA("/seeyon/login")),
		chromedp.Click(`button[value="`+want.OALogin+`"]`),
		chromedp.WaitVisible(`#tab-todo`),
		chromedp.WaitVisible(`a.item[data-task="`+want.ToDo+`"]`),
	); err != nil {
		return c, fmt.Errorf("the inbox of %s: %w", want.OALogin, err)
	}
	if err := s.Screenshot(tab, "inbox"); err != nil {
		return c, err
	}
	if err := chromedp.Do(tab, chromedp.Click(`a.item[data-task="`+want.ToDo+`"]`), chromedp.WaitVisible(`#dataId`)); err != nil {
		at, _ := chromedp.Run(tab, chromedp.Location())
		_ = s.Screenshot(tab, "click-failed")
		return c, fmt.Errorf("the click on %s ended at %s: %w", want.ToDo, withoutQuery(at), err)
	}
	if err := s.Screenshot(tab, "record"); err != nil {
		return c, err
	}
	if err := c.read(tab); err != nil {
		return c, err
	}
	link := asked.Last("https://" + HostSSO + "/")
	if link == "" {
		return c, errors.New("the browser never asked the gateway")
	}
	if u, err := url.Parse(link); err == nil {
		c.Ticket = u.Query().Get("v5ticket")
	}
	if err := chromedp.Do(tab, chromedp.Navigate(link)); err != nil {
		return c, err
	}
	if err := s.Screenshot(tab, "refused"); err != nil {
		return c, err
	}
	c.Again, err = chromedp.Run(tab, chromedp.Text("body"))
	return c, err
}

// read takes down what the CRM's page of a record shows.
func (c *Click) read(tab context.Context) (err error) {
	for selector, field := range map[string]*string{"#user": &c.User, "#account": &c.Account, "#dataId": &c.Record, "#title": &c.Title} {
		if *field, err = chromedp.Run(tab, chromedp.Text(selector)); err != nil {
			return err
		}
	}
	c.Landed, err = chromedp.Run(tab, chromedp.Location())
	return err
}

// Check compares a click with what must have been seen.
func (c Click) Check(want crm.Expected) error {
	if err := c.CheckRecord(want, false); err != nil {
		return err
	}
	if !strings.Contains(c.Again, "SSO-1003") {
		return fmt.Errorf("the same link again was not refused as used: %s", c.Again)
	}
	return nil
}

// CheckRecord compares where somebody landed, on a PC or a phone, with the record of a to-do.
func (c Click) CheckRecord(want crm.Expected, phone bool) error {
	place := "https://" + HostCRM
	if phone {
		place += "/h5"
	}
	switch {
	case !strings.HasPrefix(c.Landed, place+"/record/"+want.Object.APIName+"/"+want.Object.ID):
		return fmt.Errorf("landed on %s", withoutQuery(c.Landed))
	case strings.Contains(c.Landed, "?"):
		return errors.New("something is left in the address bar behind a question mark")
	case c.Account != want.Receiver:
		return fmt.Errorf("the CRM greets account %s (%s), not %s", c.Account, c.User, want.Receiver)
	case c.Record != want.Object.ID:
		return fmt.Errorf("the CRM shows record %s, not %s", c.Record, want.Object.ID)
	}
	return nil
}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be parsed"
	}
	u.RawQuery = ""
	return u.String()
}
