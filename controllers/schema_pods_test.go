package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// mistake is an edit of the sample connector, and the sentence with which the API refuses it; none when it is no mistake.
type mistake struct {
	name    string
	edit    func(*v1alpha1.OAConnector)
	message string
}

func (w *world) judge(mistakes ...mistake) {
	w.Helper()
	for _, m := range mistakes {
		w.Run(m.name, func(t *testing.T) {
			c := sampleConnector(t)
			c.Namespace = w.ns
			m.edit(c)
			err := admin.Create(t.Context(), c, client.DryRunAll)
			if m.message == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
				return
			}
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(m.message)))
		})
	}
}

// What cannot be said in a podTemplate is refused at once.
func TestTheAPIRefusesMistakesInPodTemplates(t *testing.T) {
	pods := func(edit func(*v1alpha1.PodTemplate)) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) {
			c.Spec.Dispatcher.PodTemplate = &v1alpha1.PodTemplate{}
			edit(c.Spec.Dispatcher.PodTemplate)
		}
	}
	newWorld(t).judge(
		mistake{"a label of the operator", pods(func(p *v1alpha1.PodTemplate) { p.Metadata.Labels = map[string]string{v1alpha1.LabelConnector: "other"} }),
			"labels that begin with oabridge.dev/ or app.kubernetes.io/ are the operator's"},
		mistake{"an annotation of the operator", pods(func(p *v1alpha1.PodTemplate) {
			p.Metadata.Annotations = map[string]string{v1alpha1.AnnotationConfigRevision: "1"}
		}), "annotations that begin with oabridge.dev/ are the operator's"},
		mistake{"the name of a replica", pods(func(p *v1alpha1.PodTemplate) { p.Spec.Env = []v1alpha1.EnvVar{{Name: "POD_NAME", Value: "me"}} }),
			"POD_NAME and names that begin with OABRIDGE_ are set by OA Bridge itself"},
		mistake{"a variable that no shell knows", pods(func(p *v1alpha1.PodTemplate) { p.Spec.Env = []v1alpha1.EnvVar{{Name: "MY-VAR"}} }), "should match"},
		mistake{"a name in place of an address", pods(func(p *v1alpha1.PodTemplate) {
			p.Spec.HostAliases = []v1alpha1.HostAlias{{IP: "oa.example", Hostnames: []string{"oa"}}}
		}), "must be an IP address such as 10.20.30.40"},
		mistake{"a spread without a place", pods(func(p *v1alpha1.PodTemplate) {
			p.Spec.TopologySpreadConstraints = []v1alpha1.TopologySpread{{MaxSkew: 1}}
		}), "topologyKey"},
		mistake{"an unknown way to spread", pods(func(p *v1alpha1.PodTemplate) {
			p.Spec.TopologySpreadConstraints = []v1alpha1.TopologySpread{{TopologyKey: "zone", WhenUnsatisfiable: "Never"}}
		}), `Unsupported value: "Never"`},
		mistake{"an unreasonable request of the gateway", func(c *v1alpha1.OAConnector) {
			c.Spec.SSO.Resources = v1alpha1.Resources{MemoryRequest: "1Gi", MemoryLimit: "64Mi"}
		}, "memoryRequest must not exceed memoryLimit"},
		mistake{"a template that adds nothing", pods(func(*v1alpha1.PodTemplate) {}), ""},
		mistake{"a template that is good", pods(func(p *v1alpha1.PodTemplate) {
			p.Metadata.Labels = map[string]string{"team": "crm"}
			p.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
			p.Spec.TopologySpreadConstraints = []v1alpha1.TopologySpread{{TopologyKey: "topology.kubernetes.io/zone"}}
		}), ""},
	)
}
