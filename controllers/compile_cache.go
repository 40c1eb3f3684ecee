package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// compileCache remembers the last result for each connector: compiling is pure, and with 100,000 pairs it is not cheap
// enough to be repeated whenever a pod reports a new count.
type compileCache struct {
	mu   sync.Mutex
	last map[types.NamespacedName]compileResult
}

type compileResult struct {
	key      string
	output   *bundle.Output
	problems []bundle.Problem
}

func newCompileCache() *compileCache {
	return &compileCache{last: map[types.NamespacedName]compileResult{}}
}

func (c *compileCache) do(connector types.NamespacedName, key string, compile func() (*bundle.Output, []bundle.Problem)) (*bundle.Output, []bundle.Problem) {
	c.mu.Lock()
	known, ok := c.last[connector]
	c.mu.Unlock()
	if ok && known.key == key {
		return known.output, known.problems
	}
	output, problems := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[connector] = compileResult{key: key, output: output, problems: problems}
	return output, problems
}

func (c *compileCache) forget(connector types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, connector)
}

// compileKey names everything that the result depends on.
func compileKey(c *v1alpha1.OAConnector, templates map[string]*v1alpha1.ScenarioTemplate, sources []accountSource, replays []v1alpha1.Replay, promoted map[string]bool, live liveConfig) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%s/%d live=%s", c.UID, c.Generation, live.hash)
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		fmt.Fprintf(&key, " %s=%s/%d", name, templates[name].UID, templates[name].Generation)
	}
	for _, s := range sources {
		fmt.Fprintf(&key, " %s/%d@%s", s.binding.UID, s.binding.Generation, s.version)
	}
	for _, r := range replays {
		fmt.Fprintf(&key, " %s/%d/%d", r.UID, r.Generation, r.Status.Run.Generation)
	}
	for _, trial := range slices.Sorted(maps.Keys(promoted)) {
		fmt.Fprintf(&key, " promoted=%q", trial)
	}
	return key.String()
}
