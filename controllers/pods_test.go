package controllers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
)

func withSSO(t *testing.T) func(*v1alpha1.OAConnector) {
	t.Helper()
	return func(c *v1alpha1.OAConnector) { c.Spec.SSO = sampleConnector(t).Spec.SSO }
}

// A company says where pods run. What takes them out of "restricted", or what cannot be read, is refused in words, and the
// pods stay as they are; the other workload is not touched by it.
func TestPodTemplates(t *testing.T) {
	w := newWorld(t)
	w.ready(withSSO(t), func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.PodTemplate, c.Spec.Dispatcher.PodTemplate = &v1alpha1.PodTemplate{}, &v1alpha1.PodTemplate{}
		c.Spec.SSO.PodTemplate.Spec.NodeSelector = map[string]string{"pool": "office"}
		c.Spec.SSO.PodTemplate.Spec.Affinity = runtime.RawExtension{Raw: []byte(`{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
			{"weight":1,"podAffinityTerm":{"topologyKey":"rack","labelSelector":{"matchLabels":{"app.kubernetes.io/name":"oabridge"}}}}]}}`)}
		c.Spec.Dispatcher.PodTemplate.Spec.Tolerations = []corev1.Toleration{{Key: "crm", Operator: corev1.TolerationOpExists}}
	})
	gateway := get(w, "hq-gateway", &appsv1.Deployment{})
	w.Expect(gateway.Spec.Template.Spec.NodeSelector).To(Equal(map[string]string{"pool": "office"}))
	w.Expect(gateway.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution).To(HaveLen(1))
	w.Expect(gateway.Spec.Template.Spec.Tolerations).To(BeEmpty())
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Spec.Tolerations).To(HaveLen(1))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.PodTemplate.Metadata.Annotations = map[string]string{"container.apparmor.security.beta.kubernetes.io/oabridge": "unconfined"}
		c.Spec.SSO.PodTemplate.Spec.NodeSelector = map[string]string{"pool": "home"}
		c.Spec.Dispatcher.PodTemplate.Metadata.Labels = map[string]string{"team": "crm"}
	})
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix(
		"False PodTemplateInvalid: spec.sso.podTemplate: the pods would not pass the Pod Security Standard restricted"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("True PodTemplateInvalid"))
	w.Expect(get(w, "hq-gateway", &appsv1.Deployment{}).Generation).To(Equal(gateway.Generation))
	w.Eventually(func() map[string]string {
		return get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Labels
	}).WithTimeout(patience).Should(HaveKeyWithValue("team", "crm"))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.PodTemplate.Metadata.Annotations = nil
		c.Spec.SSO.PodTemplate.Spec.Affinity = runtime.RawExtension{Raw: []byte(`{"nodeAfinity":{}}`)}
	})
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("False PodTemplateInvalid: spec.sso.podTemplate.spec.affinity: is no affinity of a Pod"))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO.PodTemplate.Spec.Affinity = runtime.RawExtension{} })
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	w.Eventually(func() map[string]string {
		return get(w, "hq-gateway", &appsv1.Deployment{}).Spec.Template.Spec.NodeSelector
	}).WithTimeout(patience).Should(Equal(map[string]string{"pool": "home"}))

	// Taken away, the pods are the operator's own again.
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO.PodTemplate = nil })
	w.Eventually(func() corev1.PodSpec { return get(w, "hq-gateway", &appsv1.Deployment{}).Spec.Template.Spec }).WithTimeout(patience).Should(And(
		HaveField("NodeSelector", BeEmpty()), HaveField("Affinity", BeNil()), HaveField("TopologySpreadConstraints", HaveLen(1))))
}

// What is wrong with a Pod in general is said by the API, of the Deployment.
func TestAPodTemplateThatTheAPIRefuses(t *testing.T) {
	w := newWorld(t)
	w.ready(func(c *v1alpha1.OAConnector) {
		c.Spec.Dispatcher.PodTemplate = &v1alpha1.PodTemplate{Spec: v1alpha1.PodSpec{NodeSelector: map[string]string{"pool": "office"}}}
	})
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.Dispatcher.PodTemplate.Spec.NodeSelector = map[string]string{"pool": "no value of a label"}
	})
	w.expectCondition(v1alpha1.ConditionStalled, And(HavePrefix("True ApplyFailed: deployment \"hq-dispatcher\" was refused"), ContainSubstring("no value of a label")))
}

// scale reads the scale of the connector hq, and with replicas above -1 sets it, as kubectl scale and autoscalers do: they try
// again when somebody else was a moment faster.
func (w *world) scale(replicas int32) (*autoscalingv1.Scale, error) {
	w.Helper()
	scale := &autoscalingv1.Scale{}
	return scale, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		c := get(w, "hq", &v1alpha1.OAConnector{})
		if err := admin.SubResource("scale").Get(w.Context(), c, scale); err != nil || replicas < 0 {
			return err
		}
		scale.Spec.Replicas = replicas
		return admin.SubResource("scale").Update(w.Context(), c, client.WithSubResourceBody(scale), client.FieldOwner("autoscaler"))
	})
}

func (w *world) gatewayReplicas() int32 {
	return *get(w, "hq-gateway", &appsv1.Deployment{}).Spec.Replicas
}

// kubectl scale and a HorizontalPodAutoscaler scale the gateway through the connector. The file that a GitOps tool applies
// again and again does not hold replicas, so nobody fights.
func TestScale(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zhangwei")
	apply := func() {
		c := sampleConnector(t)
		c.Spec.SSO.Replicas = 0
		w.Expect(admin.Apply(w.Context(), w.file(c), client.FieldOwner("gitops"))).To(Succeed())
	}
	apply()
	w.hash()
	w.available("hq-dispatcher", "hq-gateway")
	w.Expect(w.gatewayReplicas()).To(BeEquivalentTo(2))
	w.Eventually(func(g Gomega) {
		scale, err := w.scale(-1)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(scale.Spec.Replicas).To(BeEquivalentTo(2))
		g.Expect(scale.Status.Replicas).To(BeEquivalentTo(2))
		// By the selector an autoscaler finds the pods that it measures: the gateway's, and no other.
		selector, err := labels.Parse(scale.Status.Selector)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(selector.Matches(labels.Set(get(w, "hq-gateway", &appsv1.Deployment{}).Spec.Template.Labels))).To(BeTrue())
		g.Expect(selector.Matches(labels.Set(get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Labels))).To(BeFalse())
	}).WithTimeout(patience).Should(Succeed())

	_, err := w.scale(5)
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(w.gatewayReplicas).WithTimeout(patience).Should(BeEquivalentTo(5))
	apply()
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Spec.SSO.Replicas).To(BeEquivalentTo(5), "the file says nothing of replicas")
	w.hash()
	w.Expect(w.gatewayReplicas()).To(BeEquivalentTo(5))

	// A Deployment that is scaled by itself is drift: the connector says how many.
	change(w, "hq-gateway", &appsv1.Deployment{}, func(d *appsv1.Deployment) { *d.Spec.Replicas = 1 })
	w.Eventually(w.gatewayReplicas).WithTimeout(patience).Should(BeEquivalentTo(5))

	// One replica has no budget: its node could not be emptied.
	get(w, "hq-gateway", &policyv1.PodDisruptionBudget{})
	_, err = w.scale(1)
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func() bool {
		return apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq-gateway"), &policyv1.PodDisruptionBudget{}))
	}).WithTimeout(patience).Should(BeTrue())
	w.Eventually(func() bool { // a status may be written in between
		_, err = w.scale(0)
		return apierrors.IsInvalid(err)
	}).WithTimeout(patience).Should(BeTrue(), "nobody could sign in")
}

// A connector without a gateway has nothing to scale.
func TestNothingToScale(t *testing.T) {
	w := newWorld(t)
	w.connector(withoutSSO)
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False"))
	_, err := w.scale(3)
	w.Expect(err).To(MatchError(ContainSubstring(".spec.sso.replicas")))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Gateway).To(BeZero())
}

// Whoever may edit connectors may scale them; whoever may view them may look at the scale.
func TestWhoMayScale(t *testing.T) {
	w := newWorld(t)
	w.connector()
	data, err := os.ReadFile(filepath.Join("..", "config", "rbac", "user_roles.yaml"))
	w.Expect(err).NotTo(HaveOccurred())
	may := map[string]bool{}
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		role := &rbacv1.ClusterRole{}
		w.Expect(yaml.UnmarshalStrict([]byte(document), role)).To(Succeed())
		person := strings.TrimPrefix(role.Name, "oabridge-")
		role.Name, role.Labels = w.ns+"-"+person, nil
		w.Expect(admin.Create(w.Context(), role)).To(Succeed())
		w.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: person},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: person}},
		})
		config := rest.CopyConfig(adminConfig)
		config.Impersonate.UserName = person
		as, err := client.New(config, client.Options{Scheme: controllers.Scheme()})
		w.Expect(err).NotTo(HaveOccurred())
		scale := &autoscalingv1.Scale{}
		w.Eventually(func() error {
			return as.SubResource("scale").Get(w.Context(), get(w, "hq", &v1alpha1.OAConnector{}), scale)
		}).WithTimeout(patience).Should(Succeed(), person)
		w.Eventually(func() bool {
			err := as.SubResource("scale").Patch(w.Context(), get(w, "hq", &v1alpha1.OAConnector{}),
				client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":3}}`)), client.WithSubResourceBody(scale))
			may[person] = err == nil
			return err == nil || apierrors.IsForbidden(err)
		}).WithTimeout(patience).Should(BeTrue(), person)
	}
	w.Expect(may).To(Equal(map[string]bool{"admin": true, "editor": true, "viewer": false}))
}
