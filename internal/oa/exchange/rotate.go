package exchange

import (
	"context"
	"net/http"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
)

var _ oa.Rotator = (*Pusher)(nil)

func (p *Pusher) newRotation() *rotation.Rotation[session] {
	return rotation.New(rotation.Config[session]{Read: p.read, Keys: p.c.Keys, Prove: p.prove, Alive: p.alive(), Now: p.c.Now})
}

// alive: an account that left the Secret is used as long as its token lives; it is never logged in with again. Without
// tokens nil, so that it is used for a while.
func (p *Pusher) alive() func(session) bool {
	if p.tokens == nil {
		return nil
	}
	return func(s session) bool { return p.tokens.Holds(s.account) }
}

// Rotate implements oa.Rotator.
func (p *Pusher) Rotate(ctx context.Context) { p.rotation.Rotate(ctx) }

// Credentials implements oa.Rotator.
func (p *Pusher) Credentials() []rotation.KeyState { return p.rotation.Credentials() }

// Account is the OA account in use, for what a vendor asks with the account itself.
func (p *Pusher) Account() (tokens.Account, error) {
	s, err := p.rotation.Use()
	return s.account, err
}

// prove finds out whether the OA accepts a session: with a token for its account, and with a call that writes nothing where
// there is no token, or the headers are others. Where the OA refuses that call for the session in use as well, or answers it
// whoever asks, it proves nothing.
func (p *Pusher) prove(ctx context.Context, s session) (rotation.Verdict, string) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Timeout)
	defer cancel()
	inUse, failure := p.session()
	if failure != nil {
		return rotation.Unknown, failure.Message
	}
	token := ""
	if p.tokens != nil {
		if token, failure = p.tokens.Get(within(ctx, s), s.account, false); failure != nil {
			return verdict(*failure), failure.Message
		}
		if slices.Equal(s.headers, inUse.headers) {
			return rotation.Accepted, ""
		}
	}
	a := p.knock(ctx, s, token, true)
	v := verdict(a)
	switch {
	case v == rotation.Accepted && verdict(p.knock(ctx, s.stranger(), token, true)) == rotation.Accepted:
		return rotation.Unknown, "the OA answers the probe whoever asks, so nothing is proven: it is used when the OA refuses the one in use"
	case v != rotation.Refused:
		return v, a.Message
	}
	if p.tokens != nil {
		if token, failure = p.tokens.Get(within(ctx, inUse), inUse.account, false); failure != nil {
			return v, a.Message
		}
	}
	if verdict(p.knock(ctx, inUse, token, true)) == rotation.Refused {
		return rotation.Unknown, "the OA refuses the probe with either value, so nothing is proven: it is used when the OA refuses the one in use"
	}
	return v, a.Message
}

// verdict is what an attempt says about the account and the headers.
func verdict(a oa.Attempt) rotation.Verdict {
	switch a.Class {
	case oa.OK, oa.BusinessCode, oa.ReceiverUnknown:
		return rotation.Accepted
	case oa.AuthExpired:
		return rotation.Refused
	}
	return rotation.Unknown
}

// forbidden reports whether an answer refuses whoever asks.
func forbidden(x Answer) bool {
	return x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden
}

func rejected(message string) oa.Attempt {
	return oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: message}
}
