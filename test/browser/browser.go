// Package browser is a person's browser in tests: a real, headless Chromium that knows only the hosts that it is told, with
// windows of a PC or a phone, the eye that looks at them, and a memory of everything that they asked for.
package browser

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// startPatience is how long the first start of a cold Chromium may take on a small machine.
	startPatience = 90 * time.Second
	// Patience bounds all that is done in one window.
	Patience = 90 * time.Second
)

// ErrMissing says that there is no browser on this machine.
var ErrMissing = errors.New("chromium is not installed (Debian: apt-get install chromium fonts-wqy-microhei)")

// Options of Start.
type Options struct {
	// Hosts has the address (host, or host:port) of each name that resolves; a name may begin with "*.". Loopback addresses stay
	// what they are, and nothing else is reached.
	Hosts map[string]string
	// Keys are the public keys (SubjectPublicKeyInfo, DER) of the certificates that are trusted, and no others.
	Keys [][]byte
}

// Start runs a browser until ctx ends or the returned function is called. It returns ErrMissing where there is none.
func Start(ctx context.Context, o Options) (context.Context, context.CancelFunc, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, ErrMissing
	}
	profile, err := os.MkdirTemp("", "oabridge-browser-")
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // a container or root has no user namespace to spare; it shows only our own pages
		chromedp.DisableGPU,
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1180, 760),
		chromedp.Flag("lang", "zh-CN"),
		chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// A page that comes back as it was left is a new one to whoever looks through the debugger.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,BackForwardCache"),
		chromedp.Flag("host-resolver-rules", o.resolver()),
		chromedp.Flag("ignore-certificate-errors-spki-list", o.pins()),
	)
	allocated, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	browser, endBrowser := chromedp.NewContext(allocated)
	end := func() {
		endBrowser()
		endAllocator()
		_ = os.RemoveAll(profile)
	}
	started := make(chan error, 1)
	go func() { started <- chromedp.Do(browser) }()
	select {
	case err := <-started:
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("start %s: %w", path, err)
		}
	case <-time.After(startPatience):
		end()
		return nil, nil, fmt.Errorf("%s did not start within %s", path, startPatience)
	}
	return browser, end, nil
}

// resolver is the rule by which names become addresses.
func (o Options) resolver() string {
	var rules []string
	for name, address := range o.Hosts {
		rules = append(rules, "MAP "+name+" "+address)
	}
	slices.Sort(rules)
	return strings.Join(append(rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"), ", ")
}

// pins are the trusted keys in the form of HTTP public key pinning (RFC 7469).
func (o Options) pins() string {
	var pins []string
	for _, key := range o.Keys {
		sum := sha256.Sum256(key)
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return strings.Join(pins, ",")
}
