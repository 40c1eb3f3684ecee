package stage

import (
	"context"
	"path/filepath"

	"github.com/oabridge/oabridge/test/browser"
)

// Browser starts a browser that resolves the demo's hosts to the Ingress and trusts the demo's certificate, and no other.
func (s *Stage) Browser(ctx context.Context) (context.Context, context.CancelFunc, error) {
	return browser.Start(ctx, browser.Options{Hosts: map[string]string{"*." + Domain: s.ingress}, Keys: [][]byte{s.keys.Public}})
}

// Screenshot writes what the tab shows to out/NAME.png.
func (s *Stage) Screenshot(tab context.Context, name string) error {
	return browser.Screenshot(tab, filepath.Join(s.Out, name+".png"))
}
