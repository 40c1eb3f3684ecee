package controllers_test

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
)

// unseen rights are needed although no request of the operator shows them.
var unseen = map[string]string{
	"update oabridge.dev/oaconnectors/finalizers": "the API server asks for it where OwnerReferencesPermissionEnforcement is on: children block their owner's deletion",
	"get /secrets":               "ensurePeerSecret looks once at a Secret that has the name of the peer Secret and no label",
	"patch events.k8s.io/events": "an Event that comes again is counted in the one that is there; in these tests only by chance",
	"delete /configmaps":         "pruneChildren takes away shards of accounts beyond the last one",
}

// rights are the verbs that the operator used, as "verb group/resource".
type rights struct {
	mu   sync.Mutex
	used map[string]bool
}

// note takes down what the API server had to allow for a request. An apply that makes an object needs create, too.
func (r *rights) note(q *http.Request, status int) {
	right := func(verb string) string { return verb + " " + resourceOf(q.URL.Path) }
	used := []string{right(strings.ToLower(q.Method))}
	switch {
	case q.Method == http.MethodGet && q.URL.Query().Has("watch"):
		used = []string{right("watch"), right("list")} // caches list where an API server does not stream the first list
	case q.Method == http.MethodGet && collection(q.URL.Path):
		used = []string{right("list")}
	case q.Method == http.MethodPost:
		used = []string{right("create")}
	case q.Method == http.MethodPut:
		used = []string{right("update")}
	case q.Method == http.MethodPatch && status == http.StatusCreated:
		used = append(used, right("create"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range used {
		r.used[u] = true
	}
}

// parts of a path below the version: namespace, resource, name, subresource.
func parts(path string) (group string, rest []string) {
	p := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(p) > 2 && p[0] == "api":
		rest = p[2:]
	case len(p) > 3 && p[0] == "apis":
		group, rest = p[1], p[3:]
	}
	if len(rest) > 2 && rest[0] == "namespaces" {
		rest = rest[2:]
	}
	return group, rest
}

func resourceOf(path string) string {
	group, rest := parts(path)
	switch len(rest) {
	case 0:
		return path
	case 3:
		return group + "/" + rest[0] + "/" + rest[2]
	}
	return group + "/" + rest[0]
}

func collection(path string) bool {
	_, rest := parts(path)
	return len(rest) == 1
}

// idle returns an error that names the rights which nothing in these tests used: they are not needed, or not tested.
// That the others suffice is shown by the tests, in which the operator has no others.
func (r *rights) idle(rules []rbacv1.PolicyRule) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var idle []string
	for _, granted := range rules {
		for _, group := range granted.APIGroups {
			for _, resource := range granted.Resources {
				for _, verb := range granted.Verbs {
					right := verb + " " + group + "/" + resource
					if !r.used[right] && unseen[right] == "" {
						idle = append(idle, right)
					}
				}
			}
		}
	}
	if len(idle) == 0 {
		return nil
	}
	slices.Sort(idle)
	return fmt.Errorf("config/rbac grants what no test needs; take it from the rbac markers, or test it:\n%s", strings.Join(idle, "\n"))
}

// everything says whether all tests of this package run.
func everything() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func TestRightsHaveNoWildcards(t *testing.T) { // TM-24
	g := NewWithT(t)
	role, own, namespaces, err := shippedRoles()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(role.Rules).NotTo(BeEmpty())
	for _, r := range slices.Concat(role.Rules, own.Rules, namespaces.Rules) {
		for _, word := range slices.Concat(r.APIGroups, r.Resources, r.Verbs, r.NonResourceURLs) {
			g.Expect(word).NotTo(ContainSubstring("*"))
		}
		for _, verb := range []string{"deletecollection", "escalate", "bind", "impersonate"} {
			g.Expect(r.Verbs).NotTo(ContainElement(verb))
		}
	}
}

// The check of unused rights itself can fail.
func TestIdleRightsAreNamed(t *testing.T) { // TM-24
	r := &rights{used: map[string]bool{}}
	apply, err := http.NewRequest(http.MethodPatch, "https://api/apis/apps/v1/namespaces/crm/deployments/hq-gateway", nil)
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	r.note(apply, http.StatusOK)
	role := []rbacv1.PolicyRule{{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"patch", "create"}}}
	g.Expect(r.idle(role)).To(MatchError(ContainSubstring("create apps/deployments")))
	r.note(apply, http.StatusCreated)
	g.Expect(r.idle(role)).To(Succeed())
}
