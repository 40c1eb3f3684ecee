package bundle_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/oabridge/oabridge/internal/bundle"
)

const fuzzedShard = "accounts-00.jsonl.gz"

// Whatever lies in the directory, Load returns a bundle of this format or an error that names a file.
func FuzzLoad(f *testing.F) { // TM-27
	out := compile(f, input(f))
	f.Add(out.Files[bundle.FileName], out.Files[fuzzedShard])
	for _, document := range []string{"", "{}", "null", `{"format":1}`, `{"format":"1"}`, `{"format":1,"accounts":{"shards":[{"file":"..","pairs":-1}]}}`,
		`{"format":1,"accounts":{"shards":[{"file":"bundle.json"}]}}`, `{"format":1,"delivery":{"timeout":"1"}}`, `{"format":1,"format":2}`} {
		f.Add([]byte(document), []byte{})
	}
	f.Fuzz(func(t *testing.T, document, shard []byte) {
		dir := t.TempDir()
		write(t, dir, map[string][]byte{bundle.FileName: document, fuzzedShard: shard})
		l, err := bundle.Load(dir)
		if err != nil {
			if l != nil || !strings.Contains(err.Error(), bundle.FileName) && !strings.Contains(err.Error(), ".gz") {
				t.Fatalf("the error names no file: %v", err)
			}
			return
		}
		if l.Bundle.Format != bundle.Format || len(l.Hash) != 16 {
			t.Fatalf("loaded %+v", l)
		}
	})
}

// Whatever a shard holds that belongs to its document, every pair that is loaded can be asked for in both directions.
func FuzzLoadShard(f *testing.F) {
	for _, text := range []string{`["1000","zhangsan"]` + "\n" + `["1003"]`, "[]", "[null]", `["a","b","c"]`, `["a"`, `{"a":1}`, `"x"`,
		`["1","x"]["2","x"]`, `["1","x"]["1","y"]`, "[\"\xff\",\"\"]"} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, compressed bool) {
		shard := text
		if compressed {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			if _, err := w.Write(text); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			shard = b.Bytes()
		}
		sum := sha256.Sum256(shard)
		document, err := json.Marshal(map[string]any{
			"format": bundle.Format, "accounts": bundle.Accounts{Shards: []bundle.Shard{{File: fuzzedShard, SHA256: hex.EncodeToString(sum[:]), Pairs: 1}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, map[string][]byte{bundle.FileName: document, fuzzedShard: shard})
		l, err := bundle.Load(dir)
		if err != nil {
			return
		}
		found := 0
		for dec := json.NewDecoder(bytes.NewReader(text)); ; {
			var line []string
			if dec.Decode(&line) != nil {
				break
			}
			if len(line) != 2 {
				continue
			}
			found++
			if oa, state := l.Accounts.OA(line[0]); state != bundle.Bound {
				t.Fatalf("%q is not bound: %q %v", line[0], oa, state)
			}
			if _, ok := l.Accounts.CRM(line[1]); !ok {
				t.Fatalf("%q is nobody's", line[1])
			}
		}
		if compressed && found != l.Accounts.Len() {
			t.Fatalf("%d pairs of %d were loaded", l.Accounts.Len(), found)
		}
	})
}

// Whatever a CSV file holds, each pair that is used is made of two accounts, and each line that is not is named by a
// number that the file has. What is used can be written and read again. // F6
func FuzzParseCSV(f *testing.F) {
	for _, text := range []string{"crm,oa\n1000,zhangsan\n", "\uFEFFoa,x,CRM\r\nlisi,,1002\r\n\r\n", "crm,oa\n\"1000\n1,2\"x,y\n", "crm;oa\n1;2", "crm,oa,crm\n",
		"crm,oa\n\xff,1\n", "crm,oa\n,\n 1 , 2 \n", `crm,oa` + "\n" + `"a""b",c`, "crm,oa\n张 三,1"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, rows := bundle.ParseCSV(data)
		lines := bytes.Count(data, []byte("\n")) + 1
		for _, r := range rows {
			if r.Line < 1 || r.Line > lines || r.Cause == "" {
				t.Fatalf("%+v, of %d lines", r, lines)
			}
		}
		var again strings.Builder
		w := csv.NewWriter(&again)
		_ = w.Write([]string{"crm", "oa"})
		for _, p := range pairs {
			for _, s := range []string{p.CRM, p.OA} {
				if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > bundle.MaxAccount || strings.ContainsFunc(s, unicode.IsSpace) || strings.ContainsFunc(s, unicode.IsControl) {
					t.Fatalf("%q is used as an account", s)
				}
			}
			_ = w.Write([]string{p.CRM, p.OA})
		}
		w.Flush()
		if len(pairs)+len(rows) > lines {
			t.Fatalf("%d pairs and %d errors of %d lines", len(pairs), len(rows), lines)
		}
		reread, errs := bundle.ParseCSV([]byte(again.String()))
		if len(reread) != len(pairs) || len(errs) > 0 {
			t.Fatalf("written again, %d pairs became %d: %v", len(pairs), len(reread), errs)
		}
		for i := range pairs {
			if reread[i] != pairs[i] {
				t.Fatalf("%+v became %+v", pairs[i], reread[i])
			}
		}
	})
}
