package drivers

import (
	"crypto/sha1" //nolint:gosec // the seed's own algorithm
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
)

// The secret of Weaver's links is replaced again and again while people click: the CRM side accepts both from the moment on at
// which the next one is there, the OA changes over, and the old one goes. No click is refused; with the old secret none is let in
// afterwards.
func TestNoClickIsRefusedWhileTheLinkSecretRotates(t *testing.T) { // F47 F49
	dir := t.TempDir()
	write := func(key, value string) {
		path := filepath.Join(dir, bundle.SlotSSO, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"_tmp", []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"_tmp", path); err != nil {
			t.Fatal(err)
		}
	}
	write("link-secret", "link-secret-number-0")
	b := bundleFor("Weaver", "http://oa.example")
	b.SSO = &bundle.SSO{Mode: "SignedLink", SignedLink: &bundle.SignedLink{Algorithm: "SHA1"}, MaxSkew: bundle.Duration(5 * time.Minute)}
	signIn, err := NewSignIn(&b, dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	click := func(secret string, n int) error {
		stamp := fmt.Sprint(time.Now().UnixMilli())
		sum := sha1.Sum([]byte(secret + "0001" + stamp)) //nolint:gosec // as above
		_, err := signIn.Link.Read(oa.Link{Query: url.Values{"loginid": {"0001"}, "stamp": {stamp}, "token": {hex.EncodeToString(sum[:])}}})
		if err != nil {
			return fmt.Errorf("click %d: %w", n, err)
		}
		return nil
	}
	// signing is held while somebody signs and clicks, so that the OA changes over between two clicks.
	var signing sync.RWMutex
	used := "link-secret-number-0"
	done := make(chan struct{})
	var load sync.WaitGroup
	for range pushers {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				signing.RLock()
				err := click(used, n)
				signing.RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	pause := time.NewTicker(60 * time.Millisecond) // longer than a look at the files is spared
	defer pause.Stop()
	for i := 1; i <= 2*rotations; i++ {
		secret := fmt.Sprint("link-secret-number-", i)
		write("link-secret.next", secret)
		for click(secret, i) != nil { // until it is seen
			<-pause.C
		}
		signing.Lock()
		used = secret
		signing.Unlock()
		write("link-secret", secret)
		if err := os.Remove(filepath.Join(dir, bundle.SlotSSO, "link-secret.next")); err != nil {
			t.Fatal(err)
		}
		old := fmt.Sprint("link-secret-number-", i-1)
		for deadline := time.Now().Add(10 * time.Second); click(old, i) == nil; <-pause.C {
			if time.Now().After(deadline) {
				t.Fatalf("the secret before rotation %d still lets people in", i)
			}
		}
	}
	close(done)
	load.Wait()
}
