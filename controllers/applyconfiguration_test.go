package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/applyconfiguration/api/v1alpha1"
	api "github.com/oabridge/oabridge/api/v1alpha1"
)

// A program says in Go what it has an opinion on and nothing else; saying it again changes nothing, and what somebody else
// said about another person stays.
func TestAProgramAppliesWithTypes(t *testing.T) {
	w := newWorld(t)
	pairs := func(crm, oa string) *v1alpha1.AccountBindingApplyConfiguration {
		return v1alpha1.AccountBinding("staff", w.ns).WithSpec(v1alpha1.AccountBindingSpec().
			WithAccounts(v1alpha1.AccountPair().WithCRM(crm).WithOA(oa)))
	}
	w.Expect(admin.Apply(w.Context(), pairs("1000", "zhangwei"), client.FieldOwner("portal"))).To(Succeed())
	w.Expect(admin.Apply(w.Context(), pairs("1001", "lina"), client.FieldOwner("pipeline"))).To(Succeed())
	w.Eventually(func() int64 {
		bound := get(w, "staff", &api.AccountBinding{}).Status.Bound
		if bound == nil {
			return 0
		}
		return *bound
	}).WithTimeout(patience).Should(BeEquivalentTo(2))
	w.quiet()
	before := get(w, "staff", &api.AccountBinding{})
	w.Expect(admin.Apply(w.Context(), pairs("1000", "zhangwei"), client.FieldOwner("portal"))).To(Succeed())
	w.Expect(get(w, "staff", &api.AccountBinding{}).ResourceVersion).To(Equal(before.ResourceVersion))

	mine, err := v1alpha1.ExtractAccountBindingFrom(before, "portal", "")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(mine.Spec.Accounts).To(HaveLen(1))
	w.Expect(*mine.Spec.Accounts[0].OA).To(Equal("zhangwei"))
}
