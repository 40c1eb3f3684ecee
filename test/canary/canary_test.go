package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"testing"

	"github.com/oabridge/oabridge/test/canary"
)

// A canary is found in every spelling, and only where it is.
func TestFound(t *testing.T) {
	var b canary.Book
	secret := b.Secret("password")
	_, _ = fmt.Fprint(b.Writer("clean"), "nothing to see")
	for name, text := range map[string]string{
		"plain": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "json": fmt.Sprintf("%q", secret), "hex": hex.EncodeToString([]byte(secret)),
		"basic": base64.StdEncoding.EncodeToString([]byte("fxiaoke:" + secret)), "basic 2": base64.StdEncoding.EncodeToString([]byte("ab:" + secret + "x")),
		"basic 3": base64.URLEncoding.EncodeToString([]byte("a:" + secret)),
	} {
		var one canary.Book
		one.Note("password", secret)
		_, _ = fmt.Fprint(one.Writer("log"), "before ")
		_, _ = fmt.Fprint(one.Writer("log"), text+" after")
		if got := one.Found(); len(got) != 1 || got[0] != "password in log" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := b.Found(); got != nil {
		t.Errorf("%v", got)
	}
}
