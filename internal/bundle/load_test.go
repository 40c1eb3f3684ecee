package bundle_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

var update = flag.Bool("update", false, "rewrite golden files")

func write(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoad(t *testing.T) {
	dir, out := t.TempDir(), compile(t, input(t))
	write(t, dir, out.Files)
	l, err := bundle.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if l.Hash != out.Hash || l.Accounts.Len() != 2 || l.Bundle.Name != "hq" || l.Bundle.Delivery.Timeout.Std() != time.Minute {
		t.Errorf("%+v", l)
	}
	for crm, want := range map[string]struct {
		oa    string
		state bundle.Binding
	}{
		"1000": {"zhangsan", bundle.Bound}, "1002": {"lisi", bundle.Bound},
		"1003": {"", bundle.Conflicting}, // its OA account belongs to 1002
		"1004": {"", bundle.Unbound},
	} {
		if oa, state := l.Accounts.OA(crm); oa != want.oa || state != want.state {
			t.Errorf("%s: %q %v", crm, oa, state)
		}
	}
	if crm, ok := l.Accounts.CRM("lisi"); crm != "1002" || !ok {
		t.Errorf("lisi is %q %v", crm, ok)
	}
	if crm, ok := l.Accounts.CRM("nobody"); ok {
		t.Errorf("nobody is %q", crm)
	}
}

// Files that do not belong together are refused, and the file that does not fit is named.
func TestLoadRefuses(t *testing.T) {
	out := compile(t, input(t))
	const shard = "accounts-00.jsonl.gz"
	for name, c := range map[string]struct {
		spoil func(dir string) error
		words string
	}{
		"torn update":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, shard), []byte("old"), 0o600) }, shard + " does not belong"},
		"shard missing": {func(dir string) error { return os.Remove(filepath.Join(dir, shard)) }, shard + " is missing"},
		"no bundle":     {func(dir string) error { return os.Remove(filepath.Join(dir, bundle.FileName)) }, "bundle.json is missing"},
		"not JSON":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, bundle.FileName), []byte("{"), 0o600) }, "bundle.json is not a bundle"},
		"too large": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, bundle.FileName), make([]byte, bundle.MaxDocumentSize+1), 0o600)
		}, "more than"},
		"newer format": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, bundle.FileName), []byte(`{"format":2}`), 0o600)
		}, "has format 2"},
		"file elsewhere": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, bundle.FileName), []byte(`{"format":1,"accounts":{"shards":[{"file":"../x"}]}}`), 0o600)
		}, "not a file beside it"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, out.Files)
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := bundle.Load(dir); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A changed pair rewrites one shard and bundle.json, nothing else.
func TestOnePairIsOneShard(t *testing.T) {
	for _, n := range []int{10, 5_000, 5_001} { // one shard, one full shard, sixteen
		in := input(t)
		in.Sets = []bundle.AccountSet{staff(n)}
		before := compile(t, in)
		for range 5 {
			in.Sets = []bundle.AccountSet{staff(n)}
			in.Sets[0].Pairs[rand.IntN(n)].OA = "someone-else"
			after := compile(t, in)
			changed := 0
			for name, data := range after.Files {
				if string(before.Files[name]) != string(data) {
					changed++
				}
			}
			if changed != 2 || len(before.Files) != len(after.Files) || before.Hash == after.Hash {
				t.Fatalf("%d of %d files changed", changed, len(after.Files))
			}
		}
	}
}

func staff(n int) bundle.AccountSet {
	s := set("staff", 1)
	for i := range n {
		s.Pairs = append(s.Pairs, v1alpha1.AccountPair{CRM: fmt.Sprint(1000 + i), OA: fmt.Sprint("user", i)})
	}
	return s
}

// 100,000 people fit, are found again, and are spread evenly.
func TestManyPairs(t *testing.T) {
	const n = 100_000
	in := input(t)
	in.Sets = []bundle.AccountSet{staff(n)}
	out := compile(t, in)
	if len(out.Files) != 17 || out.Pairs != n {
		t.Errorf("%d files, %d pairs", len(out.Files), out.Pairs)
	}
	for _, s := range out.Bundle.Accounts.Shards {
		if s.Pairs < n/16*8/10 || s.Pairs > n/16*12/10 || len(out.Files[s.File]) >= bundle.MaxShardSize {
			t.Errorf("%s: %d pairs, %d bytes", s.File, s.Pairs, len(out.Files[s.File]))
		}
	}
	dir := t.TempDir()
	write(t, dir, out.Files)
	l, err := bundle.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range in.Sets[0].Pairs {
		oa, state := l.Accounts.OA(p.CRM)
		crm, ok := l.Accounts.CRM(p.OA)
		if oa != p.OA || state != bundle.Bound || crm != p.CRM || !ok {
			t.Fatalf("%v: %q %v %q %v", p, oa, state, crm, ok)
		}
	}
}

// Accounts that cannot be compressed take more shards than their number alone says.
func TestLongAccountsTakeMoreShards(t *testing.T) {
	in, random := input(t), rand.New(rand.NewPCG(1, 2))
	name := func() string {
		b := make([]byte, 96)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	s := set("long", 1)
	for range 5_000 {
		s.Pairs = append(s.Pairs, v1alpha1.AccountPair{CRM: name(), OA: name()})
	}
	in.Sets = []bundle.AccountSet{s}
	if out := compile(t, in); len(out.Files) != 17 {
		t.Errorf("%d files", len(out.Files))
	}
}

// The workload follows the folder: a new bundle is loaded, a torn one is reported and what was live stays live, and the
// same files again end the report.
func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle") // appears later
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	loaded, failed, done := make(chan *bundle.Loaded, 16), make(chan error, 16), make(chan error, 1)
	go func() {
		done <- bundle.Watch(ctx, dir, func(l *bundle.Loaded) { loaded <- l }, func(err error) { failed <- err })
	}()
	next := func(want string) {
		t.Helper()
		for {
			select {
			case l := <-loaded:
				if l.Hash == want {
					return
				}
			case <-failed: //nolint:errcheck // the files are written one by one
			case <-ctx.Done():
				t.Fatalf("%s was not loaded", want)
			}
		}
	}
	if err := <-failed; !strings.Contains(err.Error(), "missing") {
		t.Fatal(err)
	}
	first := compile(t, input(t))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, first.Files)
	next(first.Hash)

	in := input(t)
	in.Sets = append(in.Sets, set("more", 0, "1009=wangwu"))
	second := compile(t, in)
	write(t, dir, map[string][]byte{"accounts-00.jsonl.gz": second.Files["accounts-00.jsonl.gz"]})
	select {
	case err := <-failed:
		if !strings.Contains(err.Error(), "accounts-00.jsonl.gz") {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("the torn update was not reported")
	}
	write(t, dir, map[string][]byte{"accounts-00.jsonl.gz": first.Files["accounts-00.jsonl.gz"]})
	next(first.Hash)
	write(t, dir, second.Files)
	next(second.Hash)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The document survives a round trip, so that Previous can be read back from the cluster.
func TestBundleRoundTrip(t *testing.T) {
	out := compile(t, input(t))
	var b bundle.Bundle
	if err := json.Unmarshal(out.Files[bundle.FileName], &b); err != nil {
		t.Fatal(err)
	}
	in := input(t)
	in.Previous = &b
	if again := compile(t, in); again.Hash != out.Hash {
		t.Errorf("%s became %s", out.Hash, again.Hash)
	}
}
