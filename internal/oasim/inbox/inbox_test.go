package inbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

func content(task, title string, state State) Content {
	return Content{TaskID: task, Kind: ToDo, Title: title, State: state}
}

// A to-do is written, repeated, finished, wrongly opened again and deleted; the box remembers all of it.
func TestLifeOfAnItem(t *testing.T) {
	b := New(func() time.Time { return time.Unix(7, 0) })
	for _, c := range []Content{content("T1", "a", Open), content("T1", "a", Open), content("T1", "a", Done), content("T1", "b", Open)} {
		if err := b.Put("/put", "k1", "lina", c); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Change("/gone", "k1", "", func(c *Content) { c.State = Gone }); n != 1 {
		t.Errorf("changed %d", n)
	}
	item, ok := b.Get("k1", "lina")
	if !ok || item.ID != "i1" || item.Revived != 1 || len(item.History) != 5 || item.History[4].Path != "/gone" || item.State != Gone {
		t.Errorf("item = %+v", item)
	}
	if s := b.Stats(); s.Creates != 1 || s.Repeats != 1 || s.Updates != 3 || s.Gone != 1 || s.Revived != 1 || s.Duplicates != 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	b := New(time.Now)
	refused := errors.New("no")
	if err := b.Edit("/x", "k", "lina", func(*Content, bool) error { return refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if _, ok := b.Get("k", "lina"); ok {
		t.Error("a refused edit left an item")
	}
	newer := content("T", "new", Open)
	newer.Version = 9
	_ = b.Put("/x", "k", "lina", newer)
	err := b.Edit("/x", "k", "lina", func(c *Content, known bool) error {
		if known && c.Version > 3 {
			return ErrStale
		}
		c.Title = "old"
		return nil
	})
	if item, _ := b.Get("k", "lina"); !errors.Is(err, ErrStale) || item.Title != "new" || b.Stats().Stale != 1 {
		t.Errorf("%v %+v %+v", err, item, b.Stats())
	}
}

func TestTwoKeysForOneTaskAreADuplicate(t *testing.T) {
	b := New(time.Now)
	_ = b.Put("/x", "k1", "lina", content("T", "a", Open))
	_ = b.Put("/x", "k1", "wangfang", content("T", "a", Open))
	_ = b.Put("/x", "k2", "lina", content("T", "a", Open))
	if s := b.Stats(); s.Duplicates != 1 || s.Distinct != 3 {
		t.Errorf("stats = %+v", s)
	}
	if of := b.Of("lina", Open); len(of) != 2 || of[0].Key != "k2" {
		t.Errorf("of = %+v", of)
	}
	if of := b.OfTask("T", func(i *Item) bool { return i.Person == "lina" }); len(of) != 2 || of[0].Key != "k1" {
		t.Errorf("of the task = %+v", of)
	}
	if n := b.Change("/x", "k1", "", func(c *Content) { c.State = Done }); n != 2 {
		t.Errorf("changed %d", n)
	}
	if n := b.Change("/x", "k1", "nobody", func(c *Content) { c.State = Gone }); n != 0 {
		t.Errorf("changed %d", n)
	}
}

func TestByIDAndHistoryBounds(t *testing.T) {
	b := New(time.Now)
	for i := range maxHistory + 5 {
		_ = b.Put("/x", "k", "lina", content("T", fmt.Sprint(i), Open))
	}
	item, ok := b.ByID("i1")
	if !ok || len(item.History) != maxHistory || item.Dropped != 5 {
		t.Errorf("%v %d %d", ok, len(item.History), item.Dropped)
	}
	for _, id := range []string{"", "i0", "i2", "x1", "i-1"} {
		if _, ok := b.ByID(id); ok {
			t.Errorf("%q was found", id)
		}
	}
}

func TestControl(t *testing.T) {
	d := desk.New(desk.Options{App: "x"})
	b := New(d.Now)
	b.ServeOn(d)
	_ = b.Put("/x", "k1", "lina", content("T1", "a", Open))
	_ = b.Put("/x", "k2", "lina", content("T2", "a", Done))
	count := func(query string) int {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sim/items"+query, nil))
		var out struct{ Items []Item }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		return len(out.Items)
	}
	for query, want := range map[string]int{"": 2, "?person=lina&state=open": 1, "?taskId=T2": 1, "?kind=notice": 0} {
		if got := count(query); got != want {
			t.Errorf("%s: %d items, want %d", query, got, want)
		}
	}
	d.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodDelete, "/_sim/items", nil))
	if count("") != 0 {
		t.Error("DELETE left items")
	}
}
