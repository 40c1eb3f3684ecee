// Package profiling serves the profiles of the Go runtime to whoever has the token.
package profiling

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// Path below which profiles are.
const Path = "/debug/pprof/"

// Mux adds the profiles of this process to a mux, without protection.
func Mux(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Path, pprof.Index) // heap, goroutine, allocs, block, mutex too
	mux.HandleFunc("GET "+Path+"profile", pprof.Profile)
	mux.HandleFunc("GET "+Path+"trace", pprof.Trace)
}

// Protected serves the profiles to requests with a bearer token of the slot profiling of a secrets directory. The files are
// read for each request, so that a token counts, and ceases to count, at once. Without a token there are no profiles.
func Protected(secrets string) http.Handler {
	profiles := http.NewServeMux()
	Mux(profiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens := tokensOf(filepath.Join(secrets, bundle.SlotProfiling))
		if len(tokens) == 0 {
			http.Error(w, "there are no profiles: set spec.observability.profiling", http.StatusNotFound)
			return
		}
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer || !oneOf(given, tokens) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the bearer token is not that of spec.observability.profiling", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		profiles.ServeHTTP(w, r)
	})
}

func tokensOf(dir string) (tokens []string) {
	for _, key := range []string{v1alpha1.KeyToken, v1alpha1.KeyToken + v1alpha1.SuffixNext} {
		text, err := os.ReadFile(filepath.Join(dir, key))
		if token := strings.TrimRight(string(text), "\r\n"); err == nil && token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// oneOf compares hashes, so that neither the time nor the length tells anything.
func oneOf(given string, tokens []string) bool {
	found := 0
	mine := sha256.Sum256([]byte(given))
	for _, token := range tokens {
		sum := sha256.Sum256([]byte(token))
		found |= subtle.ConstantTimeCompare(mine[:], sum[:])
	}
	return found == 1
}
