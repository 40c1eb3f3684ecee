package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/test/stage"
)

// A newcomer who types what docs/quick-start.md says, as it stands there, has a to-do in his own OA, and it ends when the CRM
// says so. // F1 F5 F23 F27 F32
func TestQuickStart(t *testing.T) {
	ctx := bounded(t)
	page, err := os.ReadFile("../../docs/quick-start.md")
	must(t, err)
	_, steps, found := strings.Cut(string(page), "## 2. ")
	if !found {
		t.Fatal("docs/quick-start.md has no step 2")
	}
	steps, _, found = strings.Cut(steps, "\n## 7. ")
	if !found {
		t.Fatal("docs/quick-start.md has no step 7")
	}
	script := "set -euo pipefail\n"
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(steps, -1)
	if len(blocks) < 5 {
		t.Fatalf("steps 2 to 6 have %d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		script += block[1] + "\n"
	}
	// Step 7 takes it away again; here also when a step before it failed.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute) // that of the test is over
		defer cancel()
		_, err := scene.Kubectl(ctx, "delete", "namespace", "trial", "--ignore-not-found", "--timeout=3m")
		must(t, err)
	})

	bin, err := filepath.Abs("../../bin")
	must(t, err)
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"POST /rest/transmit/fxiaoke/create", "Delivered", "oaconnector.oabridge.dev/trial condition met", `{"accepted":1,"duplicates":0}`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the steps do not show %q:\n%s", want, out)
		}
	}

	must(t, stage.Until(ctx, func() error {
		items, err := scene.Inbox(ctx, "generic")
		if err != nil {
			return err
		}
		finished, trial := false, false
		for _, item := range items {
			finished = finished || item.Person == "lina" && item.TaskID == "QUOTE-1" && item.State == inbox.Done
			trial = trial || item.Person == "lina" && strings.HasPrefix(item.TaskID, "oab-test-") && item.State == inbox.Open
		}
		if !finished || !trial {
			return fmt.Errorf("QUOTE-1 is done: %t, the test to-do is open: %t", finished, trial)
		}
		return nil
	}))
}
