package dispatch

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
)

// proofHash is the only form in which a proof comes here: nobody can read a ticket out of the store.
var proofHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// proofs remembers used sign-in proofs for all replicas of the gateway, and keeps what one of them grants to another: values
// that only the gateway can read.
type proofs struct {
	dispatcher *Dispatcher
}

// put answers 201 to the first use of a proof and 409 to every other one until its ttl is over.
func (p proofs) put(w http.ResponseWriter, r *http.Request) {
	hash, store, ok := p.admit(w, r)
	if !ok {
		return
	}
	ttl, ok := lifetime(w, r)
	if !ok {
		return
	}
	first, err := store.UseProof(r.Context(), hash, ttl)
	switch {
	case err != nil:
		p.fail(w, err)
	case first:
		w.WriteHeader(http.StatusCreated)
	default:
		crm.NewProblem(http.StatusConflict, "the proof was used before").WriteTo(w)
	}
}

// delete forgets a proof whose verification was not finished.
func (p proofs) delete(w http.ResponseWriter, r *http.Request) {
	hash, store, ok := p.admit(w, r)
	if !ok {
		return
	}
	if err := store.ReleaseProof(r.Context(), hash); err != nil {
		p.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// keep answers 201 when the body is kept for the ttl, and 409 when there is a grant of that name.
func (p proofs) keep(w http.ResponseWriter, r *http.Request) {
	hash, store, ok := p.admit(w, r)
	if !ok {
		return
	}
	ttl, ok := lifetime(w, r)
	if !ok {
		return
	}
	value, err := io.ReadAll(http.MaxBytesReader(w, r.Body, journal.MaxGrant))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		crm.NewProblem(http.StatusRequestEntityTooLarge, "a grant has at most %d bytes", journal.MaxGrant).WriteTo(w)
		return
	}
	if err != nil {
		crm.NewProblem(http.StatusBadRequest, "the body is not complete").WriteTo(w)
		return
	}
	first, err := store.KeepGrant(r.Context(), hash, value, ttl)
	switch {
	case err != nil:
		p.fail(w, err)
	case first:
		w.WriteHeader(http.StatusCreated)
	default:
		crm.NewProblem(http.StatusConflict, "there is a grant of that name").WriteTo(w)
	}
}

// take answers a grant once, and 404 from then on.
func (p proofs) take(w http.ResponseWriter, r *http.Request) {
	hash, store, ok := p.admit(w, r)
	if !ok {
		return
	}
	value, err := store.TakeGrant(r.Context(), hash)
	switch {
	case err != nil:
		p.fail(w, err)
	case value == nil:
		crm.NewProblem(http.StatusNotFound, "there is no such grant, or it was taken").WriteTo(w)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(value)
	}
}

// lifetime reads the query parameter ttl.
func lifetime(w http.ResponseWriter, r *http.Request) (time.Duration, bool) {
	ttl, err := time.ParseDuration(r.URL.Query().Get("ttl"))
	if err != nil || ttl < time.Second || ttl > journal.MaxProofTTL {
		crm.NewProblem(http.StatusBadRequest, "ttl: must be a duration from 1s to %s", journal.MaxProofTTL).WriteTo(w)
		return 0, false
	}
	return ttl, true
}

func (p proofs) admit(w http.ResponseWriter, r *http.Request) (hash string, store *journal.Journal, ok bool) {
	if !p.dispatcher.keys.isPeer(r.Header.Get("Authorization")) {
		crm.NewProblem(http.StatusUnauthorized, "the bearer token is not that of this connector's gateway").WriteTo(w)
		return "", nil, false
	}
	hash = r.PathValue("sha256")
	if !proofHash.MatchString(hash) {
		crm.NewProblem(http.StatusBadRequest, "the path must end in the SHA-256 of the proof, 64 lower-case hex digits").WriteTo(w)
		return "", nil, false
	}
	s := p.dispatcher.session.Load()
	if s == nil {
		// Fail closed: a proof that cannot be remembered must not be accepted.
		later(retryBusy, "the store is not open; the proof must not be accepted").WriteTo(w)
		return "", nil, false
	}
	return hash, s.journal, true
}

func (p proofs) fail(w http.ResponseWriter, err error) {
	p.dispatcher.log.Error(err, "cannot keep a proof")
	later(retryBusy, "the store does not answer; the proof must not be accepted").WriteTo(w)
}
