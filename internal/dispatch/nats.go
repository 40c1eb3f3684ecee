package dispatch

import (
	"path/filepath"

	"github.com/nats-io/nats.go"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
)

const (
	// queueNATS is the type of a queue in a NATS cluster.
	queueNATS = "NATS"
	// defaultRemoteBytes bounds the streams in a NATS cluster when the bundle does not, in bytes.
	defaultRemoteBytes = 1 << 30
)

// natsOptions prove our identity to a NATS cluster. The Secret is read at each new connection, so that a rotation needs
// no restart.
func natsOptions(secrets string, q bundle.Queue) (out []nats.Option) {
	read := func(key string) string {
		v, err := mounted.Read(secrets, bundle.SlotNATS, key)
		if err != nil {
			return ""
		}
		return v
	}
	if q.Credentials {
		switch {
		case read("creds") != "":
			out = append(out, nats.UserCredentials(filepath.Join(secrets, bundle.SlotNATS, "creds")))
		case read("token") != "":
			out = append(out, nats.TokenHandler(func() string { return read("token") }))
		default:
			out = append(out, nats.UserInfoHandler(func() (string, string) { return read("username"), read("password") }))
		}
	}
	if q.CustomCA {
		out = append(out, nats.RootCAs(filepath.Join(secrets, bundle.SlotNATSCA, "ca.crt")))
	}
	return out
}
