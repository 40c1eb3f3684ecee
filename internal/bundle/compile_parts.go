package bundle

import (
	"path"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

func compileOA(spec v1alpha1.OAConnectorSpec) OA {
	oa := OA{
		URL:            strings.TrimRight(or(spec.Endpoint.URL, PublicAddress(spec.Type)), "/"),
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

// compileSSO returns nil when no gateway runs.
func compileSSO(s v1alpha1.SSO, proofsURL string) *SSO {
	if s.Mode == "" || s.Mode == v1alpha1.SSONone {
		return nil
	}
	return &SSO{
		Mode:          string(s.Mode),
		URL:           linkURL(s),
		LoginURL:      s.CRMLogin.URL,
		LoginLifetime: durationOr(s.CRMLogin.Lifetime.Duration, DefaultLoginLifetime),
		ProofsURL:     proofsURL,
	}
}

// linkURL is scheme and host of the links that are pushed, or "". An Ingress without TLS makes them http. Without our
// own Ingress something else exposes the host, with TLS as a rule; with mode None the host is not ours at all (F109).
func linkURL(s v1alpha1.SSO) string {
	switch {
	case s.Host == "":
		return ""
	case s.Mode != v1alpha1.SSONone && or(s.Exposure.Type, DefaultExposure) == v1alpha1.ExposureIngress && s.Exposure.TLS.SecretName == "":
		return "http://" + s.Host
	default:
		return "https://" + s.Host
	}
}
