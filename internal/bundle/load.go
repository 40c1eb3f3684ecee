package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// MaxDocumentSize bounds bundle.json, in bytes: a ConfigMap takes 1 MiB.
const MaxDocumentSize = 900 << 10

// hashLength is how many hexadecimal digits of the SHA-256 of bundle.json stand for the bundle: enough that no two
// revisions of a connector share them, short enough for a status, a label and a person.
const hashLength = 16

// Hash stands for a whole bundle: the beginning of the SHA-256 of bundle.json, which holds the hashes of the shards.
func Hash(files map[string][]byte) string { return hashOf(files[FileName]) }

func hashOf(document []byte) string { return sum(document)[:hashLength] }

// Loaded is a bundle that was read from a directory and verified. It never changes.
type Loaded struct {
	Bundle   *Bundle
	Hash     string
	Accounts *Directory
}

// Identify says whose bundle lies in a directory, also when it cannot be used otherwise.
func Identify(dir string) (namespace, name string, err error) {
	document, err := readFile(dir, FileName, MaxDocumentSize)
	if err != nil {
		return "", "", err
	}
	var b struct{ Namespace, Name string }
	if err := json.Unmarshal(document, &b); err != nil {
		return "", "", fmt.Errorf("%s is not a bundle: %w", FileName, err)
	}
	return b.Namespace, b.Name, nil
}

// Load reads a bundle directory. The files must belong together: while they are being replaced one by one, Load fails
// and names the file that does not fit, and the caller keeps what it has.
func Load(dir string) (*Loaded, error) {
	document, err := readFile(dir, FileName, MaxDocumentSize)
	if err != nil {
		return nil, err
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(document, &version); err != nil {
		return nil, fmt.Errorf("%s is not a bundle: %w", FileName, err)
	}
	if version.Format != Format {
		return nil, fmt.Errorf("%s has format %d, this program reads format %d; run the version of oabridge that the operator has", FileName, version.Format, Format)
	}
	b := &Bundle{}
	if err := json.Unmarshal(document, b); err != nil {
		return nil, fmt.Errorf("%s is not a bundle: %w", FileName, err)
	}
	accounts, err := loadAccounts(dir, b.Accounts.Shards)
	if err != nil {
		return nil, err
	}
	return &Loaded{Bundle: b, Hash: hashOf(document), Accounts: accounts}, nil
}

func loadAccounts(dir string, shards []Shard) (*Directory, error) {
	total := 0
	for _, s := range shards {
		total += min(max(s.Pairs, 0), MaxPairs)
	}
	pairs := make([]v1alpha1.AccountPair, 0, min(total, MaxPairs))
	var held []string
	for _, s := range shards {
		if s.File != filepath.Base(s.File) || s.File == "." || s.File == ".." {
			return nil, fmt.Errorf("%s names the shard %q, which is not a file beside it", FileName, s.File)
		}
		file, err := readFile(dir, s.File, MaxShardSize)
		if err != nil {
			return nil, fmt.Errorf("an account shard of %s: %w", FileName, err)
		}
		if sum(file) != s.SHA256 {
			return nil, fmt.Errorf("%s does not belong to this %s: its SHA-256 differs (is it just being replaced?)", s.File, FileName)
		}
		err = readShard(file,
			func(crm, oa string) { pairs = append(pairs, v1alpha1.AccountPair{CRM: crm, OA: oa}) },
			func(crm string) { held = append(held, crm) })
		if err != nil {
			return nil, fmt.Errorf("%s is not an account shard: %w", s.File, err)
		}
	}
	return NewDirectory(pairs, held), nil
}

func readFile(dir, name string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %w", name, os.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, nil
}
