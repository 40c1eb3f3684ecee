package v1alpha1

// Condition types. Ready, Reconciling and Stalled follow kstatus; the others say which part is meant.
const (
	ConditionReady              = "Ready"
	ConditionReconciling        = "Reconciling"
	ConditionStalled            = "Stalled"
	ConditionReferencesResolved = "ReferencesResolved"
	ConditionWorkloadAvailable  = "WorkloadAvailable"
	ConditionConfigLive         = "ConfigLive"
	ConditionOAReachable        = "OAReachable"
	ConditionDeliveryHealthy    = "DeliveryHealthy"
	ConditionExposed            = "Exposed"
	// ConditionEndpointSecure is false while calls to the OA are not encrypted. It counts for nothing.
	ConditionEndpointSecure = "EndpointSecure"
	// ConditionPodsPaused is there while the operator leaves the Deployments alone.
	ConditionPodsPaused = "PodsPaused"
	// ConditionNotificationsHealthy is there when the connector has notifications.
	ConditionNotificationsHealthy = "NotificationsHealthy"
	// ConditionCredentialsAccepted is there once a pod has spoken of the Secrets.
	ConditionCredentialsAccepted = "CredentialsAccepted"
	// ConditionRolledOut is there when the connector has a canary.
	ConditionRolledOut = "RolledOut"
	// ConditionAccountsPlausible is there when the OA is WeCom.
	ConditionAccountsPlausible = "AccountsPlausible"
	// ConditionMatched is there when an AccountBinding matches people.
	ConditionMatched = "Matched"
)

// Condition reasons. Every reason that a controller writes is one of these.
const (
	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
	ReasonDeleting    = "Deleting"

	// References.
	ReasonResolved          = "Resolved"
	ReasonTemplateNotFound  = "TemplateNotFound"
	ReasonTemplateInvalid   = "TemplateInvalid"
	ReasonTemplateMismatch  = "TemplateMismatch"
	ReasonParameterInvalid  = "ParameterInvalid"
	ReasonScenarioConflict  = "ScenarioConflict"
	ReasonSecretNotFound    = "SecretNotFound"
	ReasonKeyMissing        = "KeyMissing"
	ReasonKeyInvalid        = "KeyInvalid"
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	ReasonBundleTooLarge    = "BundleTooLarge"
	ReasonSpecInvalid       = "SpecInvalid"
	ReasonChildNotOurs      = "ChildNotOurs"
	// ReasonDataCenterTaken and ReasonRegisterCodeTaken: an older connector of the namespace has it.
	ReasonDataCenterTaken   = "DataCenterTaken"
	ReasonRegisterCodeTaken = "RegisterCodeTaken"
	// ReasonPodTemplateInvalid: a podTemplate cannot be used, or takes a pod out of the Pod Security Standard "restricted".
	ReasonPodTemplateInvalid = "PodTemplateInvalid"
	ReasonApplyFailed        = "ApplyFailed"
	ReasonAccountsConflict   = "AccountsConflict"
	ReasonAccountsInvalid    = "AccountsInvalid"
	// Accounts that WeCom cannot mean: a name in place of an id, a company that the connector does not have, or none.
	ReasonPlausible          = "Plausible"
	ReasonDisplayName        = "DisplayName"
	ReasonStaleCompanyName   = "StaleCompanyName"
	ReasonCompanyMissing     = "CompanyMissing"
	ReasonMatched            = "Matched"
	ReasonPeopleUnmatched    = "PeopleUnmatched"
	ReasonTestsFailed        = "TestsFailed"
	ReasonUnknownPlaceholder = "UnknownPlaceholder"
	ReasonBodyInvalid        = "BodyInvalid"
	// ReasonNamespaceNotEnabled: the namespace lacks the labels that the operator asks for.
	ReasonNamespaceNotEnabled = "NamespaceNotEnabled"

	// Workloads.
	ReasonAvailable      = "Available"
	ReasonRollingOut     = "RollingOut"
	ReasonUnavailable    = "Unavailable"
	ReasonLive           = "Live"
	ReasonWaitingForPods = "WaitingForPods"
	ReasonReportsMissing = "ReportsMissing"
	ReasonBundleRejected = "BundleRejected"
	ReasonExposed        = "Exposed"
	ReasonNotExposed     = "NotExposed"
	ReasonAddressPending = "AddressPending"
	ReasonDomainsDiffer  = "DomainsDiffer"
	// ReasonGatewayAPIMissing: the cluster does not serve HTTPRoutes.
	ReasonGatewayAPIMissing = "GatewayAPIMissing"
	// ReasonRouteNotAccepted: a Gateway refuses the HTTPRoute, or does not find what it points to.
	ReasonRouteNotAccepted = "RouteNotAccepted"

	// ReasonSelfProbeFailed: the gateway did not reach itself at its public address.
	ReasonSelfProbeFailed = "SelfProbeFailed"

	// The OA, as the dispatcher sees it.
	// ReasonEncrypted and ReasonPlainHTTP say how it is called.
	ReasonEncrypted = "Encrypted"
	ReasonPlainHTTP = "PlainHTTP"
	ReasonReachable = "Reachable"
	ReasonUnknown   = "Unknown"
	// ReasonCallerNotTrusted: the OA does not take calls from this address.
	ReasonCallerNotTrusted = "CallerNotTrusted"
	ReasonTokenRejected    = "TokenRejected"
	ReasonRefused          = "ConnectionRefused"
	ReasonNameNotFound     = "NameNotFound"
	ReasonTimeout          = "Timeout"
	ReasonTLSFailed        = "TLSFailed"
	ReasonEgressDenied     = "EgressDenied"
	ReasonServerError      = "ServerError"
	ReasonUnexpectedBody   = "UnexpectedAnswer"
	ReasonNetwork          = "NetworkError"

	// Delivery.
	ReasonHealthy     = "Healthy"
	ReasonRetrying    = "Retrying"
	ReasonHeld        = "Held"
	ReasonDeadLetters = "DeadLetters"
	ReasonOADown      = "OADown"
	// ReasonRecordsBehind: deliveries go on, but what became of them cannot be looked up completely.
	ReasonRecordsBehind = "RecordsBehind"

	// The queue, as the dispatcher sees it. The first group is about its own volume, the second about a NATS cluster.
	ReasonStoreFull          = "StoreFull"
	ReasonStoreBroken        = "StoreBroken"
	ReasonStoreReadOnly      = "StoreReadOnly"
	ReasonStoreSlow          = "StoreSlow"
	ReasonStoreDamaged       = "StoreDamaged"
	ReasonQueueUnreachable   = "QueueUnreachable"
	ReasonQueueNotDurable    = "QueueNotDurable"
	ReasonQueueForbidden     = "QueueForbidden"
	ReasonPartitionsUnserved = "PartitionsUnserved"

	// Notifications.
	ReasonNotificationFailed = "NotificationFailed"

	// Credentials and their rotation.
	ReasonAccepted           = "Accepted"
	ReasonProbing            = "Probing"
	ReasonNextInUse          = "NextInUse"
	ReasonNextRejected       = "NextRejected"
	ReasonCredentialRejected = "CredentialRejected"
	// ReasonRotationComplete is that of an Event.
	ReasonRotationComplete = "RotationComplete"

	// New revisions of templates.
	ReasonCanary     = "Canary"
	ReasonPromoted   = "Promoted"
	ReasonRolledBack = "RolledBack"

	// The list of problems: what did not fit, and the Event of what was mended.
	ReasonMoreProblems = "MoreProblems"
	ReasonProblemGone  = "ProblemGone"

	// Brakes: ReasonSuspended of a connector or a replay, ReasonPausedByAnnotation of the Deployments.
	ReasonSuspended          = "Suspended"
	ReasonPausedByAnnotation = "PausedByAnnotation"

	// Replays.
	ReasonConnectorNotFound = "ConnectorNotFound"
	ReasonReplaying         = "Replaying"
	ReasonCompleted         = "Completed"
	ReasonCancelled         = "Cancelled"
)
