package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Limits of the account shards.
const (
	// MaxPairs that the AccountBindings of one connector may have, conflicts included.
	MaxPairs = 1_000_000
	// MaxShardSize bounds one shard file, in bytes: a ConfigMap takes 1 MiB.
	MaxShardSize = 900 << 10
	// maxShardText bounds a shard after decompression, in bytes.
	maxShardText = 64 << 20
)

// tiers say how many shards there are: few for few pairs, because each is an object in the cluster; and never a number
// that changes with every pair, because then every shard would change.
var tiers = []struct{ pairs, shards int }{
	{5_000, 1},
	{200_000, 16},
	{MaxPairs, 64},
}

// makeShards writes pairs and the CRM accounts that are held because of a conflict into shard files. The same input
// gives the same bytes, in whatever order. The error is that they do not fit.
func makeShards(pairs []v1alpha1.AccountPair, held []string) ([]Shard, map[string][]byte, error) {
	total := len(pairs) + len(held)
	if total == 0 {
		return nil, nil, nil
	}
	for _, tier := range tiers {
		if len(pairs) > tier.pairs {
			continue
		}
		if shards, files, ok := writeShards(pairs, held, tier.shards); ok {
			return shards, files, nil
		}
	}
	return nil, nil, fmt.Errorf("%d account pairs do not fit into %d files of %d bytes; use shorter accounts or select fewer AccountBindings",
		len(pairs), tiers[len(tiers)-1].shards, MaxShardSize)
}

// line of a shard: a JSON array ["crm","oa"], or ["crm"] for an account that is held because of a conflict.
type line []string

func writeShards(pairs []v1alpha1.AccountPair, held []string, n int) ([]Shard, map[string][]byte, bool) {
	lines := make([][]line, n)
	add := func(l line) {
		i := shardOf(l[0], n)
		lines[i] = append(lines[i], l)
	}
	for _, p := range pairs {
		add(line{p.CRM, p.OA})
	}
	for _, crm := range held {
		add(line{crm})
	}
	shards, files := make([]Shard, n), make(map[string][]byte, n)
	for i, shard := range lines {
		slices.SortFunc(shard, func(a, b line) int { return cmp.Compare(a[0], b[0]) })
		file, bound := compress(shard)
		if len(file) > MaxShardSize {
			return nil, nil, false
		}
		name := fmt.Sprintf("accounts-%02d.jsonl.gz", i)
		files[name] = file
		shards[i] = Shard{File: name, SHA256: sum(file), Pairs: bound}
	}
	return shards, files, true
}

// shardOf spreads accounts evenly; a CRM account stays in its shard whatever becomes of the others.
func shardOf(crm string, n int) int {
	h := fnv.New64a()
	_, _ = io.WriteString(h, crm)
	x := h.Sum64()
	return int((x ^ x>>32) % uint64(n)) // FNV's low bits alone are weak for short numbers
}

// compressors are used again: each has large tables, and most shards are small. The standard library's take four fifths of the time of a
// compilation, for shards that are 3 % smaller.
var compressors = sync.Pool{New: func() any {
	gz, _ := gzip.NewWriterLevel(nil, gzip.DefaultCompression)
	return gz
}}

func compress(lines []line) (file []byte, bound int) {
	var out bytes.Buffer
	gz := compressors.Get().(*gzip.Writer) //nolint:forcetypeassert // see New
	defer compressors.Put(gz)
	gz.Reset(&out) // the header holds no time: same lines, same bytes
	w := bufio.NewWriter(gz)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		_ = enc.Encode(l)
		if len(l) == 2 {
			bound++
		}
	}
	_ = w.Flush()
	_ = gz.Close()
	return out.Bytes(), bound
}

// readShard is the inverse of compress. It calls pair or held for each line.
func readShard(file []byte, pair func(crm, oa string), held func(crm string)) error {
	gz, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return err
	}
	limited := &io.LimitedReader{R: gz, N: maxShardText}
	dec := json.NewDecoder(limited)
	for {
		var l line
		if err := dec.Decode(&l); err == io.EOF && limited.N > 0 {
			return nil
		} else if err != nil {
			return err
		}
		switch len(l) {
		case 1:
			held(l[0])
		case 2:
			pair(l[0], l[1])
		default:
			return fmt.Errorf("a line has %d entries", len(l))
		}
	}
}

func sum(file []byte) string {
	s := sha256.Sum256(file)
	return hex.EncodeToString(s[:])
}
