package controllers_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

func objectKey(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

func (w *world) bindingReady(name string) func() string {
	return func() string {
		b := get(w, name, &v1alpha1.AccountBinding{})
		return spell(b.Status.Conditions, v1alpha1.ConditionReady, b.Generation)
	}
}

// People are bound one by one, and each is in use at once. // F5 F185
func TestPeopleAreBoundOneByOne(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zhangwei")
	w.connector(withoutSSO)
	bound := func() *int64 { return get(w, "staff", &v1alpha1.AccountBinding{}).Status.Bound }
	w.Eventually(bound).WithTimeout(patience).Should(HaveValue(BeEquivalentTo(1)))
	change(w, "staff", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) {
		b.Spec.Accounts = append(b.Spec.Accounts, v1alpha1.AccountPair{CRM: "1001", OA: "lina"})
	})
	w.Eventually(bound).WithTimeout(patience).Should(HaveValue(BeEquivalentTo(2)))
	w.bound(2)
}

// F160: what was bound first stays; the second pair is a conflict that a person sees, not a silent overwrite.
func TestTwoBindingsForOnePerson(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("first", "1000=zhangwei", "1001=lina")
	// Sets are ordered by their creation, which the API knows by the second; the name decides within one.
	w.binding("second", "1000=somebody-else", "1002=lina", "1003=wangfang")
	w.connector(withoutSSO)

	w.Eventually(w.bindingReady("second")).WithTimeout(patience).Should(HavePrefix("False AccountsConflict: "))
	second := get(w, "second", &v1alpha1.AccountBinding{})
	w.Expect(*second.Status.Bound).To(BeEquivalentTo(1))
	w.Expect(*second.Status.Conflicts).To(BeEquivalentTo(2))
	w.Expect(second.Status.Problems).To(HaveLen(2))
	w.Expect(second.Status.Problems[0]).To(And(ContainSubstring("1000"), ContainSubstring("zhangwei"), ContainSubstring("first")))
	w.Eventually(w.bindingReady("first")).WithTimeout(patience).Should(HavePrefix("True Ready: 2 pairs are in use"))
	w.Eventually(func(g Gomega) {
		c := get(w, "hq", &v1alpha1.OAConnector{})
		g.Expect(c.Status.Accounts.Bound).To(HaveValue(BeEquivalentTo(3)))
		g.Expect(c.Status.Accounts.Conflicts).To(HaveValue(BeEquivalentTo(2)))
	}).WithTimeout(patience).Should(Succeed())

	change(w, "second", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) {
		b.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1003", OA: "wangfang"}}
	})
	w.Eventually(w.bindingReady("second")).WithTimeout(patience).Should(HavePrefix("True Ready: 1 pair is in use"))
}

func accountsFile(name, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelAccounts: "true"}},
		Data:       map[string]string{"accounts.csv": text},
	}
}

func (w *world) fileBinding(name, configMap string) {
	w.Helper()
	b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"oa": "hq"}}}
	b.Spec.AccountsFrom.ConfigMapKeyRef.Name = configMap
	w.create(b)
}

// F6: an export of the HR system is used line by line, and a bad line is named by its number.
func TestAccountsFromAFile(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.fileBinding("staff", "export")
	w.connector(withoutSSO)
	w.Eventually(w.bindingReady("staff")).WithTimeout(patience).Should(Equal(
		`False ConfigMapNotFound: spec.accountsFrom.configMapKeyRef: configmap "export" was not found with the label oabridge.dev/accounts: "true"; create it or add the label`))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix(`False ConfigMapNotFound: accountbinding "staff": `))

	w.create(accountsFile("export", "crm,name,oa\n1000,张伟,zhangwei\n1001,李娜,\n1002,王芳,wangfang\n"))
	w.Eventually(w.bindingReady("staff")).WithTimeout(patience).Should(HavePrefix("False AccountsInvalid: line 3: "))
	status := get(w, "staff", &v1alpha1.AccountBinding{}).Status
	w.Expect(*status.Bound).To(BeEquivalentTo(2))
	w.Expect(*status.Invalid).To(BeEquivalentTo(1))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
	live := w.hash()

	// People must not lose their to-dos while the file is being replaced.
	w.Expect(admin.Delete(w.Context(), get(w, "export", &corev1.ConfigMap{}))).To(Succeed())
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("False ConfigMapNotFound"))
	c := get(w, "hq", &v1alpha1.OAConnector{})
	w.Expect(c.Status.Config.Hash).To(Equal(live))
	w.Expect(*c.Status.Accounts.Bound).To(BeEquivalentTo(2))
	get(w, "hq-accounts-00", &corev1.ConfigMap{})
	w.create(accountsFile("export", "crm;oa\n1000;zhangwei\n"))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(HavePrefix("False AccountsInvalid"), ContainSubstring("header line")))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Hash).To(Equal(live))
	change(w, "export", &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) {
		cm.Data["accounts.csv"] = "crm,oa\n1000,zhangwei\n"
	})
	w.Eventually(w.bindingReady("staff")).WithTimeout(patience).Should(HavePrefix("True Ready: 1 pair"))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
}

// A large company: 100,000 people fit, and one who changes rewrites one shard.
func TestHundredThousandPairs(t *testing.T) {
	const people, files = 100_000, 5
	w := newWorld(t)
	w.secrets()
	line := func(n int) string {
		name := sha256.Sum256(fmt.Append(nil, n)) // login names do not compress well
		return fmt.Sprintf("%d,u%x\n", 1_000_000+n, name[:5])
	}
	for f := range files {
		var text strings.Builder
		text.WriteString("crm,oa\n")
		for n := f * people / files; n < (f+1)*people/files; n++ {
			text.WriteString(line(n))
		}
		name := fmt.Sprintf("export-%d", f)
		w.create(accountsFile(name, text.String()))
		w.fileBinding(name, name)
		w.Eventually(func() *int64 { return get(w, name, &v1alpha1.AccountBinding{}).Status.Bound }).WithTimeout(patience).
			Should(HaveValue(BeEquivalentTo(people/files)), "the operator has the file, so that the connector's first round has all of them")
	}
	w.connector(withoutSSO)
	w.bound(people)
	before := w.shards()
	w.Expect(len(before)).To(BeNumerically(">", 1))

	n := rand.N(people / files)
	live := get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Hash
	change(w, "export-0", &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) {
		cm.Data["accounts.csv"] = strings.Replace(cm.Data["accounts.csv"], line(n), fmt.Sprintf("%d,new-name\n", 1_000_000+n), 1)
	})
	w.Eventually(w.hash).WithTimeout(patience).ShouldNot(Equal(live))
	changed := 0
	for name, shard := range w.shards() {
		if !bytes.Equal(before[name], shard) {
			changed++
		}
	}
	w.Expect(changed).To(Equal(1))
	writes := 0
	for _, request := range requests.in(w.ns) {
		if strings.HasPrefix(request, "PATCH ") && strings.Contains(request, "/configmaps/hq-accounts-") {
			writes++
		}
	}
	w.Expect(writes).To(Equal(len(before)+1), "each shard once, then the one that changed")
}

// shards maps the name of each shard's ConfigMap to its content.
func (w *world) shards() map[string][]byte {
	w.Helper()
	var list corev1.ConfigMapList
	w.Expect(admin.List(w.Context(), &list, client.InNamespace(w.ns),
		client.MatchingLabels{v1alpha1.LabelComponent: v1alpha1.ComponentBundle})).To(Succeed())
	found := map[string][]byte{}
	for _, cm := range list.Items {
		for _, data := range cm.BinaryData {
			found[cm.Name] = data
		}
	}
	return found
}
