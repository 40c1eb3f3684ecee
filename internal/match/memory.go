package match

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// The memory of an AccountBinding holds the pairs that were matched, so that they stay: a ConfigMap with one key.
const (
	// MemoryKey of the ConfigMap.
	MemoryKey = "pairs.csv.gz"
	// MaxMemory bounds the value, in bytes: a ConfigMap takes 1 MiB. It is enough for more than 100,000 pairs.
	MaxMemory = 900 << 10
	// maxMemoryText bounds it after decompression, in bytes.
	maxMemoryText = 64 << 20
)

// MemoryName is the name of the ConfigMap.
func MemoryName(binding string) string { return binding + "-matched" }

// EncodeMemory writes pairs as compressed CSV. The same pairs give the same bytes, in whatever order.
func EncodeMemory(pairs []v1alpha1.AccountPair) ([]byte, error) {
	sorted := slices.SortedFunc(slices.Values(pairs), func(a, b v1alpha1.AccountPair) int { return cmp.Compare(a.CRM, b.CRM) })
	text, err := bundle.AppendCSV(nil, sorted)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression) // the header holds no time
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > MaxMemory {
		return nil, fmt.Errorf("%d pairs do not fit into a ConfigMap: spread the people of the CRM over the directories of several AccountBindings", len(pairs))
	}
	return out.Bytes(), nil
}

// DecodeMemory is the inverse of EncodeMemory.
func DecodeMemory(file []byte) ([]v1alpha1.AccountPair, error) {
	var text bytes.Buffer
	if err := unpack(&text, file); err != nil {
		return nil, err
	}
	pairs, rows := bundle.ParseCSV(text.Bytes())
	if len(rows) > 0 {
		return nil, rows[0]
	}
	return pairs, nil
}

// CheckMemory says whether DecodeMemory can read a file, at a fifth of its cost: by the checksum.
func CheckMemory(file []byte) error { return unpack(io.Discard, file) }

func unpack(w io.Writer, file []byte) error {
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(r, maxMemoryText+1))
	if err == nil && n > maxMemoryText {
		err = errors.New("too large")
	}
	return err
}
