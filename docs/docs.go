// Package docs holds the pages for people. Its tests keep them true to the code.
package docs

import "embed"

// Reference are the pages whose tables kubectl oab explain reads: operate.md has the reasons of conditions,
// reference/sso-errors.md the codes of the sign-in.
//
//go:embed operate.md reference/sso-errors.md
var Reference embed.FS
