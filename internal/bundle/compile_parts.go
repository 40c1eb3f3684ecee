package bundle

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Suspended reports whether the emergency brake of a connector is on.
func Suspended(c *v1alpha1.OAConnector) bool { return ptr.Deref(c.Spec.Suspend, false) }

// EndpointURL is where a connector calls its OA.
func EndpointURL(spec *v1alpha1.OAConnectorSpec) string {
	return strings.TrimRight(or(spec.Endpoint.URL, PublicAddress(spec.Type)), "/")
}

// PlainHTTP warns of an OA that is called without TLS, which is allowed (F17); empty when there is nothing to warn of.
func PlainHTTP(c *v1alpha1.OAConnector) string {
	address := EndpointURL(&c.Spec)
	if !strings.HasPrefix(strings.ToLower(address), "http://") {
		return ""
	}
	return fmt.Sprintf("calls to %s are not encrypted: credentials, tokens and to-dos can be read on the way; use https if the OA offers it, and set spec.endpoint.tls to Required so that it stays so", address)
}

func compileOA(spec v1alpha1.OAConnectorSpec) OA {
	oa := OA{
		URL:            EndpointURL(&spec),
		RequireTLS:     spec.Endpoint.TLS == v1alpha1.TLSRequired,
		ConnectTimeout: durationOr(spec.Endpoint.ConnectTimeout.Duration, DefaultConnectTimeout),
		AllowedCIDRs:   spec.Endpoint.AllowedCIDRs,
		CustomCA:       spec.Endpoint.CASecretRef.Name != "",
	}
	for i, h := range spec.Headers {
		header := Header{Name: h.Name, Value: h.Value}
		if h.ValueFrom.SecretKeyRef.Name != "" {
			header = Header{Name: h.Name, SecretFile: path.Join(SlotHeaders, strconv.Itoa(i))}
		}
		oa.Headers = append(oa.Headers, header)
	}
	compileVendor(&oa, spec)
	return oa
}

func compileDelivery(d v1alpha1.Delivery) Delivery {
	out := Delivery{
		Retry:         or(d.Retry.State, v1alpha1.Enabled) == v1alpha1.Enabled,
		Backoff:       string(or(d.BackoffPolicy, DefaultBackoffPolicy)),
		BackoffDelay:  durationOr(d.BackoffDelay.Duration, DefaultBackoffDelay),
		BackoffMax:    durationOr(d.BackoffMax.Duration, DefaultBackoffMax),
		RetryAfterMax: durationOr(d.RetryAfterMax.Duration, DefaultRetryAfterMax),
		MaxAge:        durationOr(d.MaxAge.Duration, DefaultMaxAge),
		Timeout:       durationOr(d.Timeout.Duration, DefaultTimeout),
		Concurrency:   int(or(d.Concurrency, DefaultConcurrency)),
		RatePerSecond: int(d.RateLimit.PerSecond),
		RateBurst:     int(or(d.RateLimit.Burst, d.RateLimit.PerSecond)),

		CatchUp:         string(or(d.CatchUp.Policy, DefaultCatchUp)),
		CatchUpFinished: string(or(d.CatchUp.Finished, DefaultCatchUpFinished)),
		BatchSize:       int(or(d.BatchSize, DefaultBatchSize)),
	}
	if out.Retry {
		on := d.Retry.Classes
		if len(on) == 0 {
			on = DefaultRetryOn
		}
		for _, class := range on {
			out.RetryOn = append(out.RetryOn, string(class))
		}
	}
	return out
}

// Objective is what a connector promises, with the defaults.
func Objective(s v1alpha1.SLO) *SLO {
	return &SLO{Objective: or(s.Objective, DefaultObjective), Within: durationOr(s.Within.Duration, DefaultWithin)}
}
