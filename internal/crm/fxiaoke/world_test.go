package fxiaoke_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
)

// world is a simulated CRM on a real socket, a client of it, and a clock that both go by.
type world struct {
	t       *testing.T
	sim     *crmsim.CRM
	srv     *httptest.Server
	client  *fxiaoke.Client
	secrets string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world { return newWorldOf(t, func(*crmsim.App) {}) }

func newWorldOf(t *testing.T, change func(*crmsim.App)) *world {
	t.Helper()
	app := crmsim.DefaultApp()
	change(&app)
	w := &world{t: t, secrets: t.TempDir(), now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	sim, err := crmsim.New(crmsim.Options{Now: w.clock, App: &app, People: append([]crmsim.Person{crmsim.Sender()}, crmsim.People(1200)...)})
	if err != nil {
		t.Fatal(err)
	}
	w.sim = sim
	t.Cleanup(sim.Close)
	w.srv = httptest.NewServer(sim)
	t.Cleanup(w.srv.Close)
	w.secret(bundle.SlotCRM, "appId", app.AppID)
	w.secret(bundle.SlotCRM, "appSecret", app.AppSecret+"\n")
	w.secret(bundle.SlotCRM, "permanentCode", app.PermanentCode)
	w.client = fxiaoke.NewClient(w.secrets, w.clock)
	if err := w.client.Use(w.config()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) config() *bundle.CRM {
	return &bundle.CRM{Type: "Fxiaoke", URL: w.srv.URL, CorpID: w.sim.App().CorpID, User: crmsim.OpenUserID("1000"), AllowedCIDRs: []string{"127.0.0.0/8"}}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) secret(slot, key, value string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.secrets, slot), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.secrets, slot, key), []byte(value), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// answering is a server in the CRM's place that always says the same.
func answering(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv
}
