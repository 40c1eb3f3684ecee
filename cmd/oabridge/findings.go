package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
)

// Exit codes of the commands that work on files.
const (
	exitFindings = 1
	exitUsage    = 2
)

// exitError ends the process with a code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return 1
}

// fileOptions are the flags of the commands that work on files.
type fileOptions struct {
	output  string
	presets bool
}

// Formats of findings.
var findingFormats = []string{"text", "json", "github", "gitlab"}

func (o *fileOptions) addFlags(cmd *cobra.Command, formats []string) {
	cmd.Flags().StringVarP(&o.output, "output", "o", formats[0], "format: "+strings.Join(formats, ", "))
	cmd.Flags().BoolVar(&o.presets, "presets", false, "take the presets that ship with OA Bridge as if their files had been named")
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && !o.presets:
			return usage(fmt.Errorf("name files or directories, or %s for the standard input, or use --presets", manifest.Stdin))
		case !slices.Contains(formats, o.output):
			return usage(fmt.Errorf("--output is %q: use %s", o.output, strings.Join(formats, ", ")))
		}
		return nil
	}
}

func (o *fileOptions) load(cmd *cobra.Command, paths []string) (*offline.Set, []offline.Finding, error) {
	objects, readErrors := manifest.Read(paths, cmd.InOrStdin())
	if o.presets {
		presets, err := manifest.Presets()
		if err != nil {
			return nil, nil, usage(err)
		}
		objects = append(objects, presets...)
	}
	set, findings, err := offline.Load(cmd.Context(), objects, readErrors)
	return set, findings, usage(err)
}

// finish writes findings and returns the error that the process ends with; nil when there are none but warnings.
func finish(out io.Writer, format string, findings []offline.Finding) error {
	slices.SortStableFunc(findings, func(a, b offline.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	if err := writeFindings(out, format, findings); err != nil {
		return usage(err)
	}
	switch n := offline.Problems(findings); n {
	case 0:
		return nil
	case 1:
		return &exitError{exitFindings, errors.New("1 finding")}
	default:
		return &exitError{exitFindings, fmt.Errorf("%d findings", n)}
	}
}

func writeFindings(out io.Writer, format string, findings []offline.Finding) error {
	switch format {
	case "json":
		if findings == nil {
			findings = []offline.Finding{}
		}
		return writeJSON(out, findings)
	case "gitlab":
		return writeGitLab(out, findings)
	}
	for _, f := range findings {
		var err error
		if format == "github" {
			level := "error"
			if f.Warning {
				level = "warning"
			}
			_, err = fmt.Fprintf(out, "::%s file=%s,line=%d,title=%s::%s\n",
				level, githubProperty(annotated(f.File)), max(f.Line, 1), githubProperty(f.Reason), githubText(subject(f)+f.Message))
		} else {
			level := ""
			if f.Warning {
				level = ", a warning"
			}
			_, err = fmt.Fprintf(out, "%s: %s%s (%s%s)\n", place(f), subject(f), f.Message, f.Reason, level)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// annotated is a file's path as a merge request knows it: below the folder in which the pipeline works, without a ./ before it.
func annotated(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	whole, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if below, err := filepath.Rel(here, whole); err == nil && filepath.IsLocal(below) {
		return filepath.ToSlash(below)
	}
	return file
}

func place(f offline.Finding) string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}

func subject(f offline.Finding) string {
	var s string
	for _, part := range []string{f.Object, f.Field} {
		if part != "" {
			s += part + ": "
		}
	}
	return s
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// The escapes of workflow commands.
var githubEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func githubText(s string) string { return githubEscapes.Replace(s) }

func githubProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubText(s))
}

// writeGitLab writes a Code Quality report.
func writeGitLab(out io.Writer, findings []offline.Finding) error {
	type lines struct {
		Begin int `json:"begin"`
	}
	type location struct {
		Path  string `json:"path"`
		Lines lines  `json:"lines"`
	}
	type issue struct {
		Description string   `json:"description"`
		CheckName   string   `json:"check_name"`
		Fingerprint string   `json:"fingerprint"`
		Severity    string   `json:"severity"`
		Location    location `json:"location"`
	}
	issues := make([]issue, 0, len(findings))
	for _, f := range findings {
		// Without the line, so that an old finding that moves is no new one.
		file := annotated(f.File)
		sum := sha256.Sum256([]byte(strings.Join([]string{file, f.Object, f.Field, f.Reason, f.Message}, "\x00")))
		severity := "major"
		if f.Warning {
			severity = "minor"
		}
		issues = append(issues, issue{subject(f) + f.Message, f.Reason, hex.EncodeToString(sum[:16]), severity, location{file, lines{max(f.Line, 1)}}})
	}
	return writeJSON(out, issues)
}
