package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/manifest"
)

const (
	// maxAccountsFile bounds a CSV file: a ConfigMap holds 1 MiB, names and all, in bytes.
	maxAccountsFile = 1<<20 - 4<<10
	// maxInline is how many pairs spec.accounts takes.
	maxInline = 5000
	// accountsKey is the key of the file in the ConfigMap that import makes.
	accountsKey = "accounts.csv"
)

// importOptions of a command line.
type importOptions struct {
	connector, file string
	dryRun          bool
}

func (a *app) newImportCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import BINDING -f FILE",
		Short: "Add the pairs of a CSV file to an AccountBinding",
		Long: `Add the pairs of a CSV file to an AccountBinding, which is made when it is not there: with the labels that the connector
selects, and a ConfigMap of the same name for the pairs.

The first line names the columns crm and oa; others are ignored. Pairs that are bound already are never changed: a line that
would change one is not used, as is one that cannot be read, and both are named by their number. The good lines are written at
once, or nothing is. --dry-run writes nothing and says the same. With WeCom, accounts that look like names, or name a company that
the connector does not have, are used and warned of.

Exit code 0: every line is used; 3: some lines are not.`,
		Example: `  kubectl oab bindings import hq-staff -f staff.csv --dry-run
  kubectl oab bindings export old | kubectl oab bindings import hq-staff -f - --connector hq`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.complete(cmd, &v1alpha1.AccountBindingList{})
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.file == "" {
				return usage("which file? Give it with -f, - for the standard input")
			}
			return a.importBindings(cmd.Context(), cmd.InOrStdin(), args[0], &o)
		},
	}
	cmd.Flags().StringVarP(&o.file, "file", "f", "", "CSV file, - for the standard input")
	cmd.Flags().StringVar(&o.connector, "connector", "", "connector whose selector picks the AccountBinding; without it the only one in the namespace")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "write nothing; say what would become of each line")
	if err := cmd.RegisterFlagCompletionFunc("connector", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.complete(cmd, &v1alpha1.OAConnectorList{})
	}); err != nil {
		panic("kubectl-oab: " + err.Error())
	}
	a.bindFormat(cmd)
	return cmd
}

// imported is what became of a file.
type imported struct {
	Binding string `json:"binding"`
	// Added pairs are new, Same were there before.
	Added  int      `json:"added"`
	Same   int      `json:"same"`
	Unused []unused `json:"unused,omitempty"`
	// Doubted lines are used, and are probably not what was meant.
	Doubted []unused `json:"doubted,omitempty"`
	DryRun  bool     `json:"dryRun,omitempty"`
}

func (a *app) importBindings(ctx context.Context, stdin io.Reader, name string, o *importOptions) error {
	data, err := readAccounts(o.file, stdin)
	if err != nil {
		return usage("%w", err)
	}
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, o.connector)
	if err != nil {
		return err
	}
	sets, _, err := x.accountSets(ctx, c)
	if err != nil {
		return err
	}
	done := imported{Binding: name, DryRun: o.dryRun}
	pairs, lines := done.sort(data, sets)
	for _, d := range bundle.Doubts(c, pairs) {
		done.Doubted = append(done.Doubted, unused{Binding: name, Line: lines[d.Pair], CRM: d.Pair.CRM, OA: d.Pair.OA, Cause: d.Message()})
	}
	target, err := x.target(ctx, c, name)
	if err != nil {
		return err
	}
	if err := target.add(pairs); err != nil {
		return err
	}
	if !o.dryRun && len(pairs) > 0 {
		if err := target.write(ctx, x); err != nil {
			return err
		}
	}
	return a.tellImport(&done)
}

func readAccounts(file string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if file != manifest.Stdin {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer drop(f)
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxAccountsFile+1))
	if err == nil && len(data) > maxAccountsFile {
		err = fmt.Errorf("%s has more than %d bytes, which is what a ConfigMap takes: split it, and import each part into an AccountBinding of its own", file, maxAccountsFile)
	}
	return data, err
}

// sort returns the pairs of a file that are new, with their lines, and counts the others. Pairs in sets stay as they are. // F160
func (d *imported) sort(data []byte, sets []bundle.AccountSet) (added []v1alpha1.AccountPair, lines map[v1alpha1.AccountPair]int) {
	lines = map[v1alpha1.AccountPair]int{}
	type owner struct {
		pair v1alpha1.AccountPair
		set  string
	}
	byCRM, byOA := map[string]owner{}, map[string]owner{}
	for _, s := range sets {
		for _, p := range s.Pairs {
			o := owner{p, s.Namespace + "/" + s.Name}
			byCRM[p.CRM], byOA[p.OA] = o, o
		}
	}
	rows := bundle.EachCSV(data, func(line int, p v1alpha1.AccountPair) {
		first, taken := byCRM[p.CRM]
		if !taken {
			first, taken = byOA[p.OA]
		}
		switch {
		case !taken:
			o := owner{pair: p, set: fmt.Sprintf("line %d", line)}
			byCRM[p.CRM], byOA[p.OA] = o, o
			added = append(added, p)
			lines[p] = line
		case first.pair == p:
			d.Same++
		default:
			d.Unused = append(d.Unused, unused{Binding: d.Binding, Line: line, CRM: p.CRM, OA: p.OA, Cause: claimed(p, first.pair, first.set)})
		}
	})
	for _, r := range rows {
		d.Unused = append(d.Unused, unused{Binding: d.Binding, Line: r.Line, Cause: r.Cause})
	}
	slices.SortStableFunc(d.Unused, func(a, b unused) int { return a.Line - b.Line })
	d.Added = len(added)
	return added, lines
}

func (a *app) tellImport(d *imported) error {
	printed, err := a.document(d)
	if err != nil {
		return err
	}
	if !printed {
		for _, u := range d.Unused {
			if _, err := fmt.Fprintf(a.out, "line %d: %s\n", u.Line, u.Cause); err != nil {
				return err
			}
		}
		for _, u := range d.Doubted {
			if _, err := fmt.Fprintf(a.out, "line %d: warning: %s\n", u.Line, u.Cause); err != nil {
				return err
			}
		}
		words := "added"
		if d.DryRun {
			words = "would be added"
		}
		if _, err := fmt.Fprintf(a.out, "accountbinding.oabridge.dev/%s: %s %s, %d there before\n", d.Binding, count(d.Added, "pair", "pairs"), words, d.Same); err != nil {
			return err
		}
	}
	if n := len(d.Unused); n > 0 {
		return fmt.Errorf("%s not used", count(n, "line is", "lines are"))
	}
	return nil
}

// target is where imported pairs go.
type target struct {
	binding *v1alpha1.AccountBinding
	// file has the pairs, nil when they stand in the binding itself.
	file *corev1.ConfigMap
	key  string
	// fresh objects are created, the others are updated.
	freshBinding, freshFile bool
}

// target finds an AccountBinding and its file, or makes them as the connector would select them.
func (x *access) target(ctx context.Context, c *v1alpha1.OAConnector, name string) (*target, error) {
	t := &target{binding: new(v1alpha1.AccountBinding), key: accountsKey}
	err := x.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: name}, t.binding)
	switch {
	case apierrors.IsNotFound(err):
		labels := c.Spec.Accounts.Selector.MatchLabels
		if len(labels) == 0 || len(c.Spec.Accounts.Selector.MatchExpressions) > 0 {
			return nil, fmt.Errorf("there is no AccountBinding %q, and which labels connector %q selects is not plain from its matchLabels: create it, then import into it", name, c.Name)
		}
		t.freshBinding = true
		t.binding = &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: name, Labels: labels}}
		t.binding.Spec.AccountsFrom.ConfigMapKeyRef = v1alpha1.ConfigMapKeyReference{Name: name, Key: accountsKey}
	case err != nil:
		return nil, err
	case !selects(c, t.binding):
		return nil, usage("connector %q does not use AccountBinding %q: its spec.accounts.selector does not pick the labels", c.Name, name)
	case matches(t.binding):
		return nil, usage("AccountBinding %q makes its pairs by spec.match: import into another name", name)
	}
	ref := t.binding.Spec.AccountsFrom.ConfigMapKeyRef
	if ref.Name == "" {
		return t, nil
	}
	if t.file, err = x.accountsFile(ctx, c.Namespace, ref); err != nil {
		return nil, err
	}
	t.key = ref.Key
	if t.file == nil {
		t.freshFile = true
		t.file = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: ref.Name, Labels: map[string]string{v1alpha1.LabelAccounts: "true"}}}
	} else if len(t.file.BinaryData[t.key]) > 0 {
		return nil, fmt.Errorf("ConfigMap %q has %s as binary data, to which nothing can be added: save the file as CSV UTF-8, and apply it anew", ref.Name, t.key)
	} else if t.file.Labels[v1alpha1.LabelAccounts] != "true" {
		return nil, fmt.Errorf("ConfigMap %q is there and has no label %s=true, so it may be somebody else's: label it, or take another name", ref.Name, v1alpha1.LabelAccounts)
	}
	return t, nil
}

// add pairs to the objects, not yet to the cluster.
func (t *target) add(pairs []v1alpha1.AccountPair) error {
	if t.file == nil {
		t.binding.Spec.Accounts = append(t.binding.Spec.Accounts, pairs...)
		if n := len(t.binding.Spec.Accounts); n > maxInline {
			return fmt.Errorf("AccountBinding %q would have %d pairs in spec.accounts, which takes %d: import into another name, which keeps them in a ConfigMap", t.binding.Name, n, maxInline)
		}
		return nil
	}
	file, err := bundle.AppendCSV([]byte(t.file.Data[t.key]), pairs)
	switch {
	case err != nil:
		return fmt.Errorf("ConfigMap %q, key %s: %w", t.file.Name, t.key, err)
	case len(file) > maxAccountsFile:
		return fmt.Errorf("ConfigMap %q would have more than %d bytes: import into another AccountBinding", t.file.Name, maxAccountsFile)
	}
	if t.file.Data == nil {
		t.file.Data = map[string]string{}
	}
	t.file.Data[t.key] = string(file)
	return nil
}

// write the objects, the pairs first. Somebody's change in between is an error.
func (t *target) write(ctx context.Context, x *access) error {
	var err error
	switch {
	case t.file == nil:
		err = x.Update(ctx, t.binding)
	case t.freshFile:
		err = x.Create(ctx, t.file)
	default:
		err = x.Update(ctx, t.file)
	}
	if apierrors.IsConflict(err) {
		return errors.New("somebody changed the pairs at the same time: nothing was written; import once more")
	}
	if err == nil && t.freshBinding {
		err = x.Create(ctx, t.binding)
	}
	return err
}
