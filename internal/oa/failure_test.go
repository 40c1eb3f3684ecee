package oa

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/outbound"
)

// Every way in which a connection fails has a reason, and a sentence that names the stage and the next step and holds
// nothing of the error's own text.
func TestNetworkFailure(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	read := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 43210}, Err: os.NewSyscallError("read", err)}
	}
	tests := map[string]struct {
		err    error
		stage  Stage
		class  Class
		reason string
		says   string
	}{
		"refused":           {dial(syscall.ECONNREFUSED), StageConnect, Network, "ConnectionRefused", "spec.endpoint.url"},
		"no route":          {dial(syscall.EHOSTUNREACH), StageConnect, Network, "NetworkError", "no route"},
		"no name":           {&net.DNSError{Name: "oa.example", IsNotFound: true}, StageConnect, Network, "NameNotFound", "oa.example does not resolve"},
		"DNS fails":         {&net.DNSError{Name: "oa.example", IsTemporary: true}, StageConnect, Network, "NetworkError", "DNS"},
		"DNS times out":     {&net.DNSError{Name: "oa.example", IsTimeout: true}, StageConnect, Timeout, "Timeout", "DNS, TCP, TLS"},
		"connect times out": {context.DeadlineExceeded, StageConnect, Timeout, "Timeout", "connectTimeout"},
		"send times out":    {context.DeadlineExceeded, StageSend, Timeout, "Timeout", "did not take the request within 1m0s"},
		"answer times out":  {os.ErrDeadlineExceeded, StageAnswer, Timeout, "Timeout", "did not answer within 1m0s"},
		"cancelled":         {context.Canceled, StageAnswer, Network, "", "cancelled"},
		"denied":            {&outbound.EgressError{Addr: netip.MustParseAddr("127.0.0.1"), Cause: "loopback"}, StageConnect, Network, "EgressDenied", "allowedCIDRs"},
		"denied otherwise":  {outbound.ErrEgressDenied, StageConnect, Network, "EgressDenied", "egress policy"},
		"unknown authority": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, StageConnect, Network, "TLSFailed", "caSecretRef"},
		"another name":      {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}}}, StageConnect, Network, "TLSFailed", "another name"},
		"expired":           {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, StageConnect, Network, "TLSFailed", "renew"},
		"bad usage":         {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}}, StageConnect, Network, "TLSFailed", "handshake"},
		"no TLS":            {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, StageConnect, Network, "TLSFailed", "does not speak TLS"},
		"plain HTTP":        {http.ErrSchemeMismatch, StageConnect, Network, "TLSFailed", "does not speak TLS"},
		"alert":             {tls.AlertError(70), StageConnect, Network, "TLSFailed", "TLS 1.2"},
		"CA broken":         {fmt.Errorf("%w: random", outbound.ErrCA), StageConnect, Network, "TLSFailed", "ca.crt"},
		"reset, sending":    {read(syscall.ECONNRESET), StageSend, Network, "NetworkError", "while the request was sent"},
		"reset, answering":  {read(syscall.ECONNRESET), StageAnswer, Network, "NetworkError", "is unknown"},
		"cut off":           {io.ErrUnexpectedEOF, StageAnswer, Network, "NetworkError", "is unknown"},
		"anything else":     {errors.New("random 43210"), StageConnect, Network, "NetworkError", "spec.endpoint.url"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wrapped := &url.Error{Op: "Post", URL: "http://oa.example/?token=secret", Err: test.err}
			a := NetworkFailure(wrapped, "oa.example:80", test.stage, Patience{time.Minute, ", or raise spec.delivery.timeout"})
			if a.Class != test.class || a.Reason != test.reason || !strings.Contains(a.Message, test.says) {
				t.Errorf("got %s %s %q", a.Class, a.Reason, a.Message)
			}
			for _, leak := range []string{"secret", "43210", "random"} {
				if strings.Contains(a.Message, leak) {
					t.Errorf("the message holds %q: %s", leak, a.Message)
				}
			}
			if a.TargetDown() != (test.reason != "") {
				t.Error("TargetDown is wrong")
			}
		})
	}
}

// Nobody is told to raise a limit that is fixed.
func TestFixedPatience(t *testing.T) {
	for stage, want := range map[Stage]string{
		StageConnect: "no connection to oa.example:80 in time (DNS, TCP, TLS): check host and port in spec.endpoint.url, and firewalls",
		StageSend:    "oa.example:80 did not take the request within 8s: check the network between the cluster and the OA",
		StageAnswer:  "oa.example:80 did not answer within 8s: check that the OA is healthy",
	} {
		if a := NetworkFailure(context.DeadlineExceeded, "oa.example:80", stage, Patience{Limit: 8 * time.Second}); a.Message != want {
			t.Errorf("%s: got %s", stage, a.Message)
		}
	}
}
