package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/manifest"
)

// What needs no cluster: codes, placeholders, presets, skeletons. // F24
func TestWithoutACluster(t *testing.T) {
	for name, args := range map[string]string{
		"explain": "explain 60020 --oa WeCom", "explain-zh": "explain 60020 --lang zh", "explain-sso": "explain SSO-1003", "explain-sso-zh": "explain SSO-1003 --lang zh",
		"explain-reason": "explain TokenRejected --lang en", "explain-reason-zh": "explain TokenRejected --lang zh", "explain-several": "explain -1 --lang en", "explain-json": "explain 60020 -o json",
		"explain-unknown": "explain 6O020 --oa WeCom", "explain-other": "explain 60020 --oa Seeyon", "explain-no-oa": "explain 1 --oa Lotus",
		"placeholders": "placeholders -s receiver", "placeholders-zh": "placeholders -s 创建时间 --lang zh", "placeholders-wide": "placeholders -s item.version -o wide",
		"placeholders-none": "placeholders -s nothing-of-the-kind", "placeholders-yaml": "placeholders -s F012 -o yaml",
		"preset-show-none": "preset show seeyon-tod", "preset-diff-none": "preset diff seeyon-reminder -f testdata/staff.csv",
	} {
		t.Run(name, func(t *testing.T) {
			a := alone(t, strings.Fields(args)...)
			golden(t, name, a)
		})
	}
	sample := filepath.Join("..", "..", "internal", "sample", "testdata", "seeyon.json")
	if a := alone(t, "template", "from-sample", "--type", "Seeyon", sample); a.code != 0 || !strings.Contains(a.out, "#F012") {
		t.Errorf("%+v", a)
	}
	if a := alone(t, "template", "from-sample"); a.code != exitUsage || !strings.Contains(a.errors, "name one file") {
		t.Errorf("%+v", a)
	}
}

// Every preset is listed, is shown as it ships, and is the same as itself.
func TestEveryPreset(t *testing.T) {
	all, err := manifest.Presets()
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	list := alone(t, "preset", "list")
	for _, p := range all {
		file := filepath.Join("..", "..", p.File)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if a := alone(t, "preset", "show", p.Name); a.code != 0 || a.out != string(text) {
			t.Errorf("%s: %+v", p.Name, a)
		}
		if !strings.Contains(list.out, "\n"+p.Name+" ") {
			t.Errorf("%s is not listed", p.Name)
		}
		if p.Name != "seeyon-todo" {
			continue
		}
		if a := alone(t, "preset", "diff", p.Name, "-f", file); a.code != 0 || a.out != "" || !strings.Contains(a.errors, "is the preset") {
			t.Errorf("%s: %+v", p.Name, a)
		}
	}
	if a := alone(t, "preset", "show", "seeyon-todo", "-o", "json"); a.code != 0 || !strings.HasPrefix(a.out, "{") {
		t.Errorf("%+v", a)
	}
	if a := alone(t, "__complete", "preset", "show", "seeyon-"); !strings.Contains(a.out, "\nseeyon-reminder\nseeyon-todo\n") {
		t.Errorf("%+v", a)
	}
}

// The template of the cluster is compared with the preset of its name.
func TestPresetInCluster(t *testing.T) {
	w := newWorld(t, templateOfFile(t, "changed.yaml"))
	for _, args := range [][]string{{}, {"-f", "testdata/changed.yaml"}} {
		a := w.run(append([]string{"preset", "diff", "seeyon-todo"}, args...)...)
		if a.code != exitNone || !strings.HasPrefix(a.out, "--- preset seeyon-todo\n+++ ") || !strings.Contains(a.out, "\n+  ") || !strings.Contains(a.out, "【CRM】#F054") || strings.Contains(a.out, "tests:") {
			t.Errorf("%+v", a)
		}
	}
	if a := w.run("preset", "diff", "seeyon-reminder"); a.code != exitNone || !strings.Contains(a.errors, `there is no template "seeyon-reminder" in namespace "crm"`) {
		t.Errorf("%+v", a)
	}
}

// The language is that of the locale.
func TestLocale(t *testing.T) {
	t.Setenv("LC_ALL", "")
	t.Setenv("LC_MESSAGES", "zh_CN.UTF-8")
	if a := alone(t, "explain", "60020"); !strings.Contains(a.out, "谁来处理") {
		t.Errorf("%+v", a)
	}
	if a := alone(t, "explain", "60020", "--lang", "fr"); a.code != exitUsage || !strings.Contains(a.errors, "neither zh nor en") {
		t.Errorf("%+v", a)
	}
}
