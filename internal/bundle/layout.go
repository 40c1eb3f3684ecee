package bundle

// Layout of a workload pod: where the operator mounts things and where the workloads look for them. The same flags work
// anywhere: oabridge dispatcher --bundle DIR --secrets DIR --store DIR.
const (
	// DirBundle holds bundle.json and the account shards.
	DirBundle = "/etc/oabridge/bundle"
	// DirSecrets holds one folder for each Secret of the connector, named by the Slot constants.
	DirSecrets = "/etc/oabridge/secrets"
	// DirStore is the dispatcher's volume.
	DirStore = "/var/lib/oabridge"

	// PortPublic serves events (dispatcher) and sign-in (gateway).
	PortPublic = 8080
	// PortAdmin serves /healthz, /readyz, /metrics and /report inside the cluster.
	PortAdmin = 8081
	// PortPeer of the dispatcher serves /proofs to the gateway of the same connector, authenticated by the peer token.
	PortPeer = 8082
	// PortLocal of the dispatcher serves /records on 127.0.0.1 only, for kubectl port-forward.
	PortLocal = 8083
)

// PathPendings of the dispatcher's public port is where Seeyon asks for open to-dos, unless spec.seeyon.pull.path names
// another one (PendingsPath).
const PathPendings = "/seeyon/pendings"

// Slots are the folders below the secrets directory. Each holds the keys of one Secret as files.
const (
	SlotCredentials = "credentials" // username, password
	SlotCA          = "ca"          // ca.crt
	SlotSigning     = "signing"     // signing-key, signing-key.next
	SlotToken       = "token"       // token, token.next
	SlotPull        = "pull"        // token, token.next
	SlotLogin       = "login"       // key.pem, key.pem.next; shared-key, shared-key.next; client-secret
	SlotSSO         = "sso"         // link-secret, jwks.json, shared-key, client-secret or token, by the sign-in mode
	SlotCompany     = "company-"    // followed by the index of the company; see Company.Secret: appSecret
	SlotPeer        = "peer"        // token: made by the operator, shared by dispatcher and gateway
	SlotHeaders     = "headers"     // one file for each header whose value comes from a Secret, named by its index
	SlotCallback    = "callback"    // encoding-aes-key, encoding-aes-key.next
	SlotCRM         = "crm"         // appId, appSecret, permanentCode
	SlotNATS        = "nats"        // creds, or token, or username and password
	SlotNATSCA      = "natsca"      // ca.crt
	SlotIndex       = "index"       // url: a PostgreSQL connection URL
	SlotTracing     = "tracing"     // headers: for the collector of traces
	SlotProfiling   = "profiling"   // token, token.next
	SlotChannel     = "channel-"    // followed by the index of the channel; see Channel.Secret: url; signing-key, signing-key.next
)
