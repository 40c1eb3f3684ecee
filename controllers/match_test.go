package controllers_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/match"
)

func peopleFile(name, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelAccounts: "true"}},
		Data:       map[string]string{"people.csv": text},
	}
}

// matchBinding creates a binding that matches the people of crm-people and oa-people.
func (w *world) matchBinding(name string, by ...v1alpha1.MatchKey) {
	w.Helper()
	b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"oa": "hq"}}}
	b.Spec.Match = v1alpha1.AccountMatch{
		By:  by,
		CRM: v1alpha1.PeopleDirectory{ConfigMapKeyRefs: []v1alpha1.PeopleKeyReference{{Name: "crm-people"}}},
		OA:  v1alpha1.PeopleDirectory{ConfigMapKeyRefs: []v1alpha1.PeopleKeyReference{{Name: "oa-people"}}},
	}
	w.create(b)
}

func (w *world) directories(crm, oa string) {
	w.Helper()
	w.create(peopleFile("crm-people", crm), peopleFile("oa-people", oa))
}

func (w *world) rewrite(file, text string) {
	w.Helper()
	change(w, file, &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) { cm.Data["people.csv"] = text })
}

// matched are the pairs that are remembered, as "crm=oa".
func (w *world) matched(binding string) func() []string {
	return func() []string {
		cm := &corev1.ConfigMap{}
		if admin.Get(w.Context(), w.key(binding+"-matched"), cm) != nil {
			return nil
		}
		pairs, err := match.DecodeMemory(cm.BinaryData[match.MemoryKey])
		w.Expect(err).NotTo(HaveOccurred())
		spelled := []string{}
		for _, p := range pairs {
			spelled = append(spelled, p.CRM+"="+p.OA)
		}
		return spelled
	}
}

// remember replaces the pairs as a person would.
func (w *world) remember(binding string, pairs ...string) {
	w.Helper()
	var all []v1alpha1.AccountPair
	for _, p := range pairs {
		crm, oa, _ := strings.Cut(p, "=")
		all = append(all, v1alpha1.AccountPair{CRM: crm, OA: oa})
	}
	file, err := match.EncodeMemory(all)
	w.Expect(err).NotTo(HaveOccurred())
	change(w, binding+"-matched", &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) { cm.BinaryData[match.MemoryKey] = file })
}

func (w *world) bindingCondition(name, kind string) func() string {
	return func() string {
		b := get(w, name, &v1alpha1.AccountBinding{})
		return spell(b.Status.Conditions, kind, b.Generation)
	}
}

const (
	crmPeople = "account,name,mobile\n1000,张伟,138 0000 0001\n1001,李娜,13800000002\n1002,王芳,13800000009\n1003,刘洋,13800000003\n"
	oaPeople  = "account,name,mobile\nzhangwei,张伟,+86 13800000001\nlina,李娜,13800000002\nliuyang,刘洋,13800000003\nliuyang2,刘洋,13800000003\n"
)

// People are bound by what both directories know of them. Who cannot be told for certain is named, by account and without
// a mobile number. One rule serves every connector that selects it, and what it has bound stays, whatever becomes of the
// rule and the directories. // F7 F148 F160
func TestPeopleAreMatched(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.directories(crmPeople, oaPeople)
	w.matchBinding("auto", v1alpha1.MatchMobile)
	w.connector(withoutSSO)
	w.connector(withoutSSO, func(c *v1alpha1.OAConnector) { c.Name = "branch" })
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangwei", "1001=lina"}))
	w.bound(2)
	w.Eventually(func() *int64 { return get(w, "branch", &v1alpha1.OAConnector{}).Status.Accounts.Bound }).
		WithTimeout(patience).Should(HaveValue(BeEquivalentTo(2)))
	w.Eventually(w.bindingReady("auto")).WithTimeout(patience).Should(HavePrefix("True Ready: 2 pairs are in use"))
	w.Expect(w.bindingCondition("auto", v1alpha1.ConditionMatched)()).To(HavePrefix(
		"False PeopleUnmatched: 2 of 4 people in the CRM's directory are not bound: 1 cannot be found and 1 cannot be told for certain"))
	status := get(w, "auto", &v1alpha1.AccountBinding{}).Status
	w.Expect(status.Unmatched).To(HaveValue(BeEquivalentTo(2)))
	w.Expect(status.Problems).To(Equal([]string{
		"CRM account 1002: nobody in the OA's directory has the same mobile number; complete the directory, or bind the account in another AccountBinding",
		"CRM account 1003: OA accounts liuyang and liuyang2 have the same mobile number; correct the OA's directory, or bind the account in another AccountBinding",
	}))

	// Another number, another rule, another directory: whoever is bound stays bound, and who is new is found by the new rule.
	w.rewrite("oa-people", "account,mobile,code\nother,13800000001,\nlina2,,7001\nwangfang,,7002\n")
	w.rewrite("crm-people", "account,mobile,code\n1000,13800000001,\n1001,,7001\n1002,,7002\n")
	change(w, "auto", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) {
		b.Spec.Match.By = []v1alpha1.MatchKey{v1alpha1.MatchEmployeeCode}
	})
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangwei", "1001=lina", "1002=wangfang"}))
	w.Eventually(w.bindingCondition("auto", v1alpha1.ConditionMatched)).WithTimeout(patience).Should(Equal(
		"True Matched: everybody in the CRM's directory (3 people) is bound or excluded"))
	w.bound(3)

	// A pair that is wrong is given up by a person's word only, and made anew when it is taken back.
	exclude := func(accounts ...string) {
		change(w, "auto", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) { b.Spec.Match.Exclude = accounts })
	}
	exclude("1001")
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangwei", "1002=wangfang"}))
	w.bound(2)
	exclude()
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangwei", "1001=lina2", "1002=wangfang"}))
	w.bound(3)

	// Directories that are gone or cannot be read change nothing for whoever is bound.
	live := w.hash()
	w.Expect(admin.Delete(w.Context(), get(w, "oa-people", &corev1.ConfigMap{}))).To(Succeed())
	w.Eventually(w.bindingReady("auto")).WithTimeout(patience).Should(HavePrefix(
		`False ConfigMapNotFound: spec.match.oa.configMapKeyRefs[oa-people]: configmap "oa-people" was not found`))
	w.create(peopleFile("oa-people", "account,mobile\nzhangwei,13800000001\n"))
	w.Eventually(w.bindingCondition("auto", v1alpha1.ConditionMatched)).WithTimeout(patience).Should(Equal(
		`False AccountsInvalid: spec.match: configmap "oa-people", line 1: the header line must name the columns account and code, once each; pairs that were matched before stay`))
	w.Expect(w.matched("auto")()).To(HaveLen(3))
	w.Expect(w.hash()).To(Equal(live))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
}

// Whoever is bound by another set of the same connector is not matched, also while that set cannot be read. // F160
func TestWhoIsBoundElsewhereIsNotMatched(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zw", "2000=lina")
	w.fileBinding("late", "late")
	w.connector(withoutSSO)
	w.directories(crmPeople, oaPeople)
	w.matchBinding("auto", v1alpha1.MatchMobile)
	w.Eventually(w.bindingCondition("auto", v1alpha1.ConditionMatched)).WithTimeout(patience).Should(HavePrefix(
		`False ConfigMapNotFound: nobody is matched while the pairs of accountbinding "late" cannot be read: `))
	w.Expect(w.matched("auto")()).To(BeNil())
	w.expectCondition(v1alpha1.ConditionReferencesResolved, ContainSubstring(`accountbinding "auto": nobody is matched yet; its condition Matched says why`))

	w.create(accountsFile("late", "crm,oa\n1003,liuyang\n"))
	w.Eventually(w.bindingReady("auto")).WithTimeout(patience).Should(HavePrefix("True Ready: 0 pairs"))
	w.Expect(w.matched("auto")()).To(Equal([]string{}))
	w.Expect(get(w, "auto", &v1alpha1.AccountBinding{}).Status.Problems).To(Equal([]string{
		"CRM account 1001: OA account lina has the same mobile number and is bound to CRM account 2000; if that is wrong, remove that pair, or exclude the account that was matched",
		"CRM account 1002: nobody in the OA's directory has the same mobile number; complete the directory, or bind the account in another AccountBinding",
	}))
	w.bound(3)

	// The pair that stood in the way is removed by a person.
	change(w, "staff", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) { b.Spec.Accounts = b.Spec.Accounts[:1] })
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1001=lina"}))
	w.bound(3)
}

// What was matched is the operator's: it comes back when somebody deletes or edits it, goes with its binding, and does not
// take the place of somebody else's ConfigMap. In the end nothing is written any more. // F160
func TestWhatWasMatchedIsKept(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.directories(crmPeople, oaPeople)
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "taken-matched"}, Data: map[string]string{"a": "b"}}
	w.create(foreign)
	w.matchBinding("auto", v1alpha1.MatchMobile)
	w.connector(withoutSSO)
	w.bound(2)
	w.matchBinding("taken", v1alpha1.MatchMobile) // from now on, the connector keeps what it has
	pairs := []string{"1000=zhangwei", "1001=lina"}
	w.Eventually(w.bindingReady("taken")).WithTimeout(patience).Should(HavePrefix(`False ChildNotOurs: configmap "taken-matched" exists and does not belong to this binding`))
	w.Expect(get(w, "taken-matched", &corev1.ConfigMap{}).Data).To(Equal(map[string]string{"a": "b"}))
	w.Expect(admin.Delete(w.Context(), get(w, "taken", &v1alpha1.AccountBinding{}))).To(Succeed())

	memory := get(w, "auto-matched", &corev1.ConfigMap{})
	w.Expect(memory.Labels).To(HaveKeyWithValue(v1alpha1.LabelAccounts, "compiled"))
	w.Expect(metav1.IsControlledBy(memory, get(w, "auto", &v1alpha1.AccountBinding{}))).To(BeTrue())
	w.rewrite("oa-people", "account,mobile\nsomebody,13800000001\n") // who would be matched anew if nothing were remembered
	w.Eventually(w.bindingCondition("auto", v1alpha1.ConditionMatched)).WithTimeout(patience).Should(ContainSubstring("2 cannot be found"))
	w.Expect(admin.Delete(w.Context(), memory)).To(Succeed())
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal(pairs))
	change(w, "auto-matched", &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) { cm.BinaryData[match.MemoryKey] = []byte("nonsense") })
	w.Eventually(func() string { return string(get(w, "auto-matched", &corev1.ConfigMap{}).BinaryData[match.MemoryKey]) }).
		WithTimeout(patience).Should(Equal(string(memory.BinaryData[match.MemoryKey])))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
	w.bound(2)

	before := w.quiet()
	change(w, "auto", &v1alpha1.AccountBinding{}, func(b *v1alpha1.AccountBinding) { b.Labels["x"] = "y" })
	for _, request := range w.quiet()[len(before):] {
		w.Expect(strings.HasPrefix(request, "PATCH ")).To(BeFalse(), request)
	}
}

// What the API refuses of a rule.
func TestMatchRuleSchema(t *testing.T) {
	w := newWorld(t)
	for message, edit := range map[string]func(*v1alpha1.AccountBinding){
		"set exactly one of accounts, accountsFrom and match": func(b *v1alpha1.AccountBinding) {
			b.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1", OA: "a"}}
		},
		"name each key once": func(b *v1alpha1.AccountBinding) {
			b.Spec.Match.By = []v1alpha1.MatchKey{v1alpha1.MatchEmail, v1alpha1.MatchEmail}
		},
		`Unsupported value: "Name"`:       func(b *v1alpha1.AccountBinding) { b.Spec.Match.By = []v1alpha1.MatchKey{"Name"} },
		"spec.match.by: Required":         func(b *v1alpha1.AccountBinding) { b.Spec.Match.By = nil },
		"spec.match.oa: Required":         func(b *v1alpha1.AccountBinding) { b.Spec.Match.OA = v1alpha1.PeopleDirectory{} },
		"may have at most 200 characters": func(b *v1alpha1.AccountBinding) { b.Name = strings.Repeat("a", 201) },
		"spec.match.crm.configMapKeyRefs[1]: Duplicate": func(b *v1alpha1.AccountBinding) {
			b.Spec.Match.CRM.ConfigMapKeyRefs = append(b.Spec.Match.CRM.ConfigMapKeyRefs, b.Spec.Match.CRM.ConfigMapKeyRefs[0])
		},
	} {
		b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "refused"}}
		b.Spec.Match.By = []v1alpha1.MatchKey{v1alpha1.MatchEmail}
		b.Spec.Match.CRM.ConfigMapKeyRefs = []v1alpha1.PeopleKeyReference{{Name: "crm"}}
		b.Spec.Match.OA.ConfigMapKeyRefs = []v1alpha1.PeopleKeyReference{{Name: "oa"}}
		edit(b)
		w.Expect(admin.Create(w.Context(), b)).To(MatchError(ContainSubstring(message)), message)
	}
}
