package stage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/device"
)

// Browser starts a headless Chromium of its own that resolves the demo's hosts to the Ingress and trusts the demo's
// certificate, by its public key and no other. It has no network besides.
func (s *Stage) Browser(ctx context.Context) (context.Context, context.CancelFunc, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("chromium is not installed: %w", err)
	}
	pin := sha256.Sum256(s.keys.Public)
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
		chromedp.Flag("host-resolver-rules", "MAP *."+Domain+" "+s.ingress+", MAP * ~NOTFOUND"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])),
	)
	allocated, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, endTab := chromedp.NewContext(allocated)
	end := func() {
		endTab()
		endAllocator()
		_ = os.RemoveAll(profile)
	}
	// The first start of a cold Chromium may take long on a small machine.
	started := make(chan error, 1)
	go func() { started <- chromedp.Do(tab) }()
	select {
	case err := <-started:
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("start %s: %w", path, err)
		}
	case <-time.After(90 * time.Second):
		end()
		return nil, nil, fmt.Errorf("%s did not start within 90 s", path)
	}
	return tab, end, nil
}

// phone is a person's phone that shows a page inside of an OA's app, whose name is in the user agent.
type phone string

// Device implements chromedp.Device.
func (app phone) Device() device.Info {
	return device.Info{
		Name: string(app), Width: 390, Height: 844, Scale: 2, Mobile: true, Touch: true,
		UserAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36 " + string(app),
	}
}

// tabPatience bounds all that is done in one tab.
const tabPatience = 90 * time.Second

// Tab opens a window with cookies of its own; with the name of an app it is a page of that app on a phone.
func Tab(browser context.Context, app string) (context.Context, context.CancelFunc, error) {
	tab, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	var steps []chromedp.Action[chromedp.Void]
	if app != "" {
		steps = append(steps, chromedp.Emulate(phone(app)))
	}
	if err := chromedp.Do(tab, steps...); err != nil {
		end()
		return nil, nil, err
	}
	bounded, stop := context.WithTimeoutCause(tab, tabPatience, fmt.Errorf("the page did not get there within %s", tabPatience))
	return bounded, func() { stop(); end() }, nil
}

// Screenshot writes what the tab shows to out/NAME.png.
func (s *Stage) Screenshot(tab context.Context, name string) error {
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Out, name+".png"), png, 0o644)
}
