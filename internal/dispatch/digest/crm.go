package digest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
)

// Messenger sends messages to people of the CRM by their openUserIds, and says how many of them, from the first on, were
// reached. *fxiaoke.Client is one.
type Messenger interface {
	Send(ctx context.Context, to []string, m fxiaoke.Message) (sent int, err error)
}

// message is a Sink that writes to people through the CRM's service account (F64).
type message struct {
	messenger Messenger
	to        []string
	// reached are those that know the digest of this ID already: the CRM takes few recipients at once.
	id      string
	reached int
}

// NewMessage returns a sink for a channel of type CRM: to the people of the roles, and to single people (F65).
func NewMessage(m Messenger, recipients []string, roles map[string][]string) Sink {
	var to []string
	for _, r := range recipients {
		if user, ok := strings.CutPrefix(r, v1alpha1.RecipientUser); ok {
			to = append(to, user)
		} else {
			to = append(to, roles[r]...)
		}
	}
	slices.Sort(to)
	return &message{messenger: m, to: slices.Compact(to)}
}

// Send implements Sink.
func (s *message) Send(ctx context.Context, d *Digest) *Failure {
	if len(s.to) == 0 {
		return &Failure{Message: "nobody holds the roles that are to be told: list their people in spec.source.crm.roles, or name recipients"}
	}
	if s.id != d.ID {
		s.id, s.reached = d.ID, 0
	}
	sent, err := s.messenger.Send(ctx, s.to[s.reached:], fxiaoke.Message{Text: d.Text()})
	s.reached += sent
	if err == nil {
		return nil
	}
	f := &Failure{Message: err.Error()}
	if e, ok := errors.AsType[*fxiaoke.Error](err); ok {
		f.RetryAfter = e.RetryAfter
	}
	return f
}

// NewSink returns the sink of a channel.
func NewSink(c bundle.Channel, crm *bundle.CRM, secrets string, m Messenger) (Sink, error) {
	if c.Type == string(v1alpha1.ChannelWebhook) {
		return NewWebhook(secrets, c)
	}
	var roles map[string][]string
	if crm != nil {
		roles = crm.Roles
	}
	return NewMessage(m, c.Recipients, roles), nil
}

// Broken is the sink of a channel that cannot be used: it says why.
func Broken(why error) Sink { return broken(why.Error()) }

type broken string

// Send implements Sink.
func (b broken) Send(context.Context, *Digest) *Failure { return &Failure{Message: string(b)} }
