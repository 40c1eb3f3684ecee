package fxiaoke

import (
	"context"
	"slices"

	"github.com/oabridge/oabridge/internal/rotation"
)

// refusedCodes are about the app's own account: a wrong parameter of it, an unknown appId or appSecret, a wrong
// permanentCode [FX-NEW, FX-NET §9.7].
var refusedCodes = []int{10006, 20006, 20015}

// refused reports whether the CRM does not accept the credentials.
func refused(err error) bool {
	e, ok := asError(err)
	return ok && e.Kind == Rejected && slices.Contains(refusedCodes, e.Code)
}

// said is what an error says of the credentials.
func said(err error) rotation.Verdict {
	if refused(err) {
		return rotation.Refused
	}
	return rotation.Accepted
}

// newRotation: a token proves credentials. Those that left the Secret are used as long as their token lives.
func (c *Client) newRotation(conn *connection) *rotation.Rotation[credentials] {
	return rotation.New(rotation.Config[credentials]{
		Read: func(v rotation.Version) (credentials, error) { return readCredentials(c.secrets, v) },
		Keys: func(v rotation.Version) []rotation.Key { return describe(c.secrets, v) },
		Prove: func(ctx context.Context, keys credentials) (rotation.Verdict, string) {
			ctx, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			switch _, err := conn.tokens.get(ctx, keys); {
			case err == nil:
				return rotation.Accepted, ""
			case refused(err):
				return rotation.Refused, err.Error()
			default:
				return rotation.Unknown, err.Error()
			}
		},
		Alive: func(keys credentials) bool {
			g, _ := conn.tokens.cached(keys.id())
			return g.token != ""
		},
		Now: c.now,
	})
}

// Rotate implements oa.Rotator.
func (c *Client) Rotate(ctx context.Context) {
	if conn := c.live.Load(); conn != nil {
		conn.keys.Rotate(ctx)
	}
}

// Credentials implements oa.Rotator.
func (c *Client) Credentials() []rotation.KeyState {
	if conn := c.live.Load(); conn != nil {
		return conn.keys.Credentials()
	}
	return nil
}
