package v1alpha1

// Labels and annotations that OA Bridge reads or writes.
const (
	// LabelCredentials set to "true" on a Secret allows connectors of its namespace to use it. Without it the operator
	// neither sees nor mounts the Secret.
	LabelCredentials = "oabridge.dev/credentials"
	// LabelAccounts set to "true" on a ConfigMap allows AccountBindings of its namespace to read it.
	LabelAccounts = "oabridge.dev/accounts"
	// LabelConnector names the OAConnector that a child object belongs to.
	LabelConnector = "oabridge.dev/connector"
	// LabelComponent tells the children apart: ComponentDispatcher, ComponentGateway or ComponentBundle.
	LabelComponent = "oabridge.dev/component"
	// LabelControllerClass says which operator an object is for, where a cluster has several (oabridge manager
	// --controller-class). Objects without it are for the operator without a class.
	LabelControllerClass = "oabridge.dev/controller-class"
	// AnnotationApplied on a child is a digest of what the operator applied.
	AnnotationApplied = "oabridge.dev/applied"
	// AnnotationConfigRevision on a pod is changed by the operator to make the kubelet refresh the pod's volumes at
	// once instead of at its next periodic sync.
	AnnotationConfigRevision = "oabridge.dev/config-revision"
	// AnnotationReconcileRequested on an OAConnector has it looked at anew, and all children applied again, whenever its value
	// changes; as a rule the value is a time. status.lastHandledReconcileAt repeats it when that is done.
	AnnotationReconcileRequested = "oabridge.dev/reconcile-requested-at"
	// AnnotationPausePods set to "true" on an OAConnector keeps the operator from writing to its Deployments.
	AnnotationPausePods = "oabridge.dev/pause-pods"
	// AnnotationPresetRevision on a ScenarioTemplate says which form of a preset the operator brought.
	AnnotationPresetRevision = "oabridge.dev/preset-revision"

	// LabelLeftover on a Secret names the deleted OAConnector whose undelivered events it holds.
	LabelLeftover = "oabridge.dev/leftover"
	// AnnotationLeftoverPart is its place among the Secrets of one deletion, such as 1/3; AnnotationLeftoverCount how many
	// deliveries it holds; AnnotationLeftoverUID the UID of the connector.
	AnnotationLeftoverPart  = "oabridge.dev/leftover-part"
	AnnotationLeftoverCount = "oabridge.dev/leftover-count"
	AnnotationLeftoverUID   = "oabridge.dev/leftover-uid"

	// Finalizer keeps a deleted OAConnector until its pending deliveries were drained or accounted for.
	Finalizer = "oabridge.dev/drain"
)

// Values of LabelComponent.
const (
	ComponentDispatcher = "dispatcher"
	ComponentGateway    = "gateway"
	ComponentBundle     = "bundle"
)

// SecretTypeLeftover is the type of a Secret with LabelLeftover; KeyLeftovers its key: JSON lines, gzip.
const (
	SecretTypeLeftover = "oabridge.dev/leftover"
	KeyLeftovers       = "deliveries.jsonl.gz"
)

// Keys of the Secrets that a connector refers to.
const (
	// KeyUsername and KeyPassword are the keys of a Seeyon credentials Secret, and one form of those of NATS.
	KeyUsername = "username"
	KeyPassword = "password"
	// KeySigning is the key of a source signing Secret and, optionally, of a webhook's: a Standard Webhooks secret
	// ("whsec_" + base64).
	KeySigning = "signing-key"
	// KeyToken is the key of a source bearer Secret, and one form of those of NATS.
	KeyToken = "token"
	// KeyPrivate is the key of a login issuer's Secret: a PEM private key (ECDSA P-256 or RSA of 2048 bits and more).
	KeyPrivate = "key.pem"
	// KeyShared is the key of a secret that a login issuer shares with the CRM, or an OA with the gateway for JWTs: at least 32
	// bytes.
	KeyShared = "shared-key"
	// KeyJWKS is the key of a JWK set of public keys that check the JWTs of an OA.
	KeyJWKS = "jwks.json"
	// KeyLink is the key of the secret that signs links.
	KeyLink = "link-secret"
	// KeyClientSecret is the key of a client's secret: the gateway's at a provider, or the CRM's at the gateway.
	KeyClientSecret = "client-secret"
	// SuffixNext is appended to a key to hold the value that is about to replace it. Both are accepted (or, for a
	// private key, published) while both exist.
	SuffixNext = ".next"
	// KeyCA is the key of a CA bundle Secret (PEM certificates).
	KeyCA = "ca.crt"
	// KeyCreds is the key of a NATS credentials file (a user JWT with its seed).
	KeyCreds = "creds"
	// KeyURL is the key of an address that may hold credentials: of a webhook, or of the PostgreSQL database of an index.
	KeyURL = "url"
	// KeyAppID, KeyAppSecret and KeyPermanentCode are the keys of a Fxiaoke credentials Secret.
	KeyAppID         = "appId"
	KeyAppSecret     = "appSecret"
	KeyPermanentCode = "permanentCode"
	// KeyHeaders is the key of headers for a collector of traces.
	KeyHeaders = "headers"
	// KeyEncodingAES is the key of a callback Secret: the base64 of the 32 bytes that the CRM's console shows.
	KeyEncodingAES = "encoding-aes-key"
)
