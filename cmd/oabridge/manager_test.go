package main

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/oabridge/oabridge/controllers"
)

func fineManager() managerOptions {
	return managerOptions{image: "oabridge:test", concurrency: 1, backoffBase: time.Second, backoffMax: time.Minute}
}

// Whoever starts the manager with a flag that cannot be is told which one, and what to write.
func TestManagerFlags(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*managerOptions)
		says string
	}{
		"fine":                 {func(*managerOptions) {}, ""},
		"no image":             {func(o *managerOptions) { o.image = "" }, "--workload-image is empty"},
		"no worker":            {func(o *managerOptions) { o.concurrency = 0 }, "--max-concurrent-reconciles is 0: use 1 or more"},
		"hammering":            {func(o *managerOptions) { o.backoffBase = 100 * time.Millisecond }, "--backoff-base is 100ms: use 1s or more"},
		"shorter and shorter":  {func(o *managerOptions) { o.backoffMax = time.Millisecond }, "--backoff-max is 1ms: use at least --backoff-base"},
		"negative rate":        {func(o *managerOptions) { o.apiQPS = -1 }, "must not be negative"},
		"burst of nothing":     {func(o *managerOptions) { o.apiBurst = 10 }, "--kube-api-burst is 10 without --kube-api-qps"},
		"no selector":          {func(o *managerOptions) { o.selector = "a in" }, "--namespace-selector is \"a in\""},
		"class is no label":    {func(o *managerOptions) { o.scope.Class = "A_b" }, "--controller-class is \"A_b\""},
		"labels of namespaces": {func(o *managerOptions) { o.selector, o.scope.Namespaces = "a=b", []string{"crm"} }, "exclude each other"},
		"selector":             {func(o *managerOptions) { o.selector = "oabridge.dev/enabled=true" }, ""},
		"class and a bound":    {func(o *managerOptions) { o.scope.Class, o.apiQPS = "east", 50 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o := fineManager()
			c.set(&o)
			err := o.validate()
			if err == nil {
				_, err = o.wholeScope()
			}
			if c.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}

func TestManagerLimitsItsRequestsOnlyWhenAsked(t *testing.T) {
	for name, c := range map[string]struct {
		qps        float32
		burst      int
		wantsQPS   float32
		wantsBurst int
	}{
		"no bound":      {0, 0, -1, 0},
		"default burst": {50, 0, 50, 100},
		"slow":          {0.25, 0, 0.25, 1},
		"both":          {50, 70, 50, 70},
	} {
		t.Run(name, func(t *testing.T) {
			g, config := NewWithT(t), &rest.Config{}
			managerOptions{apiQPS: c.qps, apiBurst: c.burst}.limit(config)
			g.Expect(config.QPS).To(Equal(c.wantsQPS))
			g.Expect(config.Burst).To(Equal(c.wantsBurst))
		})
	}
}

// Managers of different classes in one namespace each have a lease of their own.
func TestLeaseOfAClass(t *testing.T) {
	g := NewWithT(t)
	g.Expect(leaderID("")).To(Equal("oabridge-manager.oabridge.dev"))
	g.Expect(leaderID("east")).To(Equal("oabridge-manager-east.oabridge.dev"))
	g.Expect(controllers.DefaultBackoffBase).To(BeNumerically(">=", minBackoff))
}
