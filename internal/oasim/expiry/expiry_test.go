package expiry

import (
	"testing"
	"time"
)

func TestMap(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	m := New[int](func() time.Time { return now }, 2)

	m.Put("a", 1, time.Minute)
	if v, ok := m.Get("a"); !ok || v != 1 {
		t.Fatalf("Get = %d, %v", v, ok)
	}
	now = now.Add(50 * time.Second)
	if _, ok := m.Touch("a", time.Minute); !ok {
		t.Fatal("Touch lost a living value")
	}
	now = now.Add(50 * time.Second)
	if _, ok := m.Get("a"); !ok {
		t.Fatal("Touch did not prolong")
	}
	if m.Add("a", 2, time.Minute) {
		t.Fatal("Add replaced a living value")
	}
	now = now.Add(10 * time.Second)
	if _, ok := m.Get("a"); ok {
		t.Fatal("a value lived at the end of its time")
	}

	m.Put("x", 1, time.Minute)
	m.Put("y", 2, time.Hour)
	if m.Add("z", 3, time.Hour) {
		t.Fatal("Add pushed something out")
	}
	m.Put("z", 3, time.Hour)
	if _, ok := m.Get("x"); ok || m.Len() != 2 {
		t.Fatal("a full map must give up the entry that expires first")
	}
	if v, ok := m.Take("y"); !ok || v != 2 {
		t.Fatal("Take lost a living value")
	}
	if _, ok := m.Take("y"); ok {
		t.Fatal("Take gave a value twice")
	}
	m.Clear()
	if m.Len() != 0 {
		t.Fatal("Clear left something")
	}
}
