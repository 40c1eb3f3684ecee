package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

// keepSignIns answers 204 when the sign-ins that the gateway tells of are in the index.
func (d *Dispatcher) keepSignIns(w http.ResponseWriter, r *http.Request) {
	if !d.keys.isPeer(r.Header.Get("Authorization")) {
		crm.NewProblem(http.StatusUnauthorized, "the bearer token is not that of this connector's gateway").WriteTo(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, audit.MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		crm.NewProblem(http.StatusRequestEntityTooLarge, "sign-ins have at most %d bytes together", audit.MaxBody).WriteTo(w)
		return
	}
	var batch []audit.SignIn
	if err != nil || json.Unmarshal(body, &batch) != nil || len(batch) > audit.MaxBatch {
		crm.NewProblem(http.StatusBadRequest, "the body must be a JSON list of at most %d sign-ins", audit.MaxBatch).WriteTo(w)
		return
	}
	for i := range batch {
		if !batch[i].Valid() {
			crm.NewProblem(http.StatusBadRequest, "sign-in %d of the list: it lacks an id, time or code, or a text is longer than %d bytes", i, audit.MaxText).WriteTo(w)
			return
		}
	}
	s := d.session.Load()
	if s == nil {
		later(retryBusy, "the store is not open").WriteTo(w)
		return
	}
	x, problem := s.opened()
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	tell := d.clicked(r.Context(), s, x, batch) // looked up first: once they are kept nobody sends them again, and the store may close
	if err := x.AddSignIns(r.Context(), batch); err != nil {
		d.log.Error(err, "cannot keep sign-ins; the gateway sends them again")
		later(retryBusy, "the index does not take sign-ins now").WriteTo(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
	tell()
}

// signIns answers the newest sign-ins that fit, the newest last.
func (l local) signIns(w http.ResponseWriter, r *http.Request) {
	q, s, ok := l.admit(w, r, lookup.PathSignIns)
	if !ok {
		return
	}
	patient, cancel := context.WithTimeout(r.Context(), freshWait)
	defer cancel()
	s.index.ready(patient)
	x, problem := s.opened()
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	found, err := x.SignIns(r.Context(), index.SignInFilter{
		Accounts: q.accounts, CRMAccounts: q.crmAccounts, Codes: q.codes, Modes: q.modes, TraceEnds: q.traceEnds,
		Since: q.since, Until: q.until, After: q.cursor, Limit: q.limit,
	})
	switch {
	case errors.Is(err, index.ErrPlace):
		badCursor().WriteTo(w)
		return
	case err != nil:
		l.log.Error(err, "a look-up of sign-ins failed")
		later(retryBusy, "the index of the records does not answer: %v", err).WriteTo(w)
		return
	}
	p := page{full: len(found) == q.limit}
	for i := range found {
		if !p.add(found[i], index.SignInPlace(&found[i])) {
			break
		}
	}
	p.write(w, r)
}
