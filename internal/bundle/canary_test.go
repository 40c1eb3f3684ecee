package bundle_test

import (
	"testing"

	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/internal/bundle"
)

// The stable revision of a template stays beside a new one until the dispatcher has promoted it; which one that is holds over
// any number of changes. // F55
func TestTrials(t *testing.T) {
	in := input(t)
	in.Connector.Spec.Rollout.Canary.Percent = ptr.To(int32(10))
	first := compile(t, in).Bundle
	if first.Canary != nil || first.Stable != nil {
		t.Error("the first revision is on trial against nothing")
	}
	write := func(title string) *bundle.Bundle {
		t.Helper()
		in.Templates["seeyon-todo"].Spec.Actions.Create.Body = `{"taskId": "#F012", "title": "` + title + `"}`
		in.Templates["seeyon-todo"].Spec.Tests = nil
		return compile(t, in).Bundle
	}
	check := func(when string, b *bundle.Bundle, stable *bundle.Bundle) {
		t.Helper()
		switch {
		case stable == nil && (b.Canary != nil || b.Stable != nil):
			t.Errorf("%s: there is a trial", when)
		case stable != nil && (len(b.Stable) != 1 || b.Canary == nil || b.Stable[0].Revision != stable.Scenarios[0].Revision):
			t.Errorf("%s: stable is %+v", when, b.Stable)
		}
		in.Previous = b
	}
	trial := func(b *bundle.Bundle) string { return bundle.Trial(&b.Stable[0], &b.Scenarios[0]) }

	in.Previous = first
	check("nothing is different", compile(t, in).Bundle, nil)
	second := write("two")
	check("changed", second, first)
	check("compiled again", compile(t, in).Bundle, first)
	check("changed while it is tried", write("three"), first)
	fourth := write("four")
	check("changed once more", fourth, first)
	if fourth.Canary.Percent != 10 || fourth.Canary.MinDeliveries != bundle.DefaultMinDeliveries || fourth.Canary.MaxFailurePercent != bundle.DefaultMaxFailurePercent {
		t.Errorf("%+v", fourth.Canary)
	}
	in.Promoted = map[string]bool{trial(fourth): true}
	check("promoted and changed at the same time", write("five"), fourth)
	in.Promoted = nil
	check("back to what is stable", write("four"), nil)
	sixth := write("six")
	check("changed", sixth, fourth)
	in.Templates["seeyon-todo"].Spec.Actions.Create.Body = `{"title": "#F0O1"}`
	broken, problems := bundle.Compile(in)
	if broken == nil || len(problems) != 1 {
		t.Fatal(problems)
	}
	check("broken: the trial goes on", broken.Bundle, fourth)
	in.Promoted = map[string]bool{trial(sixth): true}
	write("six")
	check("promoted", compile(t, in).Bundle, nil)
	in.Connector.Spec.Rollout.Canary.Percent = nil
	check("without a canary", write("seven"), nil)
}
