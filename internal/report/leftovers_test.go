package report_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/oabridge/oabridge/internal/report"
)

// An answer that is cut short is not taken for all there is.
func TestLeftoversAreWholeOrNothing(t *testing.T) {
	const line = `{"state":"Waiting","delivery":{}}` + "\n"
	for name, c := range map[string]struct {
		body  string
		lines int
		fails error
	}{
		"whole": {line + line + `{"end":true,"count":2}` + "\n", 2, nil},
		"empty": {`{"end":true,"count":0}` + "\n", 0, nil},
		"cut":   {line + line, 2, report.ErrNotWhole},
		"less":  {line + `{"end":true,"count":2}` + "\n", 1, report.ErrNotWhole},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer token" {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(c.body))
		}))
		n := 0
		err := report.Leftovers(t.Context(), server.Client(), server.URL, "token", func([]byte) error { n++; return nil })
		if n != c.lines || !errors.Is(err, c.fails) {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
		if err := report.Leftovers(t.Context(), server.Client(), server.URL, "wrong", func([]byte) error { return nil }); err == nil {
			t.Errorf("%s: a wrong token is taken", name)
		}
		server.Close()
	}
}
