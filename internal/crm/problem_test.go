package crm

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the CRM sees of a refused request.
func TestProblemOnTheWire(t *testing.T) {
	_, problem := Parse(contentType(typeStructured), []byte(structured("type", `"x"`)), DefaultLimits())
	w := httptest.NewRecorder()
	problem.WriteTo(w)
	const want = `{"status":400,"title":"Bad Request","detail":"nothing of the request was taken: see errors","errors":[` +
		`{"event":0,"field":"type","cause":"is \"x\", which is not allowed","nextStep":"use dev.oabridge.todo.created, .updated, .completed or .deleted, or dev.oabridge.reminder.created"}]}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != 400 || got != want {
		t.Errorf("got %d %s, want %s", w.Code, got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got Content-Type %s", got)
	}
}

func TestProblemHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	unauthorized("x").WriteTo(w)
	if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	busy := NewProblem(503, "the disk is full")
	busy.RetryAfter = 1500 * time.Millisecond
	busy.WriteTo(w)
	if w.Code != 503 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

// A body is read to its end or refused, whether its length was announced or not.
func TestReadBody(t *testing.T) { // TM-03
	limits := Limits{Request: 10, Event: 10, Batch: 1}
	for name, test := range map[string]struct {
		body   string
		length int64
		status int
	}{
		"fits":                  {"0123456789", 10, 0},
		"chunked, fits":         {"0123456789", -1, 0},
		"announced too large":   {"0123456789a", 11, 413},
		"chunked and too large": {"0123456789a", -1, 413},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/events", io.NopCloser(bytes.NewBufferString(test.body)))
			r.ContentLength = test.length
			got, problem := ReadBody(r, limits)
			if test.status == 0 {
				if problem != nil || string(got) != test.body {
					t.Fatalf("got %q, %v", got, problem)
				}
			} else if problem == nil || problem.Status != test.status {
				t.Errorf("got %v, want %d", problem, test.status)
			}
		})
	}
}
