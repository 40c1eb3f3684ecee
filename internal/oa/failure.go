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
	"syscall"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/outbound"
)

// Stage is how far an exchange with the OA got.
type Stage string

// The stages.
const (
	StageConnect Stage = "connect" // DNS, TCP and TLS
	StageSend    Stage = "send"
	StageAnswer  Stage = "answer" // the request was written: whether the OA acted on it is unknown
)

// Patience is how long an exchange may take, and what may be done when that is not enough.
type Patience struct {
	Limit time.Duration
	// Else continues "check that the OA is healthy", such as ", or raise spec.delivery.timeout"; empty when the limit is
	// fixed.
	Else string
}

// NetworkFailure turns the error of an exchange into an Attempt with class, reason and message. The error's own text is
// never used: it holds the URL, ephemeral ports and other random parts, and the same failure must read the same each
// time. host is the OA's host and port, patience the time that the exchange had.
func NetworkFailure(err error, host string, stage Stage, patience Patience) Attempt {
	if a, ok := timeout(err, host, stage, patience); ok {
		return a
	}
	if errors.Is(err, context.Canceled) {
		// We hung up ourselves, which says nothing about the OA: no reason.
		return Attempt{Class: Network, Message: "the call was cancelled before the OA answered"}
	}
	reason, message := v1alpha1.ReasonNetwork, ""
	if r, m := tlsFailure(err, host); r != "" {
		return Attempt{Class: Network, Reason: r, Message: m}
	}
	egress, denied := errors.AsType[*outbound.EgressError](err)
	dns, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case denied:
		reason = v1alpha1.ReasonEgressDenied
		message = fmt.Sprintf("the OA's address %s is refused by the egress policy (%s): list it in spec.endpoint.allowedCIDRs if it is meant", egress.Addr, egress.Cause)
	case errors.Is(err, outbound.ErrPlainHTTP):
		reason = v1alpha1.ReasonEgressDenied
		message = fmt.Sprintf("a call to %s with plain http was refused: spec.endpoint.tls is Required; use an https URL", host)
	case errors.Is(err, outbound.ErrEgressDenied):
		reason = v1alpha1.ReasonEgressDenied
		message = "the OA's address is refused by the egress policy: check spec.endpoint.url"
	case unresolved && dns.IsNotFound:
		reason = v1alpha1.ReasonNameNotFound
		message = fmt.Sprintf("the name %s does not resolve: check the host in spec.endpoint.url and the cluster's DNS", dns.Name)
	case unresolved:
		message = fmt.Sprintf("the DNS could not be asked for %s: check the cluster's DNS", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = v1alpha1.ReasonRefused
		message = fmt.Sprintf("%s refuses the connection: check host and port in spec.endpoint.url, and that the OA runs", host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		message = fmt.Sprintf("there is no route to %s: check the network policy and the route from the cluster to the OA", host)
	case stage == StageAnswer:
		message = fmt.Sprintf("%s closed the connection before its answer was complete; whether it took the request is unknown", host)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		message = fmt.Sprintf("%s closed the connection while the request was sent: check what is between the cluster and the OA", host)
	default:
		message = fmt.Sprintf("the connection to %s failed: check spec.endpoint.url and the network between the cluster and the OA", host)
	}
	return Attempt{Class: Network, Reason: reason, Message: message}
}

func timeout(err error, host string, stage Stage, patience Patience) (Attempt, bool) {
	t, ok := errors.AsType[net.Error](err)
	if !errors.Is(err, context.DeadlineExceeded) && (!ok || !t.Timeout()) {
		return Attempt{}, false
	}
	a := Attempt{Class: Timeout, Reason: v1alpha1.ReasonTimeout}
	switch stage {
	case StageConnect:
		a.Message = fmt.Sprintf("no connection to %s in time (DNS, TCP, TLS): check host and port in spec.endpoint.url, and firewalls", host)
		if patience.Else != "" {
			a.Message += ", or raise spec.endpoint.connectTimeout"
		}
	case StageSend:
		a.Message = fmt.Sprintf("%s did not take the request within %s: check the network between the cluster and the OA", host, patience.Limit)
	default:
		a.Message = fmt.Sprintf("%s did not answer within %s: check that the OA is healthy%s", host, patience.Limit, patience.Else)
	}
	return a, true
}

// tlsFailure returns reason and message if the error is about certificates or the handshake.
func tlsFailure(err error, host string) (reason, message string) {
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	_, isAlert := errors.AsType[tls.AlertError](err)
	_, isVerification := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, outbound.ErrCA):
		message = "the key ca.crt of the Secret in spec.endpoint.caSecretRef is missing or holds no PEM certificate"
	case isUnknown:
		message = fmt.Sprintf("the certificate of %s is signed by an unknown authority: put the authority's certificate into the key ca.crt of the Secret in spec.endpoint.caSecretRef", host)
	case isName:
		message = fmt.Sprintf("the certificate of %s is for another name: use the name that the certificate holds in spec.endpoint.url", host)
	case isInvalid && invalid.Reason == x509.Expired:
		message = fmt.Sprintf("the certificate of %s has expired or is not valid yet: the OA administrator must renew it", host)
	case isRecord, errors.Is(err, http.ErrSchemeMismatch):
		message = fmt.Sprintf("%s does not speak TLS: use http:// in spec.endpoint.url, or the port that serves https", host)
	case isInvalid, isAlert, isVerification:
		message = fmt.Sprintf("the TLS handshake with %s failed: check its certificate and that it offers TLS 1.2 or later", host)
	default:
		return "", ""
	}
	return v1alpha1.ReasonTLSFailed, message
}
