package controllers

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Many leftovers go into several Secrets, each of which a Secret can hold and can be read alone; the same lines make the same
// Secrets; too many are refused.
func TestLeftoverParts(t *testing.T) {
	noise := rand.NewChaCha8([32]byte{1})
	line := func() []byte { // hardly to be compressed
		b := make([]byte, 4096)
		_, _ = noise.Read(b)
		return fmt.Appendf(nil, `{"delivery":"%x"}`, b)
	}
	var lines [][]byte
	for range 600 {
		lines = append(lines, line())
	}
	cut := func() parts {
		var p parts
		for _, l := range lines {
			if err := p.add(l); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p, again := cut(), cut()
	if p.lines != len(lines) || len(p.done) < 3 {
		t.Fatalf("%d lines in %d parts", p.lines, len(p.done))
	}
	total := 0
	connector := &v1alpha1.OAConnector{}
	connector.Name = "hq"
	for i, part := range p.done {
		if len(part.data) > 1<<20 {
			t.Errorf("part %d has %d bytes", i, len(part.data))
		}
		if a, b := leftoverSecret(connector, part, i, 3), leftoverSecret(connector, again.done[i], i, 3); a.Name != b.Name {
			t.Errorf("part %d is named %s and %s", i, a.Name, b.Name)
		}
		z, err := gzip.NewReader(bytes.NewReader(part.data))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || strings.Count(string(text), "\n") != part.lines {
			t.Errorf("part %d: %v, %d lines", i, err, part.lines)
		}
		total += part.lines
	}
	if total != len(lines) {
		t.Errorf("%d lines in all", total)
	}

	var many parts
	err := error(nil)
	for range 10_000 {
		if err = many.add(line()); err != nil {
			break
		}
	}
	if !errors.Is(err, errLeftoversTooLarge) {
		t.Errorf("too many: %v", err)
	}
}
