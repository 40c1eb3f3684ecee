package quota

import (
	"testing"
	"time"
)

func TestBlocks(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	c := New(func() time.Time { return now })
	perMinute := Limit{Max: 3, Per: time.Minute, Block: time.Minute}
	for i := range 3 {
		if !c.Allow("send", perMinute) {
			t.Fatalf("call %d was refused", i+1)
		}
	}
	now = now.Add(30 * time.Second)
	if c.Allow("send", perMinute) {
		t.Error("a fourth call in the minute passed")
	}
	if !c.Allow("other", perMinute) {
		t.Error("another key is blocked")
	}
	now = now.Add(59 * time.Second) // the window is over, the block is not
	if c.Allow("send", perMinute) {
		t.Error("the block ended early")
	}
	now = now.Add(time.Second)
	for range 3 {
		if !c.Allow("send", perMinute) {
			t.Fatal("the block does not end")
		}
	}
	now = now.Add(time.Minute)
	if !c.Allow("send", perMinute) {
		t.Error("the window does not end")
	}
	for range 100 {
		if !c.Allow("free", Limit{Per: time.Minute}) {
			t.Fatal("no limit refused a call")
		}
	}
	noBlock := Limit{Max: 1, Per: time.Minute}
	for i, want := range []bool{true, false, false} {
		if c.Allow("drop", noBlock) != want {
			t.Errorf("call %d without a block: %v", i, !want)
		}
	}
	c.Reset()
	if !c.Allow("send", Limit{Max: 1, Per: time.Minute}) || c.Allow("send", Limit{Max: 1, Per: time.Minute}) {
		t.Error("a limit of one")
	}
}
