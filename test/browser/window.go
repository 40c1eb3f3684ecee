package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/device"
)

// The size of a phone's screen, in CSS pixels.
const (
	PhoneWidth  = 390
	PhoneHeight = 844
)

// Phone is a person's phone that shows a page inside of an app, whose name is in the user agent. "Mobile" is the phone's own
// browser.
type Phone string

// Device implements chromedp.Device.
func (app Phone) Device() device.Info {
	return device.Info{
		Name: string(app), Width: PhoneWidth, Height: PhoneHeight, Scale: 2, Mobile: true, Touch: true,
		UserAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36 " + string(app),
	}
}

// Window opens a window with cookies of its own. A phone makes it a page on a phone; "" is a PC.
func Window(browser context.Context, phone Phone) (context.Context, context.CancelFunc, error) {
	tab, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	var steps []chromedp.Action[chromedp.Void]
	if phone != "" {
		steps = append(steps, chromedp.Emulate(phone))
	}
	if err := chromedp.Do(tab, steps...); err != nil {
		end()
		return nil, nil, err
	}
	bounded, stop := context.WithTimeoutCause(tab, Patience, fmt.Errorf("the page did not get there within %s", Patience))
	return bounded, func() { stop(); end() }, nil
}
