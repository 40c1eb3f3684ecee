package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// maxPendingAccounts bounds the people that are asked for at once.
	maxPendingAccounts = 1000
	// defaultPendings and maxPendings are the items of one answer; maxPendingBytes ends it earlier, in bytes.
	defaultPendings = 100
	maxPendings     = 1000
	maxPendingBytes = 4 << 20
	// maxPendingRequest bounds a question, in bytes.
	maxPendingRequest = 1 << 20
)

// listed reports whether items of a template's kind stand in the list that the OA reads.
func (v *live) listed(kind string) bool {
	s := v.bundle.OA.Seeyon
	return s != nil && s.Pull != nil && kind == crm.Todo
}

// passive reports whether the OA asks for everything: then it is never called, and need not be reachable from here.
func (v *live) passive() bool {
	s := v.bundle.OA.Seeyon
	return s != nil && s.PullOnly && !slices.ContainsFunc(v.bundle.Scenarios, func(d scenario.Definition) bool { return d.Enabled && !v.listed(d.Kind) })
}

// idlePusher takes the place of the driver of an OA that is never called.
type idlePusher struct{}

// Push implements oa.Pusher.
func (idlePusher) Push(context.Context, scenario.Request, scenario.Result) oa.Attempt {
	return oa.Attempt{Class: oa.Internal, Message: "the OA asks for its items and is not called"}
}

// Probe implements oa.Pusher.
func (idlePusher) Probe(context.Context) oa.Attempt { return oa.Attempt{} }

// list is what an action changes in the list that the OA reads: an open item stands there as its creation would write it.
func list(s *scenario.Scenario, a scenario.Action, f scenario.Fields) (*record.Listed, error) {
	if a == scenario.Complete || a == scenario.Delete {
		return &record.Listed{}, nil
	}
	request, err := s.Render(scenario.Create, f)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(request.Body, &object); err != nil {
		return nil, errors.New("the body of the action create is no JSON object; spec.seeyon.mode Pull and Both need one")
	}
	return &record.Listed{Item: string(request.Body)}, nil
}

// pendings answers Seeyon, which asks for the open to-dos of bound people (F86, F102, F103). The contract is
// docs/reference/seeyon-pull.md; the items are those of receive/pendings [SEED3].
type pendings struct{ *Dispatcher }

// pendingsQuestion is what Seeyon asks.
type pendingsQuestion struct {
	RegisterCode string   `json:"registerCode"`
	Accounts     []string `json:"accounts"`
	Limit        int      `json:"limit"`
	After        string   `json:"after"`
}

// pendingsAnswer is a page of the list.
type pendingsAnswer struct {
	// PendingList has the form of receive/pendings.
	PendingList []json.RawMessage `json:"pendingList"`
	// Total counts the open items of all pages, Next asks for the page after this one; empty at the end.
	Total int64  `json:"total"`
	Next  string `json:"next,omitempty"`
}

// before answers Seeyon at the path of the live bundle, and leaves everything else to next.
func (p pendings) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := p.live.Load()
		style := v.style(r.URL.Path)
		switch methods := style.methods(); {
		case style == styleNone:
			next.ServeHTTP(w, r)
		case !slices.Contains(methods, r.Method):
			w.Header().Set("Allow", strings.Join(methods, ", "))
			crm.NewProblem(http.StatusMethodNotAllowed, "spec.seeyon.pull.style is %s: ask with %s", style, strings.Join(methods, " or ")).WriteTo(w)
		default:
			p.serve(w, r, v, style)
		}
	})
}

func (p pendings) serve(w http.ResponseWriter, r *http.Request, v *live, style pullStyle) {
	page, problem := p.answer(r, v, style)
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	var answer any = page
	if style == styleBuiltIn { // the provider's own return value
		answer = page.PendingList
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(answer)
}

func (p pendings) answer(r *http.Request, v *live, style pullStyle) (a pendingsAnswer, problem *crm.Problem) {
	if v == nil {
		return a, later(retryBusy, "the dispatcher has no usable configuration yet: see the conditions of the connector")
	}
	if !v.listed(crm.Todo) {
		return a, crm.NewProblem(http.StatusNotFound, "to-dos of this connector are pushed: set spec.seeyon.mode to Pull or Both to ask for them")
	}
	pull := v.bundle.OA.Seeyon.Pull
	if !p.keys.isReader(r.Header.Get("Authorization")) {
		return a, crm.NewProblem(http.StatusUnauthorized, "the bearer token is not that of spec.seeyon.pull.tokenSecretRef")
	}
	if !from(pull.AllowedCIDRs, r.RemoteAddr) {
		return a, crm.NewProblem(http.StatusForbidden, "this address may not ask: see spec.seeyon.pull.allowedCIDRs")
	}
	q, problem := style.question(r)
	if problem != nil {
		return a, problem
	}
	if q.RegisterCode != v.bundle.OA.Seeyon.RegisterCode {
		return a, crm.NewProblem(http.StatusForbidden, "registerCode: it is not that of this connector (spec.seeyon.registerCode)")
	}
	x, problem := p.wholeIndex(r.Context())
	if problem != nil {
		return a, problem
	}
	page, total, err := x.Pendings(r.Context(), v.bound(pull.Accounts, q.Accounts), q.After, q.Limit+1)
	if errors.Is(err, index.ErrPlace) {
		return a, crm.NewProblem(http.StatusBadRequest, "after: %v", err)
	}
	if err != nil {
		p.log.Error(err, "the list of open items cannot be read")
		return a, later(retryBusy, "the list of open items does not answer: ask again later")
	}
	a = pendingsAnswer{PendingList: make([]json.RawMessage, 0, min(len(page), q.Limit)), Total: total}
	size := 0
	for i := range page {
		if size += len(page[i].Item); i == q.Limit || i > 0 && size > maxPendingBytes {
			if style == styleBuiltIn { // a list that lacks an item would take it from the person
				return a, crm.NewProblem(http.StatusRequestEntityTooLarge, "the list is longer than one answer may be (%d items, %d bytes): ask for fewer accounts at once, or use the style URL or Interface, which has pages", maxPendings, maxPendingBytes)
			}
			a.Next = page[i-1].After()
			break
		}
		a.PendingList = append(a.PendingList, json.RawMessage(page[i].Item))
	}
	return a, nil
}

// wholeIndex returns the index when everything that was delivered is in it: an item that an answer lacks would vanish at
// the OA.
func (p pendings) wholeIndex(ctx context.Context) (*index.Index, *crm.Problem) {
	late := later(retryBusy, "the list of open items is being brought up to date: ask again")
	s := p.session.Load()
	if s == nil || s.queue.Type != queueNATS && s.engine(0) == nil {
		return nil, late
	}
	patient, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	s.index.ready(patient)
	x, _ := s.index.use()
	if x == nil {
		return nil, late
	}
	if s.index.await(patient); patient.Err() != nil {
		return nil, late
	}
	return x, nil
}

// bound returns those of the asked people that have a binding; nobody else's items are shown.
func (v *live) bound(by string, asked []string) []index.Account {
	var out []index.Account
	for _, account := range slices.Compact(slices.Sorted(slices.Values(asked))) {
		if by == string(v1alpha1.SeeyonAccountsCRM) {
			if oa, state := v.accounts.OA(account); state == bundle.Bound {
				out = append(out, index.Account{CRM: account, OA: oa})
			}
		} else if crm, ok := v.accounts.CRM(account); ok {
			out = append(out, index.Account{CRM: crm, OA: account})
		}
	}
	return out
}

// from reports whether an address is in one of the ranges, or there are none.
func from(ranges []string, remote string) bool {
	if len(ranges) == 0 {
		return true
	}
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ranges, func(r string) bool {
		prefix, err := netip.ParsePrefix(r)
		return err == nil && prefix.Contains(address.Unmap())
	})
}
