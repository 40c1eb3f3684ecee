package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysLife    = 5 * time.Minute // how long a fetched key set is trusted
	keysPause   = time.Second     // between two fetches because of unknown key ids
	maxKeysBody = 1 << 20
)

var errUnknownKey = errors.New("no published key has that id")

// keySets are the published keys of the login issuers, by address.
type keySets struct {
	client *http.Client
	now    func() time.Time

	mu   sync.Mutex
	sets map[string]*keySet
}

// find returns the one public key with an id at an address.
func (k *keySets) find(ctx context.Context, url, id string) (jose.JSONWebKey, error) {
	k.mu.Lock()
	set := k.sets[url]
	if set == nil {
		set = &keySet{client: k.client, now: k.now, url: url}
		k.sets[url] = set
	}
	k.mu.Unlock()
	return set.find(ctx, id)
}

// keySet is one issuer's published keys, fetched when they are needed and again when an unknown key id appears.
type keySet struct {
	client *http.Client
	now    func() time.Time
	url    string

	mu      sync.Mutex
	keys    jose.JSONWebKeySet
	fetched time.Time
}

func (k *keySet) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.fetched)
	known := k.keys.Key(id)
	if age >= keysLife || len(known) == 0 && age >= keysPause {
		if err := k.fetch(ctx); err != nil {
			return jose.JSONWebKey{}, err
		}
		known = k.keys.Key(id)
	}
	if len(known) != 1 || !known[0].IsPublic() || !known[0].Valid() || known[0].Use != "" && known[0].Use != "sig" {
		return jose.JSONWebKey{}, errUnknownKey
	}
	return known[0], nil
}

func (k *keySet) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the key set answered HTTP %d", resp.StatusCode)
	}
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxKeysBody)).Decode(&keys); err != nil {
		return fmt.Errorf("the key set is not readable: %w", err)
	}
	k.keys, k.fetched = keys, k.now()
	return nil
}
