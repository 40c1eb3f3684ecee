package bundle_test

import (
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
)

func BenchmarkCompile(b *testing.B) {
	for name, n := range map[string]int{"1000": 1_000, "100000": 100_000} {
		b.Run(name, func(b *testing.B) {
			in := input(b)
			in.Sets = []bundle.AccountSet{staff(n)}
			for b.Loop() {
				compile(b, in)
			}
		})
	}
}

func BenchmarkLoad100000(b *testing.B) {
	in := input(b)
	in.Sets = []bundle.AccountSet{staff(100_000)}
	dir := b.TempDir()
	write(b, dir, compile(b, in).Files)
	for b.Loop() {
		if _, err := bundle.Load(dir); err != nil {
			b.Fatal(err)
		}
	}
}
