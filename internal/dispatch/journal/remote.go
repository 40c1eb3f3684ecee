package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/oabridge/oabridge/internal/outbound"
)

// minReplicas is the least number of copies that survives the loss of a server.
const minReplicas = 3

const (
	remoteConnectTimeout = 5 * time.Second
	remoteReconnectWait  = 500 * time.Millisecond
)

// Errors of a NATS cluster.
var (
	// ErrUnreachable: no server answers.
	ErrUnreachable = errors.New("the NATS cluster cannot be reached")
	// ErrNotDurable: what is stored there could be lost.
	ErrNotDurable = errors.New("the NATS cluster would not keep what it takes")
	// ErrForbidden: the account may not do what is needed.
	ErrForbidden = errors.New("the NATS account is not allowed to do this")
)

// Remote is a NATS cluster.
type Remote struct {
	URLs []string
	// Namespace and Name of the connector; they keep the streams of several connectors apart.
	Namespace, Name string
	// Replicas is the number of copies of each stream, at least 3.
	Replicas int
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise.
	AllowedCIDRs []string
	// Options carry what proves our identity. They are asked again at each new connection.
	Options []nats.Option
}

// connect joins the cluster.
func (j *Journal) connect(context.Context) error {
	r := j.config.Remote
	// Names of Kubernetes objects hold no underscore, so two connectors never get the same one.
	j.prefix = "OAB_" + r.Namespace + "_" + r.Name + "_"
	j.subjects = "oabridge." + r.Namespace + "." + r.Name + "."
	if r.Replicas < minReplicas {
		return fmt.Errorf("store: %w: %d copies of a stream: set spec.dispatcher.queue.streamReplicas to 3 or more", ErrNotDurable, r.Replicas)
	}
	dialer, err := outbound.NewDialer(outbound.Config{
		ConnectTimeout: remoteConnectTimeout, AllowedCIDRs: r.AllowedCIDRs, Field: "spec.dispatcher.queue.nats.allowedCIDRs",
	})
	if err != nil {
		return fmt.Errorf("store: %w: %w", ErrUnreachable, err)
	}
	dial := func(role string) (*nats.Conn, error) {
		options := append([]nats.Option{
			nats.Name("oabridge dispatcher " + r.Namespace + "/" + r.Name + " " + role), nats.Timeout(remoteConnectTimeout),
			nats.SetCustomDialer(dialer),
			nats.MaxReconnects(-1), nats.ReconnectWait(remoteReconnectWait), nats.SyncQueueLen(readQueue),
			// What could not be sent is sent again by us: a buffer would send it later, out of turn.
			nats.ReconnectBufSize(-1),
		}, r.Options...)
		nc, err := nats.Connect(strings.Join(r.URLs, ","), options...)
		switch {
		case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
			return nil, fmt.Errorf("store: %w: it refuses the credentials: correct the Secret in spec.dispatcher.queue.credentialsSecretRef", ErrForbidden)
		case err != nil:
			return nil, fmt.Errorf("store: %w: %w", ErrUnreachable, err)
		}
		return nc, nil
	}
	if j.publish, err = dial("publish"); err != nil {
		return err
	}
	j.read, err = dial("read")
	return err
}

// durable makes sure that a stream survives the loss of a server: nothing is accepted that could vanish.
func (c *Config) durable(info *jetstream.StreamInfo) error {
	if c.Remote == nil || info == nil {
		return nil
	}
	switch {
	case info.Config.Storage != jetstream.FileStorage:
		return fmt.Errorf("%w: stream %s lives in memory: remove it, or make it a file stream", ErrNotDurable, info.Config.Name)
	case info.Config.Replicas < minReplicas:
		return fmt.Errorf("%w: stream %s has %d copies: set spec.dispatcher.queue.streamReplicas to 3 or more", ErrNotDurable, info.Config.Name, info.Config.Replicas)
	}
	return nil
}

// blame sorts errors of the cluster into ours.
func (j *Journal) blame(err error) error {
	if j.config.Remote == nil {
		return err
	}
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		return fmt.Errorf("%w: %w: allow it the subjects oabridge.%s.%s.> and the JetStream API", ErrForbidden, err, j.config.Remote.Namespace, j.config.Remote.Name)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w: JetStream does not answer: enable it on the servers and for this account", ErrNotDurable)
	case errors.As(err, &api) && (api.ErrorCode == 10005 || api.ErrorCode == 10074 || api.ErrorCode == codeInsufficientResources):
		// "no suitable peers for placement", "replicas > 1 not supported in non-clustered mode", "insufficient resources"
		return fmt.Errorf("%w: it cannot keep %d copies (%s): give it %d servers with JetStream and room, or correct spec.dispatcher.queue",
			ErrNotDurable, j.config.Remote.Replicas, api.Description, j.config.Remote.Replicas)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, nats.ErrConnectionClosed):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// Serve answers requests for a partition that this process owns, until the returned function is called.
func (p *Partition) Serve(answer func(request []byte, reply func([]byte))) (stop func(), err error) {
	sub, err := p.journal.read.Subscribe(p.subject("intake"), func(m *nats.Msg) {
		answer(m.Data, func(b []byte) { _ = m.Respond(b) })
	})
	if err != nil {
		return nil, fmt.Errorf("partition %d: %w", p.Number, err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// ErrNoOwner says that nobody owns the partition at the moment.
var ErrNoOwner = errors.New("the partition has no owner at the moment")

// Ask sends a request to the owner of a partition.
func (j *Journal) Ask(ctx context.Context, partition int, request []byte) ([]byte, error) {
	p := Partition{Number: partition, journal: j}
	m, err := j.publish.RequestWithContext(ctx, p.subject("intake"), request)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, ErrNoOwner
	}
	if err != nil {
		return nil, fmt.Errorf("partition %d: %w", partition, err)
	}
	return m.Data, nil
}
