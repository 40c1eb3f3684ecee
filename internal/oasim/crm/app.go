package crm

import (
	"crypto/rand"
	"sync"
	"time"
)

// App is the enterprise's own app through which others use the open interface (SEED1).
type App struct {
	AppID         string `json:"appId"`
	AppSecret     string `json:"appSecret"`
	PermanentCode string `json:"permanentCode"`
	CorpID        string `json:"corpId"`
	// EnterpriseAccount is what callbacks name.
	EnterpriseAccount string `json:"enterpriseAccount"`
	// TokenSeconds is how long a token lives (FX-NEW: 7200). In its last twelfth a further call gets a new one.
	TokenSeconds int `json:"tokenSeconds"`
	// RenewTokens makes a repeated call prolong the token that there is, as SEED1 tells it; FX-NEW tells of a new one.
	RenewTokens bool `json:"renewTokens,omitempty"`
	// Roles lists the accounts that hold a role.
	Roles map[string][]string `json:"roles,omitempty"`
}

// DefaultApp is the app that the simulator has when nothing else is said.
func DefaultApp() App {
	return App{
		AppID: "FSAID_1319d62", AppSecret: "app-secret-of-the-simulator", PermanentCode: "permanent-code-of-the-simulator",
		CorpID: "FSCID_714439", EnterpriseAccount: "sim714439", TokenSeconds: 7200,
		Roles: map[string][]string{"crm-admins": {"1000"}, "integration-admins": {"1001"}},
	}
}

// OpenUserID is how the open interface names the person with an account.
func OpenUserID(account string) string { return "FSUID_" + account }

// OpenUserIDs lists the people of each role by their openUserIds.
func (a App) OpenUserIDs() map[string][]string {
	out := map[string][]string{}
	for role, accounts := range a.Roles {
		for _, account := range accounts {
			out[role] = append(out[role], OpenUserID(account))
		}
	}
	return out
}

// tokensPerMinute is how many token calls are answered in a minute (SEED1, FX-NEW).
const tokensPerMinute = 10

// OpenStats counts the calls of the open interface.
type OpenStats struct {
	Tokens int `json:"tokens"` // answered token calls
	// TokensAtOnce is the greatest number of token calls at the same time; the book forbids more than one.
	TokensAtOnce int            `json:"tokensAtOnce"`
	Calls        map[string]int `json:"calls"` // answered with errorCode 0, by path
}

// tokenDesk hands out the app's tokens.
type tokenDesk struct {
	mu      sync.Mutex
	now     func() time.Time
	current string
	issued  time.Time
	live    map[string]time.Time // token → end
	recent  []time.Time          // of the token calls in the last minute
	busy    int
	stats   OpenStats
}

func newTokenDesk(now func() time.Time) *tokenDesk {
	return &tokenDesk{now: now, live: map[string]time.Time{}, stats: OpenStats{Calls: map[string]int{}}}
}

// enter notes that a token call began; the returned function ends it.
func (d *tokenDesk) enter() func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy++
	d.stats.TokensAtOnce = max(d.stats.TokensAtOnce, d.busy)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.busy--
	}
}

// issue returns a token and its remaining life: the same one until its last twelfth, then a new one beside it (FX-NEW). It
// returns false when it was asked too often.
func (d *tokenDesk) issue(life time.Duration, renew bool) (string, time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for len(d.recent) > 0 && now.Sub(d.recent[0]) >= time.Minute {
		d.recent = d.recent[1:]
	}
	if len(d.recent) >= tokensPerMinute {
		return "", 0, false
	}
	d.recent = append(d.recent, now)
	for token, end := range d.live {
		if !now.Before(end) {
			delete(d.live, token)
		}
	}
	if _, ok := d.live[d.current]; ok && renew {
		d.live[d.current] = now.Add(life)
	} else if !ok || now.Sub(d.issued) >= life*11/12 {
		d.current, d.issued = rand.Text(), now
		d.live[d.current] = now.Add(life)
	}
	d.stats.Tokens++
	return d.current, d.live[d.current].Sub(now), true
}

func (d *tokenDesk) valid(token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	end, ok := d.live[token]
	return ok && d.now().Before(end)
}

// expire forgets every token.
func (d *tokenDesk) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.live)
}

func (d *tokenDesk) count(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Calls[path]++
}

func (d *tokenDesk) snapshot() OpenStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.stats
	out.Calls = map[string]int{}
	for path, n := range d.stats.Calls {
		out.Calls[path] = n
	}
	return out
}
