package workload_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// placed says where both workloads run, with every field of a podTemplate.
func placed() workload.Input {
	in := full()
	template := v1alpha1.PodTemplate{
		Metadata: v1alpha1.PodMetadata{
			Labels:      map[string]string{"cost-centre": "4711"},
			Annotations: map[string]string{"prometheus.io/scrape": "true"},
		},
		Spec: v1alpha1.PodSpec{
			NodeSelector: map[string]string{"pool": "office"},
			Tolerations: []corev1.Toleration{{
				Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: "crm", Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](60),
			}},
			Affinity: runtime.RawExtension{Raw: []byte(`{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
				{"matchExpressions":[{"key":"kubernetes.io/arch","operator":"In","values":["amd64","arm64"]}]}]}}}`)},
			TopologySpreadConstraints: []v1alpha1.TopologySpread{
				{TopologyKey: corev1.LabelTopologyZone, MaxSkew: 2, WhenUnsatisfiable: corev1.DoNotSchedule}, {TopologyKey: corev1.LabelHostname},
			},
			PriorityClassName: "business-critical", RuntimeClassName: "gvisor",
			ImagePullSecrets: []v1alpha1.PullSecret{{Name: "registry"}},
			HostAliases:      []v1alpha1.HostAlias{{IP: "10.20.30.40", Hostnames: []string{"oa.corp.example"}}},
			Env:              []v1alpha1.EnvVar{{Name: "TZ", Value: "Asia/Shanghai"}, {Name: "GOMEMLIMIT", Value: "300MiB"}},
		},
	}
	in.Connector.Spec.Dispatcher.PodTemplate, in.Connector.Spec.SSO.PodTemplate = template.DeepCopy(), template.DeepCopy()
	in.Connector.Spec.SSO.Resources = v1alpha1.Resources{CPURequest: "200m", MemoryRequest: "128Mi", MemoryLimit: "400Mi"}
	return in
}

// What a company says wins; what keeps a pod to its contract stays.
func TestPodTemplatesWinOverTheOperatorsOwnChoices(t *testing.T) {
	plain, pods := templates(t, workload.Build(full())), templates(t, workload.Build(placed()))
	for name, pod := range pods {
		g := NewWithT(t)
		before := plain[name]
		g.Expect(pod.Labels).To(HaveKeyWithValue("cost-centre", "4711"), name)
		for key, value := range before.Labels {
			g.Expect(pod.Labels).To(HaveKeyWithValue(key, value), name)
		}
		g.Expect(pod.Spec.TopologySpreadConstraints).To(HaveLen(2), "%s: the own constraint is replaced", name)
		for _, c := range pod.Spec.TopologySpreadConstraints {
			g.Expect(c.LabelSelector.MatchLabels).To(HaveKeyWithValue("app.kubernetes.io/instance", "hq"), name)
			for key, value := range c.LabelSelector.MatchLabels {
				g.Expect(pod.Labels).To(HaveKeyWithValue(key, value), name)
			}
		}
		container, was := pod.Spec.Containers[0], before.Spec.Containers[0]
		g.Expect(container.Env).To(ConsistOf(corev1.EnvVar{Name: "TZ", Value: "Asia/Shanghai"}, corev1.EnvVar{Name: "GOMEMLIMIT", Value: "300MiB"}), name)
		container.Env, was.Env = nil, nil
		container.Resources, was.Resources = corev1.ResourceRequirements{}, corev1.ResourceRequirements{}
		g.Expect(container).To(Equal(was), name)
		g.Expect(pod.Spec.SecurityContext).To(Equal(before.Spec.SecurityContext), name)
		g.Expect(pod.Spec.Volumes).To(Equal(before.Spec.Volumes), name)
		g.Expect(pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms).To(HaveLen(1), name)
	}
	NewWithT(t).Expect(pods).To(HaveLen(2))
}

// A replica in front of NATS knows its own name whatever the environment says.
func TestTheNameOfAReplicaStays(t *testing.T) {
	in := scaled()
	in.Connector.Spec.Dispatcher.PodTemplate = &v1alpha1.PodTemplate{Spec: v1alpha1.PodSpec{Env: []v1alpha1.EnvVar{{Name: "POD_NAME", Value: "somebody-else"}}}}
	env := templates(t, workload.Build(in))["hq-dispatcher"].Spec.Containers[0].Env
	g := NewWithT(t)
	g.Expect(env).To(ContainElement(HaveField("ValueFrom.FieldRef.FieldPath", "metadata.name")))
	g.Expect(env).NotTo(ContainElement(HaveField("Value", "somebody-else")))
}

// A podTemplate is refused in a sentence that names the field and the next step, whether or not the schema refuses it, too.
func TestPodTemplatesThatAreRefused(t *testing.T) {
	const sso, dispatcher = "spec.sso.podTemplate", "spec.dispatcher.podTemplate"
	for name, c := range map[string]struct {
		change func(*v1alpha1.OAConnectorSpec)
		want   string
	}{
		"a label of the operator": {func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.PodTemplate.Metadata.Labels = map[string]string{"app.kubernetes.io/component": "dispatcher"}
		}, sso + `.metadata.labels: "app.kubernetes.io/component" is the operator's`},
		"an annotation of the operator": {func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.PodTemplate.Metadata.Annotations = map[string]string{v1alpha1.AnnotationConfigRevision: "1"}
		}, sso + `.metadata.annotations: "oabridge.dev/config-revision" is the operator's: choose another prefix`},
		"a variable of the operator": {func(s *v1alpha1.OAConnectorSpec) {
			s.Dispatcher.PodTemplate.Spec.Env = []v1alpha1.EnvVar{{Name: "POD_NAME", Value: "x"}}
		}, dispatcher + ".spec.env: POD_NAME is set by OA Bridge itself: choose another name"},
		"an affinity that is none": {func(s *v1alpha1.OAConnectorSpec) {
			s.Dispatcher.PodTemplate.Spec.Affinity.Raw = []byte(`{"nodeAfinity":{}}`)
		}, dispatcher + ".spec.affinity: is no affinity of a Pod"},
		"a profile that takes the protection away": {func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.PodTemplate.Metadata.Annotations = map[string]string{"container.apparmor.security.beta.kubernetes.io/oabridge": "unconfined"}
		}, sso + ": the pods would not pass the Pod Security Standard restricted"},
	} {
		t.Run(name, func(t *testing.T) {
			in := placed()
			c.change(&in.Connector.Spec)
			problems := workload.Check(in)
			g := NewWithT(t)
			g.Expect(problems).To(HaveLen(1))
			g.Expect(problems[0].String()).To(HavePrefix(c.want))
			component := v1alpha1.ComponentDispatcher
			if strings.HasPrefix(c.want, sso) {
				component = v1alpha1.ComponentGateway
			}
			g.Expect(problems[0].Component).To(Equal(component))
		})
	}
	for name, input := range inputs {
		NewWithT(t).Expect(workload.Check(input())).To(BeEmpty(), name)
	}
}

// Without a gateway, what is said of its pods is nobody's concern.
func TestThePodTemplateOfNoGateway(t *testing.T) {
	in := minimal()
	in.Connector.Spec.SSO = v1alpha1.SSO{Mode: v1alpha1.SSONone, PodTemplate: &v1alpha1.PodTemplate{
		Metadata: v1alpha1.PodMetadata{Labels: map[string]string{"app.kubernetes.io/name": "x"}},
	}}
	NewWithT(t).Expect(workload.Check(in)).To(BeEmpty())
}
