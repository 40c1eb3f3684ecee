package seeyon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// open sends the browser to an item's own address with a fresh v5ticket (V5 authentication, SEED3): h5url on a phone,
// url on the PC.
func (s *Seeyon) open(w http.ResponseWriter, r *http.Request) {
	p, ok := s.visitor(w, r)
	if !ok {
		return
	}
	item, ok := s.inbox.byID(r.FormValue("id"))
	if !ok || item.LoginName != p.LoginName || item.State == StateRevoked {
		s.problem(w, http.StatusNotFound, "该事项不存在或已被撤销。", "This item does not exist or was revoked.")
		return
	}
	s.leave(w, r, p, item.RegisterCode, pick(r, item.URL, item.H5URL), "v5ticket")
}

// openApp sends the browser to an app, after the handshake of the portal authentication if the app has one (SY-SSO).
func (s *Seeyon) openApp(w http.ResponseWriter, r *http.Request) {
	p, ok := s.visitor(w, r)
	if !ok {
		return
	}
	app, ok := s.app(r.FormValue("code"))
	if !ok {
		s.problem(w, http.StatusNotFound, "没有这个应用。", "There is no such app.")
		return
	}
	param := app.TicketParam
	if param == "" {
		param = "ticket"
	}
	s.leave(w, r, p, app.Code, pick(r, app.LoginURL, app.H5LoginURL), param)
}

func (s *Seeyon) leave(w http.ResponseWriter, r *http.Request, p Person, code, link, param string) {
	if link == "" {
		s.problem(w, http.StatusNotFound, "该事项没有可以打开的链接。", "There is no link to open.")
		return
	}
	id, err := s.issueTicket(p.LoginName, code)
	if err != nil {
		s.problem(w, http.StatusInternalServerError, "无法生成票据。", err.Error())
		return
	}
	if app, _ := s.app(code); param != "v5ticket" && app.HandshakeURL != "" {
		if err := s.handshake(r.Context(), portal.WithParam(s.complete(app.HandshakeURL), param, id)); err != nil {
			s.problem(w, http.StatusBadGateway, "应用没有确认登录。", "The app did not confirm the sign-in: "+err.Error())
			return
		}
	}
	w.Header().Set("Location", portal.WithParam(s.complete(link), param, id))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// handshake shows the app the ticket, server to server; the app must answer SSOOK, in the body or, as older versions
// did, as the name of a header (SY-SSO, SY-CTP).
func (s *Seeyon) handshake(ctx context.Context, link string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("it cannot be reached")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	if _, inHeader := resp.Header[http.CanonicalHeaderKey("SSOOK")]; inHeader || strings.Contains(string(body), "SSOOK") {
		return nil
	}
	return fmt.Errorf("HTTP %d without SSOOK", resp.StatusCode)
}

// pick chooses the link of the client, or the only one there is.
func pick(r *http.Request, pc, h5 string) string {
	if onPhone(r) && h5 != "" || pc == "" {
		return h5
	}
	return pc
}

// complete gives a protocol-relative link its scheme (SEED0 registers links that start with "//").
func (s *Seeyon) complete(link string) string {
	if strings.HasPrefix(link, "//") {
		return s.Settings().LinkScheme + ":" + link
	}
	return link
}
