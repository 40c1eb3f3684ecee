package chart

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sigs.k8s.io/yaml"
)

// workflow is the part of GitHub's format that is looked at.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		TimeoutMinutes int `json:"timeout-minutes"`
		Steps          []struct{ Uses, Run string }
	}
}

var (
	pinned  = regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`)
	comment = regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n`)
	uses    = regexp.MustCompile(`uses: `)
	// input may be set by whoever opens a pull request; in a script it would be code.
	input = regexp.MustCompile(`\$\{\{\s*(github\.event|github\.head_ref|inputs)`)
)

// Workflows run actions that nobody can exchange: pinned by commit, with the version for people. They may read unless a job
// says more, end at some time, and put nothing that strangers write into a script.
func TestWorkflows(t *testing.T) { // TM-29
	paths, err := filepath.Glob(Root + "/.github/workflows/*.yaml")
	if err != nil || len(paths) < 2 {
		t.Fatal("no workflows: ", paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: the permissions are %v", path, w.Permissions)
		}
		for name, job := range w.Jobs {
			if job.TimeoutMinutes == 0 || len(job.Steps) == 0 {
				t.Errorf("%s: the job %s has no steps or may last for ever", path, name)
			}
			for _, step := range job.Steps {
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s: %s is not pinned by a commit", path, step.Uses)
				}
				if input.MatchString(step.Run) {
					t.Errorf("%s: a script of %s holds what others write: %s", path, name, step.Run)
				}
			}
		}
		if named, all := len(comment.FindAll(text, -1)), len(uses.FindAll(text, -1)); named != all {
			t.Errorf("%s: %d of %d actions say their version", path, named, all)
		}
	}
}
