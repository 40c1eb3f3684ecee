package controllers

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

func compiledRound() *round {
	return &round{
		connector: &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq", UID: "1"}},
		inputs:    "inputs", seen: "children", found: []problem{{message: "a warning"}},
		compiled: &bundle.Output{Hash: "abc", Pairs: 3, Bundle: &bundle.Bundle{Name: "hq"}, Files: map[string][]byte{bundle.FileName: []byte("{}")}},
	}
}

// A bundle is kept while children have to be written, and let go when they are what it makes of them.
func TestOnlyDigestsOfWhatIsSettledAreKept(t *testing.T) {
	g := NewWithT(t)
	c := &ConnectorReconciler{results: newResults()}
	key := types.NamespacedName{Namespace: "crm", Name: "hq"}
	r := compiledRound()
	r.unsettled = true
	g.Expect(c.remember(t.Context(), r)).To(Succeed())
	known, ok := c.results.of(key, "inputs")
	g.Expect(ok).To(BeTrue())
	g.Expect(known.children).To(BeEmpty())
	g.Expect(known.output.Files).NotTo(BeEmpty())

	r.unsettled = false
	g.Expect(c.remember(t.Context(), r)).To(Succeed())
	known, _ = c.results.of(key, "inputs")
	g.Expect(known.children).To(Equal("children"))
	g.Expect(known.output).To(Equal(&bundle.Output{Hash: "abc", Pairs: 3}))
	g.Expect(known.problems).To(HaveLen(1))
	g.Expect(r.bundle().Name).To(Equal("hq"))
	g.Expect(r.compiled.Files).NotTo(BeEmpty(), "the round at hand still has its own")

	_, ok = c.results.of(key, "others")
	g.Expect(ok).To(BeFalse())
	c.results.forget(key)
	_, ok = c.results.of(key, "inputs")
	g.Expect(ok).To(BeFalse())
}

// What an earlier process wrote down as settled counts when nothing at all is different, and nobody asked for more.
func TestSettledBefore(t *testing.T) {
	g := NewWithT(t)
	c := &ConnectorReconciler{results: newResults(), status: newConnectorStatusWriter(nil, nil), options: Options{Build: "b", Image: "i"}}
	r := compiledRound()
	g.Expect(r.calm()).To(BeFalse(), "there is a remark, which no digest can tell")
	r.found = nil
	g.Expect(r.calm()).To(BeTrue())
	r.connector.Status.Config.Settled = c.settlement(r)
	r.connector.Status.Accounts.Bound = ptr.To[int64](3)
	g.Expect(c.remember(t.Context(), r)).To(Succeed())
	known, ok := c.settledBefore(r, liveConfig{hash: "abc"})
	g.Expect(ok).To(BeTrue())
	g.Expect(known).To(Equal(result{inputs: "inputs", children: "children", output: &bundle.Output{Hash: "abc", Pairs: 3}}))
	g.Expect(c.results.last).To(BeEmpty(), "what the status says need not be remembered")

	for what, change := range map[string]func(*ConnectorReconciler, *round){
		"another build":       func(c *ConnectorReconciler, _ *round) { c.options.Build = "c" },
		"no build":            func(c *ConnectorReconciler, _ *round) { c.options.Build = "" },
		"another image":       func(c *ConnectorReconciler, _ *round) { c.options.Image = "j" },
		"another pull policy": func(c *ConnectorReconciler, _ *round) { c.options.PullPolicy = corev1.PullAlways },
		"another namespace":   func(c *ConnectorReconciler, _ *round) { c.options.OperatorNamespace = "n" },
		"a changed object":    func(_ *ConnectorReconciler, r *round) { r.inputs = "others" },
		"a changed child":     func(_ *ConnectorReconciler, r *round) { r.seen = "others" },
		"somebody asked":      func(_ *ConnectorReconciler, r *round) { r.applyAll = true },
	} {
		other, round := *c, *r
		change(&other, &round)
		_, ok := other.settledBefore(&round, liveConfig{hash: "abc"})
		g.Expect(ok).To(BeFalse(), what)
	}
	g.Expect(c.settledNow(r, "before")).To(Equal(c.settlement(r)))
	r.unsettled = true
	g.Expect(c.settledNow(r, "before")).To(BeEmpty(), "a child had to be written")
	r.compiled = nil
	g.Expect(c.settledNow(r, "before")).To(Equal("before"), "nothing was compiled: what is live stays")
}

// The digest of the children changes with all that makes one of them worth a look, in whatever order they are found.
func TestSeenChildren(t *testing.T) {
	g := NewWithT(t)
	c := &ConnectorReconciler{client: fake.NewClientBuilder().WithScheme(Scheme()).Build()}
	r := compiledRound()
	child := func(name string, change func(*corev1.ConfigMap)) *corev1.ConfigMap {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: name, Annotations: map[string]string{v1alpha1.AnnotationApplied: "request"}}}
		cm.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(r.connector, v1alpha1.GroupVersion.WithKind(connectorKind))}
		cm.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: string(connectorManager), Operation: metav1.ManagedFieldsOperationApply, FieldsV1: fieldsOf(`{"f:data":{}}`)}}
		if change != nil {
			change(cm)
		}
		_, err := lean(cm)
		g.Expect(err).NotTo(HaveOccurred())
		return cm
	}
	see := func(children ...client.Object) string {
		r.live = children
		seen, err := c.seenChildren(r)
		g.Expect(err).NotTo(HaveOccurred())
		return seen
	}
	before := see(child("a", nil), child("b", nil))
	g.Expect(see(child("b", nil), child("a", nil))).To(Equal(before))
	g.Expect(see(child("a", nil))).NotTo(Equal(before), "one is gone")
	for what, change := range map[string]func(*corev1.ConfigMap){
		"another request":        func(cm *corev1.ConfigMap) { cm.Annotations[v1alpha1.AnnotationApplied] = "other" },
		"somebody has a field":   func(cm *corev1.ConfigMap) { cm.ManagedFields[0].FieldsV1 = fieldsOf(`{}`) },
		"somebody has it all":    func(cm *corev1.ConfigMap) { cm.ManagedFields = nil },
		"another owner":          func(cm *corev1.ConfigMap) { cm.OwnerReferences[0].UID = "2" },
		"it is about to be gone": func(cm *corev1.ConfigMap) { cm.DeletionTimestamp = ptr.To(metav1.Now()) },
	} {
		g.Expect(see(child("a", change), child("b", nil))).NotTo(Equal(before), what)
	}
}

func fieldsOf(text string) *metav1.FieldsV1 {
	f := &metav1.FieldsV1{}
	f.SetRawString(text)
	return f
}

// The document of a bundle comes out of the cache as it went in; account files of people stay as they are.
func TestPackedDocument(t *testing.T) {
	g := NewWithT(t)
	document := strings.Repeat(`{"name":"hq"}`, 500)
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}}
	var cm corev1.ConfigMap
	tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(workload.RootConfig(c, []byte(document)))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(tree, &cm)).To(Succeed())
	_, err = lean(&cm)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cm.Data).To(BeEmpty())
	g.Expect(len(cm.BinaryData[bundle.FileName])).To(BeNumerically("<", len(document)/4))
	g.Expect(unpackDocument(&cm)).To(Equal(document))
	g.Expect(childOf(&cm)).To(Equal([]string{"hq"}), "it is found by its owner")

	people := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelAccounts: "true"}}, Data: map[string]string{"accounts.csv": "crm,oa"}}
	_, err = lean(people)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(people.Data).To(HaveKey("accounts.csv"))
	g.Expect(unpackDocument(people)).To(BeEmpty())
}

// What begins as it should is no news; what is wrong from the beginning, and what turns, is.
func TestEventsAreAboutWhatTurns(t *testing.T) {
	g := NewWithT(t)
	recorder := events.NewFakeRecorder(10)
	w := &statusWriter[v1alpha1.OAConnectorStatus]{recorder: recorder}
	young := false
	say := func(before, after []metav1.Condition) {
		w.announce(&v1alpha1.OAConnector{}, young, before, append(after, metav1.Condition{Type: v1alpha1.ConditionReconciling}, metav1.Condition{Type: v1alpha1.ConditionReady}))
	}
	resolved := condition(v1alpha1.ConditionReferencesResolved, metav1.ConditionTrue, v1alpha1.ReasonReady, "all there")
	starting := condition(v1alpha1.ConditionWorkloadAvailable, metav1.ConditionFalse, v1alpha1.ReasonRollingOut, "on the way")
	down := condition(v1alpha1.ConditionWorkloadAvailable, metav1.ConditionFalse, v1alpha1.ReasonUnavailable, "no image")
	up := condition(v1alpha1.ConditionWorkloadAvailable, metav1.ConditionTrue, v1alpha1.ReasonReady, "up")
	say(nil, []metav1.Condition{resolved, starting})
	g.Expect(recorder.Events).To(BeEmpty())
	say([]metav1.Condition{resolved, starting}, []metav1.Condition{resolved, up})
	g.Expect(recorder.Events).To(Receive(ContainSubstring("WorkloadAvailable is True: up")))
	say(nil, []metav1.Condition{resolved, down})
	g.Expect(recorder.Events).To(Receive(HavePrefix("Warning Unavailable")))
	g.Expect(recorder.Events).To(BeEmpty())

	// What comes up for the first time says so once; what was wrong on the way there is told both ways.
	young = true
	sum := func(status metav1.ConditionStatus) metav1.Condition {
		return condition(v1alpha1.ConditionReady, status, v1alpha1.ReasonReady, "everything is live")
	}
	announce := func(before, after []metav1.Condition) { w.announce(&v1alpha1.OAConnector{}, young, before, after) }
	announce([]metav1.Condition{resolved, starting, resolved, sum(metav1.ConditionFalse)}, []metav1.Condition{resolved, up, resolved, sum(metav1.ConditionTrue)})
	g.Expect(recorder.Events).To(Receive(Equal("Normal Ready Ready is True: everything is live")))
	announce([]metav1.Condition{resolved, starting, resolved, sum(metav1.ConditionFalse)}, []metav1.Condition{resolved, down, resolved, sum(metav1.ConditionFalse)})
	g.Expect(recorder.Events).To(Receive(HavePrefix("Warning Unavailable")))
	announce([]metav1.Condition{resolved, down, resolved, sum(metav1.ConditionFalse)}, []metav1.Condition{resolved, up, resolved, sum(metav1.ConditionFalse)})
	g.Expect(recorder.Events).To(Receive(ContainSubstring("WorkloadAvailable is True: up")))
	g.Expect(recorder.Events).To(BeEmpty())
}
