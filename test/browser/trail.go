package browser

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// proofs are the parameters in which OAs, the gateway and the CRM carry what lets a person in.
var proofs = []string{"v5ticket", "ticket", "token", "code", "authCode", "sig", "request", "id"}

// shortestProof tells a proof from an id of something.
const shortestProof = 16

// Trail remembers what a window asked for: addresses that are gone from the address bar at once, and the referrers that
// went with them.
type Trail struct {
	window context.Context

	mu       sync.Mutex
	asked    []string
	referers []string
}

// Follow begins to remember.
func Follow(window context.Context) (*Trail, error) {
	t := &Trail{window: window}
	return t, chromedp.Listen(window, t.see)
}

func (t *Trail) see(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		t.asked = append(t.asked, e.Request.URL)
	case *network.EventRequestWillBeSentExtraInfo: // the headers as they were sent
		for name, value := range e.Headers {
			if strings.EqualFold(name, "Referer") {
				t.referers = append(t.referers, fmt.Sprint(value))
			}
		}
	}
}

// Last is the latest address that starts with prefix, or "".
func (t *Trail) Last(prefix string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, address := range slices.Backward(t.asked) {
		if strings.HasPrefix(address, prefix) {
			return address
		}
	}
	return ""
}

// Proofs are the tickets, codes and tokens in the addresses that were asked for.
func (t *Trail) Proofs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, address := range t.asked {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		query := u.Query()
		for _, name := range proofs {
			for _, value := range query[name] {
				if len(value) >= shortestProof && !slices.Contains(out, value) {
					out = append(out, value)
				}
			}
		}
	}
	return out
}

// Leaks names the places in which a proof is left: the address bar, the history, a referrer, or what pages can read of them.
func (t *Trail) Leaks() ([]string, error) {
	history, err := chromedp.Run(t.window, chromedp.NavigationEntries())
	if err != nil {
		return nil, err
	}
	at, err := chromedp.Run(t.window, chromedp.Location())
	if err != nil {
		return nil, err
	}
	referrer, err := chromedp.Run(t.window, chromedp.Evaluate[string](`document.referrer`))
	if err != nil {
		return nil, err
	}
	places := map[string][]string{"address bar": {at}, "document.referrer": {referrer}, "history": nil}
	for _, entry := range history.Entries {
		places["history"] = append(places["history"], entry.URL)
	}
	t.mu.Lock()
	places["Referer header"] = slices.Clone(t.referers)
	t.mu.Unlock()
	var out []string
	for place, addresses := range places {
		for _, address := range addresses {
			plain, err := url.QueryUnescape(address)
			if err != nil {
				plain = address
			}
			if slices.ContainsFunc(t.Proofs(), func(proof string) bool { return strings.Contains(address, proof) || strings.Contains(plain, proof) }) {
				out = append(out, place+": "+address)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}
