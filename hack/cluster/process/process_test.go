package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestParseStart(t *testing.T) {
	rest := " 1 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 "
	cases := map[string]struct {
		stat string
		want uint64
		ok   bool
	}{
		"plain":                 {"7 (etcd) S" + rest + "4711 9 9", 4711, true},
		"spaces and parens":     {"7 (a) (b c) R" + rest + "12 9 9", 12, true},
		"zombie is not running": {"7 (etcd) Z" + rest + "4711 9 9", 0, false},
		"cut off":               {"7 (etcd) S 1 1", 0, false},
		"not a stat":            {"", 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseStart(c.stat)
			if (err == nil) != c.ok || got != c.want {
				t.Errorf("got %d, %v; want %d, ok %v", got, err, c.want, c.ok)
			}
		})
	}
}

func TestKillSparesRecycledID(t *testing.T) {
	log := filepath.Join(t.TempDir(), "sleep.log")
	p, err := Start("sleep", log, nil, "sleep", "60")
	if err != nil {
		t.Fatal(err)
	}
	other := p
	other.Start-- // as if an older process had had this id
	if other.Alive() {
		t.Fatal("another start time passes for the same process")
	}
	if err := other.Kill(); err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Fatal("a process with a recycled id was killed")
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if p.Alive() {
		t.Fatal("still alive after Kill")
	}
}

func TestMatchingFindsByProgramAndText(t *testing.T) {
	marker := "61." + strconv.Itoa(os.Getpid())
	p, err := Start("sleep", filepath.Join(t.TempDir(), "log"), nil, "sleep", marker)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if got := Matching("sleep", marker); len(got) != 1 || got[0].PID != p.PID {
		t.Errorf("got %v, want only %v", got, p)
	}
	if got := Matching("no-such-program", marker); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Repeat("old\n", 50)+"a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Tail(path, 2); got != "a\nb" {
		t.Errorf("got %q", got)
	}
}
