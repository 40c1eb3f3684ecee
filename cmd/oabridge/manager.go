package main

import (
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/oabridge/oabridge/controllers"
	"github.com/oabridge/oabridge/internal/manifest"
)

// leaderID is the name of the Lease that the manager's replicas contend for.
const leaderID = "oabridge-manager.oabridge.dev"

// apiQPS and apiBurst bound the manager's own requests to the Kubernetes API, in requests per second. A steady manager
// makes none; the bound matters when thousands of connectors are created at once.
const (
	apiQPS   = 50
	apiBurst = 100
)

type managerOptions struct {
	metricsAddress string
	healthAddress  string
	leaderElect    bool
	image          string
	pullPolicy     string
	presets        string
	installPresets bool
	namespaces     []string
	concurrency    int
}

// newManagerCommand runs the operator: it turns OAConnectors into running dispatchers and gateways.
func newManagerCommand() *cobra.Command {
	o := managerOptions{image: os.Getenv("OABRIDGE_IMAGE"), presets: os.Getenv("POD_NAMESPACE")}
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the operator: a dispatcher and a gateway for each OAConnector",
		Long: `Run the operator: a dispatcher and a gateway for each OAConnector.

It uses the kubeconfig of the environment (KUBECONFIG, or the service account of its pod). Several replicas may run with
--leader-elect; one of them works.`,
		Example: `  # against the current cluster, without a leader
  oabridge manager --workload-image oabridge/oabridge:latest --presets-namespace oabridge-system`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logr.FromContext(cmd.Context())
			if err != nil {
				return err
			}
			return runManager(cmd, o, log.WithName("manager"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address for /metrics; 0 serves none")
	f.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address for /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding the lease "+leaderID)
	f.StringVar(&o.image, "workload-image", o.image, "image of dispatchers and gateways (default $OABRIDGE_IMAGE)")
	f.StringVar(&o.pullPolicy, "workload-image-pull-policy", "", "Always, IfNotPresent or Never; empty leaves it to Kubernetes")
	f.StringVar(&o.presets, "presets-namespace", o.presets, "namespace of the ScenarioTemplates that every connector may use (default $POD_NAMESPACE)")
	f.BoolVar(&o.installPresets, "install-presets", false, "bring the presets of this version into that namespace")
	f.StringSliceVar(&o.namespaces, "watch-namespaces", nil, "namespaces to work in, separated by commas; empty means all")
	f.IntVar(&o.concurrency, "max-concurrent-reconciles", 4, "how many objects of one kind are worked on at once")
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
	if o.concurrency < 1 {
		return fmt.Errorf("--max-concurrent-reconciles is %d: use 1 or more", o.concurrency)
	}
	return nil
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
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster: %w; set KUBECONFIG or run in a pod with a service account", err)
	}
	config.QPS, config.Burst = apiQPS, apiBurst
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme:                        controllers.Scheme(),
		Logger:                        log,
		Cache:                         controllers.CacheOptions(o.namespaces, o.presets),
		Client:                        client.Options{FieldValidation: metav1.FieldValidationStrict},
		Metrics:                       server.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        o.healthAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderID,
		LeaderElectionNamespace:       os.Getenv("POD_NAMESPACE"),
		LeaderElectionReleaseOnCancel: true, // the process ends right after Start returns
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
	presets, err := o.shippedPresets()
	if err != nil {
		return err
	}
	if err := controllers.Setup(cmd.Context(), mgr, controllers.Options{
		Image:             o.image,
		PullPolicy:        corev1.PullPolicy(o.pullPolicy),
		PresetsNamespace:  o.presets,
		OperatorNamespace: os.Getenv("POD_NAMESPACE"),
		Presets:           presets,
		Namespaces:        o.namespaces,
		MaxConcurrent:     o.concurrency,
	}); err != nil {
		return err
	}
	return mgr.Start(cmd.Context())
}
