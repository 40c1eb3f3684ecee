package stage

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/crm"
)

// SignIn opens a Seeyon to-do's link with a fresh ticket of its receiver, as the OA does, and follows it to the CRM.
func (s *Stage) SignIn(ctx context.Context, want crm.Expected, link string) error {
	var fresh struct {
		Ticket string `json:"ticket"`
	}
	if err := s.Call(ctx, http.MethodPost, OA("/_sim/tickets"), map[string]string{"login": want.OALogin}, &fresh); err != nil {
		return err
	}
	return s.Follow(ctx, want, link+"?v5ticket="+fresh.Ticket)
}

// Follow opens a to-do's link, with the proof in it, without a browser. An error means that the person does not stand before the
// record of the CRM in the end.
func (s *Stage) Follow(ctx context.Context, want crm.Expected, link string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := s.HTTP()
	browser.Jar, browser.CheckRedirect = jar, nil
	defer browser.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/html")
	resp, err := browser.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	place := resp.Request.URL
	if record := "/record/" + want.Object.APIName + "/" + want.Object.ID; resp.StatusCode != http.StatusOK ||
		place.Host != HostCRM || !strings.HasPrefix(place.Path, record) {
		return fmt.Errorf("%s: landed on %s with %d", want.OALogin, withoutQuery(place.String()), resp.StatusCode)
	}
	return nil
}
