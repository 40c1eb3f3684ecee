package main

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
	"github.com/oabridge/oabridge/internal/manifest"
)

// leaderID is the name of the Lease that the manager's replicas contend for. Each class of managers has its own.
func leaderID(class string) string {
	if class == "" {
		return "oabridge-manager.oabridge.dev"
	}
	return "oabridge-manager-" + class + ".oabridge.dev"
}

const (
	// minBackoff bounds --backoff-base: a shorter one would hammer an API server that is in trouble.
	minBackoff = time.Second
	// defaultConcurrency is enough for a thousand connectors created at once: see docs/performance.md.
	defaultConcurrency = 4
	// endTimeout is how long the work under way may take after a signal. The lease is given back after it, and has 10s for that:
	// together less than terminationGracePeriodSeconds, or the next leader would wait until the lease expires.
	endTimeout = 15 * time.Second
	// burstFactor times --kube-api-qps is the default of --kube-api-burst.
	burstFactor = 2
)

type managerOptions struct {
	metricsAddress string
	metricsAuth    bool
	profiles       bool
	healthAddress  string
	leaderElect    bool
	image          string
	pullPolicy     string
	presets        string
	installPresets bool
	scope          controllers.Scope
	selector       string
	concurrency    int
	backoffBase    time.Duration
	backoffMax     time.Duration
	apiQPS         float32
	apiBurst       int
}

// newManagerCommand runs the operator: it turns OAConnectors into running dispatchers and gateways.
func newManagerCommand() *cobra.Command {
	o := managerOptions{image: os.Getenv("OABRIDGE_IMAGE"), presets: os.Getenv("POD_NAMESPACE")}
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the operator: a dispatcher and a gateway for each OAConnector",
		Long: `Run the operator: a dispatcher and a gateway for each OAConnector.

It uses the kubeconfig of the environment (KUBECONFIG, or the service account of its pod). Several replicas may run with
--leader-elect; one of them works. Several operators may run in one cluster when their --controller-class or their
--watch-namespaces keep them apart.`,
		Example: `  # against the current cluster, without a leader
  oabridge manager --workload-image oabridge/oabridge:latest --presets-namespace oabridge-system`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logr.FromContext(cmd.Context())
			if err != nil {
				return err
			}
			if err := forbidDumps(); err != nil {
				log.Error(err, "goes on, but a core file would hold secrets")
			}
			return runManager(cmd, o, log.WithName("manager"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address for /metrics; 0 serves none")
	f.BoolVar(&o.metricsAuth, "metrics-auth", false, "serve metrics with TLS, to whoever has a token of the API server and may get /metrics")
	f.BoolVar(&o.profiles, "pprof", false, "serve profiles of this process at /debug/pprof/ of the address for metrics; needs --metrics-auth")
	f.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address for /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding the lease "+leaderID("")+", or with a class "+leaderID("CLASS"))
	f.StringVar(&o.image, "workload-image", o.image, "image of dispatchers and gateways (default $OABRIDGE_IMAGE)")
	f.StringVar(&o.pullPolicy, "workload-image-pull-policy", "", "Always, IfNotPresent or Never; empty leaves it to Kubernetes")
	f.StringVar(&o.presets, "presets-namespace", o.presets, "namespace of the ScenarioTemplates that every connector may use (default $POD_NAMESPACE)")
	f.BoolVar(&o.installPresets, "install-presets", false, "bring the presets of this version into that namespace")
	f.StringSliceVar(&o.scope.Namespaces, "watch-namespaces", nil, "namespaces to work in, separated by commas; empty means all")
	f.StringVar(&o.selector, "namespace-selector", "", "labels without which connectors of a namespace get nothing, such as oabridge.dev/enabled=true; empty means that every namespace is enabled")
	f.StringVar(&o.scope.Class, "controller-class", "", "work for the objects with the label "+v1alpha1.LabelControllerClass+" of this value; empty means those without the label")
	f.IntVar(&o.concurrency, "max-concurrent-reconciles", defaultConcurrency, "how many objects of one kind are worked on at once")
	f.DurationVar(&o.backoffBase, "backoff-base", controllers.DefaultBackoffBase, "when an object is tried again after an error, doubled with every further one; 1s or more")
	f.DurationVar(&o.backoffMax, "backoff-max", controllers.DefaultBackoffMax, "the longest that an object waits after errors")
	f.Float32Var(&o.apiQPS, "kube-api-qps", 0, "requests per second to the Kubernetes API, on average; 0 leaves the bound to --max-concurrent-reconciles and to the server's priority and fairness")
	f.IntVar(&o.apiBurst, "kube-api-burst", 0, "requests at once above --kube-api-qps; 0 means twice as many")
	return cmd
}

func (o managerOptions) validate() error {
	if o.image == "" {
		return fmt.Errorf("--workload-image is empty: name the image that dispatchers and gateways run, or set OABRIDGE_IMAGE")
	}
	if o.installPresets && o.presets == "" {
		return fmt.Errorf("--install-presets needs a namespace: set --presets-namespace or POD_NAMESPACE")
	}
	switch corev1.PullPolicy(o.pullPolicy) {
	case "", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		return fmt.Errorf("--workload-image-pull-policy is %q: use Always, IfNotPresent or Never", o.pullPolicy)
	}
	if o.profiles && !o.metricsAuth {
		return fmt.Errorf("--pprof needs --metrics-auth: profiles are not for everybody who reaches the port")
	}
	if o.concurrency < 1 {
		return fmt.Errorf("--max-concurrent-reconciles is %d: use 1 or more", o.concurrency)
	}
	if o.backoffBase < minBackoff {
		return fmt.Errorf("--backoff-base is %s: use %s or more", o.backoffBase, minBackoff)
	}
	if o.backoffMax < o.backoffBase {
		return fmt.Errorf("--backoff-max is %s: use at least --backoff-base, which is %s", o.backoffMax, o.backoffBase)
	}
	if o.apiQPS < 0 || o.apiBurst < 0 {
		return fmt.Errorf("--kube-api-qps and --kube-api-burst must not be negative; 0 sets no bound")
	}
	if o.apiBurst > 0 && o.apiQPS == 0 {
		return fmt.Errorf("--kube-api-burst is %d without --kube-api-qps, so it bounds nothing: set both, or neither", o.apiBurst)
	}
	return nil
}

// wholeScope adds the parsed selector to the scope.
func (o managerOptions) wholeScope() (controllers.Scope, error) {
	scope := o.scope
	if o.selector != "" {
		selector, err := labels.Parse(o.selector)
		if err != nil {
			return scope, fmt.Errorf("--namespace-selector is %q: %w; write it as for kubectl get -l", o.selector, err)
		}
		scope.NamespaceSelector = selector
	}
	return scope, scope.Validate()
}

// limit bounds the requests to the API server. Without a bound, workers × one request is what is under way at most.
func (o managerOptions) limit(config *rest.Config) {
	config.QPS, config.Burst = -1, 0
	if o.apiQPS > 0 {
		config.QPS, config.Burst = o.apiQPS, cmp.Or(o.apiBurst, int(max(1, burstFactor*o.apiQPS)))
	}
}

// shippedPresets returns the presets that the manager has to install.
func (o managerOptions) shippedPresets() ([]*unstructured.Unstructured, error) {
	if !o.installPresets {
		return nil, nil
	}
	objects, err := manifest.Presets()
	if err != nil {
		return nil, err
	}
	var found []*unstructured.Unstructured
	for _, o := range objects {
		found = append(found, &unstructured.Unstructured{Object: o.Tree})
	}
	return found, nil
}

func runManager(cmd *cobra.Command, o managerOptions, log logr.Logger) error {
	if err := o.validate(); err != nil {
		return err
	}
	scope, err := o.wholeScope()
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster: %w; set KUBECONFIG or run in a pod with a service account", err)
	}
	o.limit(config)
	config.DisableCompression = true // the API server is near: packing lists costs both sides more than sending them
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme:                        controllers.Scheme(),
		Logger:                        log,
		Cache:                         controllers.CacheOptions(scope, o.presets),
		Client:                        client.Options{FieldValidation: metav1.FieldValidationStrict},
		Metrics:                       controllers.MetricsOptions(o.metricsAddress, o.metricsAuth, o.profiles),
		HealthProbeBindAddress:        o.healthAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderID(scope.Class),
		LeaderElectionNamespace:       os.Getenv("POD_NAMESPACE"),
		LeaderElectionReleaseOnCancel: true, // the process ends right after Start returns
		GracefulShutdownTimeout:       ptr.To(endTimeout),
	})
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.Add(newHeapLimit()); err != nil {
		return err
	}
	presets, err := o.shippedPresets()
	if err != nil {
		return err
	}
	build, err := buildDigest()
	if err != nil {
		log.Error(err, "goes on, but looks at everything anew whenever it starts")
	}
	if err := controllers.Setup(cmd.Context(), mgr, controllers.Options{
		Build:             build,
		Image:             o.image,
		PullPolicy:        corev1.PullPolicy(o.pullPolicy),
		PresetsNamespace:  o.presets,
		OperatorNamespace: os.Getenv("POD_NAMESPACE"),
		Presets:           presets,
		Scope:             scope,
		MaxConcurrent:     o.concurrency,
		BackoffBase:       o.backoffBase,
		BackoffMax:        o.backoffMax,
	}); err != nil {
		return err
	}
	return mgr.Start(cmd.Context())
}
