package bundle

import (
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Defaults of optional fields. They are those of the API's markers, and are applied here too, because a file that is
// compiled without a cluster has not been through an API server.
const (
	DefaultConnectTimeout   = 15 * time.Second
	DefaultSeeyonVersion    = v1alpha1.SeeyonV70SP2
	DefaultTokenPlacement   = v1alpha1.TokenInHeader
	DefaultTokenIdleTimeout = 15 * time.Minute
	DefaultDingTalkAPI      = "https://api.dingtalk.com" // vendor facts 7.1
	DefaultWeLinkAppName    = "CRM"
	DefaultProbePath        = "/"
	DefaultUsernameField    = "username"
	DefaultPasswordField    = "password"
	DefaultTokenName        = "access_token"
	DefaultLifeName         = "expires_in"
	DefaultTokenLife        = time.Hour
	DefaultUnbound          = v1alpha1.UnboundHold
	DefaultBackoffPolicy    = v1alpha1.BackoffExponential
	DefaultBackoffDelay     = 5 * time.Second
	DefaultBackoffMax       = 10 * time.Minute
	DefaultRetryAfterMax    = 5 * time.Minute
	DefaultMaxAge           = 24 * time.Hour
	DefaultTimeout          = 60 * time.Second
	DefaultConcurrency      = 16
	DefaultLoginLifetime    = 60 * time.Second
	DefaultMaxSkew          = 5 * time.Minute
	DefaultJWTParameter     = "token"
	DefaultAccountClaim     = "sub"
	DefaultAccountPath      = "id"
	DefaultCASVersion       = "3"
	DefaultCallbackMethod   = "POST"
	DefaultExposure         = v1alpha1.ExposureIngress
	DefaultCatchUp          = v1alpha1.CatchUpLatestState
	DefaultCatchUpFinished  = v1alpha1.FinishedSkip
	DefaultBatchSize        = 1
	DefaultObjective        = "99.9"
	DefaultWithin           = 60 * time.Second
	DefaultSamplingRatio    = "1"
	DefaultQueue            = v1alpha1.QueueEmbedded
	DefaultStreamReplicas   = 3
	DefaultPartitions       = 4
	DefaultQueueMaxBytes    = 1 << 30
	DefaultRecordsMaxAge    = 720 * time.Hour
	DefaultCRMURL           = "https://open.fxiaoke.com" // vendor facts 9.1: the default cloud
	DefaultWindow           = 10 * time.Minute           // F66
)

// DefaultRetryOn are the failures after which an item is tried again (F61, F62).
var DefaultRetryOn = []v1alpha1.ErrorClass{
	v1alpha1.ClassNetwork, v1alpha1.ClassTimeout, v1alpha1.ClassServerError, v1alpha1.ClassRateLimited, v1alpha1.ClassAuthExpired,
}

// DefaultRecipients of a channel of type CRM (F65).
var DefaultRecipients = []string{v1alpha1.RoleCRMAdmins, v1alpha1.RoleIntegrationAdmins}

// or returns v, or otherwise when v is the zero value.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func durationOr(v, otherwise time.Duration) Duration { return Duration(or(v, otherwise)) }
