package workload_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// minimal is the smallest connector: it pushes and has no gateway.
func minimal() workload.Input {
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Name: "hq", Namespace: "crm", UID: "0b1c"}}
	c.Spec.CredentialsSecretRef.Name = "hq-seeyon"
	c.Spec.Source.TokenSecretRef.Name = "hq-token"
	return workload.Input{
		Connector: c,
		Bundle:    &bundle.Bundle{Accounts: bundle.Accounts{Shards: []bundle.Shard{{File: "accounts-00.gz"}}}},
		Files:     map[string][]byte{bundle.FileName: []byte(`{"format":1}`), "accounts-00.gz": []byte("pairs")},
		Image:     "oabridge/oabridge:v1.0.0",
	}
}

// full uses every field that a child depends on.
func full() workload.Input {
	in := minimal()
	spec := &in.Connector.Spec
	spec.Endpoint.CASecretRef.Name = "oa-ca"
	spec.Source.SigningSecretRef.Name = "hq-events"
	spec.Headers = []v1alpha1.Header{
		{Name: "X-From", Value: "crm"},
		{Name: "X-Key", ValueFrom: v1alpha1.HeaderSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "hq-header", Key: "api-key"}}},
	}
	spec.Dispatcher.Storage = v1alpha1.Storage{Size: "8Gi", ClassName: "fast"}
	spec.Dispatcher.Resources = v1alpha1.Resources{CPURequest: "100m", MemoryRequest: "256Mi", MemoryLimit: "1Gi"}
	spec.SSO = v1alpha1.SSO{
		Mode: v1alpha1.SSOV5Ticket, Host: "sso.crm.example", Replicas: 3,
		Exposure: v1alpha1.Exposure{
			Type: v1alpha1.ExposureIngress, ClassName: "nginx", TLS: v1alpha1.IngressTLS{SecretName: "sso-tls"},
		},
		CRMLogin: v1alpha1.CRMLogin{
			Type: v1alpha1.LoginSignedJWT, URL: "https://crm.example/login", KeySecretRef: v1alpha1.SecretReference{Name: "hq-crm-key"},
		},
	}
	in.Bundle.OA.Headers = []bundle.Header{{Name: "X-From", Value: "crm"}, {Name: "X-Key", SecretFile: "headers/1"}}
	in.Bundle.Accounts.Shards = append(in.Bundle.Accounts.Shards, bundle.Shard{File: "accounts-01.gz"})
	in.Files["accounts-01.gz"] = []byte("more pairs")
	in.PullPolicy = corev1.PullIfNotPresent
	return in
}

// single has a gateway of one replica without an Ingress.
func single() workload.Input {
	in := full()
	in.Connector.Spec.SSO.Replicas = 1
	in.Connector.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureNone}
	return in
}

// scaled has its queue in a NATS cluster, the index in a database, and uses the CRM's interface.
func scaled() workload.Input {
	in := minimal()
	secret := func(name string) v1alpha1.SecretReference { return v1alpha1.SecretReference{Name: name} }
	spec := &in.Connector.Spec
	spec.Dispatcher.Replicas = 3
	spec.Dispatcher.Queue = v1alpha1.Queue{Type: v1alpha1.QueueNATS, NATS: v1alpha1.NATSQueue{
		URLs: []string{"tls://nats.infra:4222"}, CredentialsSecretRef: secret("hq-nats"), CASecretRef: secret("nats-ca"),
	}}
	spec.Dispatcher.Records.IndexSecretRef = secret("hq-index")
	spec.Dispatcher.Storage.Size = "2Gi"
	spec.Source.CRM.CredentialsSecretRef = secret("hq-crm")
	spec.Source.Callback.SecretRef = secret("hq-callback")
	spec.Notifications.Channels = []v1alpha1.Channel{
		{Name: "im", Type: v1alpha1.ChannelCRM}, {Name: "hook", Type: v1alpha1.ChannelWebhook, SecretRef: secret("hq-hook")},
	}
	return in
}

// pulled is asked by Seeyon, on the host of the Ingress.
func pulled() workload.Input {
	in := full()
	in.Connector.Spec.Type = v1alpha1.TypeSeeyon
	in.Connector.Spec.Seeyon = v1alpha1.SeeyonSpec{RegisterCode: "3004", Mode: v1alpha1.SeeyonPull,
		Pull: v1alpha1.SeeyonPullSpec{TokenSecretRef: v1alpha1.SecretReference{Name: "hq-pull"}}}
	return in
}

// routed is reached through the Gateway API, also by Seeyon.
func routed() workload.Input {
	in := pulled()
	in.Connector.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureHTTPRoute, ParentRefs: []v1alpha1.GatewayReference{
		{Name: "public", Namespace: "infra", SectionName: "https"}, {Name: "office"},
	}, Annotations: map[string]string{"example.com/owner": "crm"}, Labels: map[string]string{"edge": "public"}}
	return in
}

// watched tells a collector of traces, and hands out profiles.
func watched() workload.Input {
	in := full()
	in.Connector.Spec.Observability = v1alpha1.Observability{
		Tracing: v1alpha1.Tracing{
			Endpoint: "http://otel-collector.observability:4318", SamplingRatio: "0.1", HeadersSecretRef: v1alpha1.SecretReference{Name: "otel"},
		},
		Profiling: v1alpha1.Profiling{TokenSecretRef: v1alpha1.SecretReference{Name: "hq-profiling"}},
	}
	return in
}

var inputs = map[string]func() workload.Input{
	"minimal": minimal, "full": full, "single-gateway": single, "nats": scaled, "pull": pulled, "route": routed, "watched": watched,
	"placed": placed, "guarded": guarded, "open": open, "exposed": exposed, "shared": shared, "shared-route": sharedRoute,
}

func render(t *testing.T, objects []workload.Object) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, o := range objects {
		doc, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(doc)
	}
	return out.Bytes()
}

// A reviewer sees in the golden files what a change of the builders does to every child.
func TestChildrenMatchGoldenFiles(t *testing.T) {
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			got := render(t, workload.Build(input()))
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			NewWithT(t).Expect(string(got)).To(Equal(string(want)), "run go test -update and review the difference")
		})
	}
}

func templates(t *testing.T, objects []workload.Object) map[string]corev1.PodTemplateSpec {
	t.Helper()
	found := map[string]corev1.PodTemplateSpec{}
	for _, o := range objects {
		if *o.GetKind() != "Deployment" {
			continue
		}
		doc, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		if err := yaml.UnmarshalStrict(doc, &d); err != nil && !strings.Contains(err.Error(), "unknown field") {
			t.Fatal(err)
		}
		found[*o.GetName()] = d.Spec.Template
	}
	return found
}

func TestPodsPassRestrictedPodSecurity(t *testing.T) { // TM-23
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	every := maps.Clone(inputs)
	for _, mode := range []v1alpha1.SSOMode{
		v1alpha1.SSOV5Ticket, v1alpha1.SSOPortalTicket, v1alpha1.SSOSignedLink, v1alpha1.SSOJWT, v1alpha1.SSOCallback,
		v1alpha1.SSOApp, v1alpha1.SSOOIDC, v1alpha1.SSOOAuth2, v1alpha1.SSOCAS, v1alpha1.SSONone,
	} {
		for _, base := range []func() workload.Input{full, scaled} {
			every[string(mode)+" "+base().Connector.Spec.Dispatcher.Storage.Size] = func() workload.Input {
				in := base()
				in.Connector.Spec.SSO.Mode, in.Connector.Spec.SSO.Host = mode, "sso.crm.example"
				in.Connector.Spec.SSO.SecretRef.Name = "hq-sso"
				in.Connector.Spec.SSO.Companies = []v1alpha1.CompanySSO{{Name: "b", SecretRef: v1alpha1.SecretReference{Name: "b-app"}}}
				return in
			}
		}
	}
	for name, input := range every {
		for deployment, template := range templates(t, workload.Build(input())) {
			for _, result := range evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec) {
				if !result.Allowed {
					t.Errorf("%s/%s: %s: %s", name, deployment, result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
			// A workload that is taken over finds no credentials of the cluster.
			if token := template.Spec.AutomountServiceAccountToken; token == nil || *token {
				t.Errorf("%s/%s mounts a service account token", name, deployment)
			}
		}
	}
	// The check itself can fail.
	bad := templates(t, workload.Build(minimal()))["hq-dispatcher"]
	bad.Spec.HostNetwork = true
	allowed := true
	for _, result := range evaluator.EvaluatePod(level, &bad.ObjectMeta, &bad.Spec) {
		allowed = allowed && result.Allowed
	}
	if allowed {
		t.Error("the evaluator allows a pod on the host's network")
	}
}

// What can be changed in a running pod must not restart it.
func TestConfigurationDoesNotChangeThePodTemplate(t *testing.T) {
	changes := map[string]func(in *workload.Input){
		"endpoint":    func(in *workload.Input) { in.Connector.Spec.Endpoint.URL = "http://other.example" },
		"delivery":    func(in *workload.Input) { in.Connector.Spec.Delivery.Concurrency = 99 },
		"scenarios":   func(in *workload.Input) { in.Connector.Spec.Scenarios = []v1alpha1.ScenarioReference{{}} },
		"plainHeader": func(in *workload.Input) { in.Connector.Spec.Headers[0].Value = "other" },
		"host":        func(in *workload.Input) { in.Connector.Spec.SSO.Host = "other.crm.example" },
		"storage":     func(in *workload.Input) { in.Connector.Spec.Dispatcher.Storage.Size = "16Gi" },
		"replicas":    func(in *workload.Input) { in.Connector.Spec.SSO.Replicas = 5 },
		"pairs":       func(in *workload.Input) { in.Files["accounts-00.gz"] = []byte("other pairs") },
	}
	before := templates(t, workload.Build(full()))
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			in := full()
			change(&in)
			NewWithT(t).Expect(templates(t, workload.Build(in))).To(Equal(before))
		})
	}
}

// A connector is most often made together with its first AccountBinding: whichever is seen first, its pods are made once.
func TestTheFirstPairDoesNotChangeThePodTemplate(t *testing.T) {
	before := minimal()
	before.Bundle = &bundle.Bundle{}
	NewWithT(t).Expect(templates(t, workload.Build(before))).To(Equal(templates(t, workload.Build(minimal()))))
}

// A NATS cluster can be moved and its limits changed, and replicas added, without a restart.
func TestQueueSettingsDoNotChangeThePodTemplate(t *testing.T) {
	changes := map[string]func(*v1alpha1.Dispatcher){
		"urls":           func(d *v1alpha1.Dispatcher) { d.Queue.NATS.URLs = []string{"tls://other.infra:4222"} },
		"maxBytes":       func(d *v1alpha1.Dispatcher) { d.Queue.NATS.MaxBytes = "4Gi" },
		"streamReplicas": func(d *v1alpha1.Dispatcher) { d.Queue.NATS.StreamReplicas = 5 },
		"replicas":       func(d *v1alpha1.Dispatcher) { d.Replicas = 4 },
	}
	before := templates(t, workload.Build(scaled()))
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			in := scaled()
			change(&in.Connector.Spec.Dispatcher)
			NewWithT(t).Expect(templates(t, workload.Build(in))).To(Equal(before))
		})
	}
}

// One replica in front of NATS needs no budget: with one, its node could never be emptied.
func TestBudgetOnlyForSeveralReplicas(t *testing.T) {
	for replicas, want := range map[int32]int{0: 0, 1: 0, 2: 1} {
		in, budgets := scaled(), 0
		in.Connector.Spec.Dispatcher.Replicas = replicas
		for _, o := range workload.Build(in) {
			if *o.GetKind() == "PodDisruptionBudget" {
				budgets++
			}
		}
		NewWithT(t).Expect(budgets).To(Equal(want), "%d replicas", replicas)
	}
}

// A pod starts also when a Secret, or one of its keys, is not there.
func TestMissingSecretsNeverBlockAPod(t *testing.T) {
	for deployment, template := range templates(t, workload.Build(full())) {
		for _, volume := range template.Spec.Volumes {
			if volume.Projected == nil {
				continue
			}
			for _, source := range volume.Projected.Sources {
				if source.Secret != nil && (source.Secret.Optional == nil || !*source.Secret.Optional) {
					t.Errorf("%s: volume %s needs Secret %s", deployment, volume.Name, source.Secret.Name)
				}
			}
		}
	}
}

// The gateway is the side that strangers reach: it holds neither the OA account nor what proves an event.
func TestGatewayHoldsOnlyItsOwnSecrets(t *testing.T) { // TM-23
	var secrets []string
	for _, volume := range templates(t, workload.Build(full()))["hq-gateway"].Spec.Volumes {
		if volume.Projected != nil {
			for _, source := range volume.Projected.Sources {
				if source.Secret != nil {
					secrets = append(secrets, source.Secret.Name)
				}
			}
		}
	}
	NewWithT(t).Expect(secrets).To(ConsistOf("hq-peer", "oa-ca", "hq-header", "hq-crm-key"))
}

func TestRequestNeverExceedsLimit(t *testing.T) {
	cases := []struct {
		name              string
		resources         v1alpha1.Resources
		request, limit    string
		goMemoryLimitWant string
	}{
		{"defaults", v1alpha1.Resources{}, "128Mi", "512Mi", "409MiB"},
		{"small limit", v1alpha1.Resources{MemoryLimit: "64Mi"}, "64Mi", "64Mi", "51MiB"},
		{"large request", v1alpha1.Resources{MemoryRequest: "2Gi"}, "2Gi", "2Gi", "1638MiB"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := minimal()
			in.Connector.Spec.Dispatcher.Resources = c.resources
			container := templates(t, workload.Build(in))["hq-dispatcher"].Spec.Containers[0]
			g := NewWithT(t)
			g.Expect(container.Resources.Requests.Memory().String()).To(Equal(c.request))
			g.Expect(container.Resources.Limits.Memory().String()).To(Equal(c.limit))
			g.Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "GOMEMLIMIT", Value: c.goMemoryLimitWant}))
		})
	}
}

func TestPeerTokensAreRandomAndVisibleToTheOperator(t *testing.T) { // TM-26
	c := minimal().Connector
	a, b := workload.NewPeerSecret(c), workload.NewPeerSecret(c)
	g := NewWithT(t)
	g.Expect(a.Data[v1alpha1.KeyToken]).To(HaveLen(43))
	g.Expect(a.Data[v1alpha1.KeyToken]).NotTo(Equal(b.Data[v1alpha1.KeyToken]))
	g.Expect(a.Labels).To(HaveKeyWithValue(v1alpha1.LabelCredentials, "true"))
	g.Expect(metav1.IsControlledBy(a, c)).To(BeTrue())
}
