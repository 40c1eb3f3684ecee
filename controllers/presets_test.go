package controllers_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
)

// The presets come with the operator: it brings them once, leaves what people changed, and replaces what a newer version
// changed.
func TestPresetsComeWithTheOperator(t *testing.T) {
	w := newWorld(t)
	applied := 0
	counting := interceptor.NewClient(admin, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			applied++
			return c.Apply(ctx, o, opts...)
		},
	})
	presets := &controllers.Presets{Client: counting, Namespace: w.ns, Templates: shippedPresets(t, "seeyon-todo", "wecom-todo")}
	w.Expect(presets.Start(w.Context())).To(Succeed())
	w.Expect(applied).To(Equal(2))
	var live v1alpha1.ScenarioTemplate
	get := func() { w.Expect(admin.Get(w.Context(), w.key("wecom-todo"), &live)).To(Succeed()) }
	get()
	shipped := *live.Spec.DeepCopy()

	w.Expect(presets.Start(w.Context())).To(Succeed())
	w.Expect(applied).To(Equal(2), "a second start writes nothing")

	edited := live.DeepCopy()
	edited.Spec.TimeZone = "Asia/Tokyo"
	w.Expect(admin.Patch(w.Context(), edited, client.MergeFrom(&live))).To(Succeed())
	w.Expect(presets.Start(w.Context())).To(Succeed())
	get()
	w.Expect(live.Spec.TimeZone).To(Equal("Asia/Tokyo"), "what people changed stays for as long as the preset does")

	w.Expect(presets.Templates[1].GetName()).To(Equal("wecom-todo"))
	presets.Templates[1].SetAnnotations(map[string]string{"oabridge.dev/description": "another version"})
	w.Expect(presets.Start(w.Context())).To(Succeed())
	get()
	w.Expect(live.Spec).To(Equal(shipped), "a newer version brings its own")
	w.Expect(live.Annotations).To(HaveKeyWithValue("oabridge.dev/description", "another version"))
	w.Expect(applied).To(Equal(3))
}

// What cannot be installed is named, and the others are installed all the same.
func TestPresetsThatAreRefusedDoNotHoldUpOthers(t *testing.T) {
	w := newWorld(t)
	presets := &controllers.Presets{Client: admin, Namespace: w.ns, Templates: shippedPresets(t, "seeyon-todo", "wecom-todo")}
	presets.Templates[0].Object["spec"].(map[string]any)["type"] = "Fax"
	w.Expect(presets.Install(w.Context())).To(MatchError(ContainSubstring("ScenarioTemplate " + w.ns + "/seeyon-todo: ")))
	var live v1alpha1.ScenarioTemplate
	w.Expect(admin.Get(w.Context(), w.key("wecom-todo"), &live)).To(Succeed())
}
