package bundle

import (
	"fmt"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

func TestShare(t *testing.T) { // F55
	for _, account := range []string{"1000", "zhangsan"} {
		if !(*Share)(nil).Includes(account) {
			t.Errorf("%s does not take part although nothing is limited", account)
		}
	}
	few := compileShare(v1alpha1.RolloutShare{People: []string{"wangwu", "lisi"}})
	for account, want := range map[string]bool{"lisi": true, "wangwu": true, "lisi2": false, "": false} {
		if few.Includes(account) != want {
			t.Errorf("%q takes part: %t", account, !want)
		}
	}
	if nobody := compileShare(v1alpha1.RolloutShare{Percent: ptr.To(int32(0))}); nobody.Includes("lisi") {
		t.Error("0 percent include somebody")
	}
}

func TestShareGrows(t *testing.T) { // F55
	const people = 10_000
	in := make(map[string]bool, people)
	for _, percent := range []int32{0, 1, 10, 50, 99, 100} {
		s, n := compileShare(v1alpha1.RolloutShare{Percent: &percent}), 0
		for i := range people {
			account := fmt.Sprintf("%d", 1000+i)
			switch now := s.Includes(account); {
			case now:
				n++
				in[account] = true
			case in[account]:
				t.Fatalf("%s was in at a lower percentage and is out at %d", account, percent)
			}
		}
		if off := n - people/100*int(percent); off < -people/50 || off > people/50 {
			t.Errorf("%d percent include %d of %d", percent, n, people)
		}
	}
}
