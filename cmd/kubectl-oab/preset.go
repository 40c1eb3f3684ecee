package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
	"github.com/oabridge/oabridge/internal/scenario"
)

// annotationDescription says in a sentence what a preset is for.
const annotationDescription = "oabridge.dev/description"

func (a *app) newPresetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preset",
		Short: "Look at the templates that ship with OA Bridge",
		Long:  "Look at the ScenarioTemplates that ship with OA Bridge, those of the version of this plugin. Only diff without -f needs a cluster.",
		Example: `  kubectl oab preset list
  kubectl oab preset diff seeyon-todo -n crm`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.newPresetListCommand(), a.newPresetShowCommand(), a.newPresetDiffCommand())
	return cmd
}

func (a *app) newPresetListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the presets",
		Example: `  kubectl oab preset list
  kubectl oab preset list -o wide   # with what each expects of the connector`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPresets(cmd.Context()) },
	}
	a.bindFormat(cmd)
	return cmd
}

func (a *app) newPresetShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a preset as it ships, with its comments",
		Example:           "  kubectl oab preset show seeyon-todo > my-todo.yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completePresets,
		RunE:              func(_ *cobra.Command, args []string) error { return a.showPreset(args[0]) },
	}
	a.bindFormat(cmd)
	return cmd
}

func (a *app) newPresetDiffCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "diff NAME",
		Short: "Show how the template of that name differs from the preset",
		Long: `Show how a template differs from the preset of the same name: the one in the namespace, or the one in a file. The defaults of
the schema count as written, and tests are not compared. Exit code 0: they are the same; 1: they differ, or there is no such template.`,
		Example: `  kubectl oab preset diff seeyon-todo -n crm
  kubectl oab preset diff seeyon-todo -n oabridge-system   # what an upgrade would change
  kubectl oab preset diff seeyon-todo -f my-todo.yaml`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completePresets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.diffPreset(cmd.Context(), cmd.InOrStdin(), args[0], file)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "file with the template, - for the standard input; without it the cluster is asked")
	return cmd
}

// completePresets completes the first argument with the names of the presets.
func completePresets(_ *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	presets, err := manifest.Presets()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, p := range presets {
		names = append(names, p.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// templates reads ScenarioTemplates from files as the API server would, with its defaults.
func templates(ctx context.Context, objects []*manifest.Object, problems []error) ([]offline.Entry[v1alpha1.ScenarioTemplate], error) {
	set, findings, err := offline.Load(ctx, objects, problems)
	if err != nil {
		return nil, err
	}
	if len(findings) > 0 {
		f := findings[0]
		return nil, usage("%s:%d: %s %s: %s; oabridge lint lists all that is wrong", f.File, f.Line, f.Object, f.Field, f.Message)
	}
	return set.Templates, nil
}

// preset of that name.
func preset(name string) (*manifest.Object, error) {
	all, err := manifest.Presets()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	hint := ""
	if s := scenario.Suggest(name, names); s != "" {
		hint = fmt.Sprintf(" (did you mean %s?)", s)
	}
	return nil, none("there is no preset %q%s; kubectl oab preset list names all", name, hint)
}

// described is a line of the list.
type described struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Kind        string   `json:"kind"`
	Protocol    string   `json:"protocol"`
	Revision    string   `json:"revision"`
	Parameters  []string `json:"parameters,omitempty"`
	Actions     []string `json:"actions"`
	Tests       int      `json:"tests"`
	Description string   `json:"description,omitempty"`
}

func (a *app) listPresets(ctx context.Context) error {
	objects, err := manifest.Presets()
	if err != nil {
		return err
	}
	all, err := templates(ctx, objects, nil)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b offline.Entry[v1alpha1.ScenarioTemplate]) int {
		return cmp.Compare(a.Object.Name, b.Object.Name)
	})
	var list []described
	for _, p := range all {
		spec := &p.Object.Spec
		list = append(list, described{
			p.Object.Name, string(spec.Type), string(spec.Kind), string(cmp.Or(spec.Protocol, v1alpha1.ProtocolREST)), scenario.Revision(*spec), parametersOf(spec), actionsOf(spec),
			len(spec.Tests), p.Object.Annotations[annotationDescription],
		})
	}
	if printed, err := a.document(list); printed {
		return err
	}
	rows := [][]cell{a.presetRow(plain("NAME", "TYPE", "KIND", "ACTIONS", "TESTS"), plain("PROTOCOL", "REVISION", "PARAMETERS"), "DESCRIPTION")}
	for _, d := range list {
		rows = append(rows, a.presetRow(plain(d.Name, d.Type, d.Kind, strings.Join(d.Actions, ","), strconv.Itoa(d.Tests)),
			plain(d.Protocol, d.Revision, orDash(strings.Join(d.Parameters, ","))), oneLine(d.Description)))
	}
	return a.table(rows)
}

// presetRow has more columns before the description when it is wide.
func (a *app) presetRow(narrow, wide []cell, description string) []cell {
	if a.format == formatWide {
		narrow = append(narrow, wide...)
	}
	return append(narrow, cell{text: description})
}

// parametersOf a template that a connector may set.
func parametersOf(spec *v1alpha1.ScenarioTemplateSpec) []string {
	var out []string
	for _, p := range spec.Parameters {
		out = append(out, p.Name)
	}
	return out
}

// actionsOf a template that make a call, in the order of an item's life.
func actionsOf(spec *v1alpha1.ScenarioTemplateSpec) []string {
	var out []string
	for _, action := range []struct {
		name string
		call v1alpha1.Call
	}{{"create", spec.Actions.Create}, {"update", spec.Actions.Update}, {"complete", spec.Actions.Complete}, {"delete", spec.Actions.Delete}} {
		if action.call.Path != "" {
			out = append(out, action.name)
		}
	}
	return out
}

func (a *app) showPreset(name string) error {
	p, err := preset(name)
	if err != nil {
		return err
	}
	if a.format == formatJSON {
		_, err := a.document(p.Tree)
		return err
	}
	text, err := manifest.PresetText(p)
	if err != nil {
		return err
	}
	_, err = a.out.Write(text)
	return err
}

func (a *app) diffPreset(ctx context.Context, stdin io.Reader, name, file string) error {
	p, err := preset(name)
	if err != nil {
		return err
	}
	ours, err := templates(ctx, []*manifest.Object{p}, nil)
	if err != nil {
		return err
	}
	var other *v1alpha1.ScenarioTemplate
	var from string
	if file != "" {
		other, from, err = templateOf(ctx, stdin, name, file)
	} else {
		other, from, err = a.templateInCluster(ctx, name)
	}
	if err != nil {
		return err
	}
	want, err := withoutTests(ours[0].Object)
	if err != nil {
		return err
	}
	got, err := withoutTests(other)
	if err != nil {
		return err
	}
	text := a.differs("preset "+name, from, want, got)
	if text == "" {
		a.say("%s is the preset", from)
		return nil
	}
	if _, err := fmt.Fprint(a.out, text); err != nil {
		return err
	}
	return none("%s differs from the preset", from)
}

// withoutTests is the spec of a template in YAML, without its tests.
func withoutTests(t *v1alpha1.ScenarioTemplate) (string, error) {
	spec := t.Spec
	spec.Tests = nil
	data, err := yaml.Marshal(spec)
	return string(data), err
}

// templateOf a file: the one of that name, or else the only one.
func templateOf(ctx context.Context, stdin io.Reader, name, file string) (*v1alpha1.ScenarioTemplate, string, error) {
	objects, problems := manifest.Read([]string{file}, stdin)
	all, err := templates(ctx, objects, problems)
	if err != nil {
		return nil, "", err
	}
	for _, t := range all {
		if t.Object.Name == name || len(all) == 1 {
			return t.Object, fmt.Sprintf("%s in %s", t.Object.Name, t.Source.File), nil
		}
	}
	return nil, "", none("%s has no template %q", file, name)
}

func (a *app) templateInCluster(ctx context.Context, name string) (*v1alpha1.ScenarioTemplate, string, error) {
	x, err := a.connect()
	if err != nil {
		return nil, "", err
	}
	t := new(v1alpha1.ScenarioTemplate)
	err = x.Get(ctx, client.ObjectKey{Namespace: x.namespace, Name: name}, t)
	if apierrors.IsNotFound(err) {
		return nil, "", none("there is no template %q in namespace %q: its connectors use the preset of the operator's namespace, which -n oabridge-system compares", name, x.namespace)
	}
	return t, "template " + x.namespace + "/" + name, err
}
