package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

// rebindOptions of a command line.
type rebindOptions struct {
	from, to string
	apply    bool
}

func (a *app) newRebindCommand() *cobra.Command {
	var o rebindOptions
	cmd := &cobra.Command{
		Use:   "rebind [CONNECTOR] --from COMPANY --to COMPANY",
		Short: "Write another company into the accounts of a company's members (WeCom)",
		Long: `Write another company into the accounts of a company's members, in every AccountBinding that the connector selects: its own
pairs, its CSV file, and what was matched. Accounts of WeCom name a company as NAME/ID; the name is one of spec.sso.companies, and
accounts do not follow when it is changed there. The company of accounts without a slash is called ` + bundle.OwnCompany + `; --from= is that of
accounts with nothing before it.

Without --apply, what would be changed is printed, and nothing is written. An account that is somebody else's already is left
as it is and named. Objects that come from Git have to be changed there as well.

Exit code 0: all are changed; 1: there are none; 3: some cannot be.`,
		Example: `  kubectl oab bindings rebind wecom --from aa --to bb
  kubectl oab bindings rebind wecom --from aa --to bb --apply`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("from") || o.to == "" {
				return usage("which companies? Give the one that accounts name with --from, and the one that they should name with --to")
			}
			return a.rebind(cmd.Context(), first(args), &o)
		},
	}
	cmd.Flags().StringVar(&o.from, "from", "", "company that accounts name now")
	cmd.Flags().StringVar(&o.to, "to", "", "company that they should name: one of spec.sso.companies, or "+bundle.OwnCompany)
	cmd.Flags().BoolVar(&o.apply, "apply", false, "write the change; without it, it is only printed")
	a.bindFormat(cmd)
	return cmd
}

// rebound is an account that gets another company, or cannot get it.
type rebound struct {
	Binding string `json:"binding"`
	CRM     string `json:"crm"`
	OA      string `json:"oa"`
	Becomes string `json:"becomes,omitempty"`
	// Cause is why it stays as it is.
	Cause string `json:"cause,omitempty"`
}

func (a *app) rebind(ctx context.Context, connector string, o *rebindOptions) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	if err := checkCompany(c, o.to); err != nil {
		return err
	}
	sets, _, err := x.accountSets(ctx, c)
	if err != nil {
		return err
	}
	r := newRebinder(o, sets)
	bindings, err := x.bindings(ctx, c)
	if err != nil {
		return err
	}
	var changed []client.Object
	for i := range bindings {
		object, err := r.change(ctx, x, &bindings[i])
		if err != nil {
			return err
		}
		if object != nil {
			changed = append(changed, object)
		}
	}
	if len(r.all) == 0 {
		return none("no account of connector %q names the company %q", c.Name, o.from)
	}
	if o.apply {
		for i, object := range changed {
			err := x.Update(ctx, object)
			if apierrors.IsConflict(err) {
				err = fmt.Errorf("somebody changed %s at the same time", object.GetName())
			}
			if err != nil {
				return fmt.Errorf("%w; %d of %s written: run the command once more", err, i, count(len(changed), "object is", "objects are"))
			}
		}
	}
	return a.tellRebind(r.all, o.apply)
}

// checkCompany says which companies there are when one is none of them.
func checkCompany(c *v1alpha1.OAConnector, company string) error {
	if c.Spec.Type != v1alpha1.TypeWeCom {
		return usage("connector %q is of type %s: only accounts of WeCom name a company", c.Name, c.Spec.Type)
	}
	known := []string{bundle.OwnCompany}
	for _, s := range c.Spec.SSO.Companies {
		known = append(known, s.Name)
	}
	if !slices.Contains(known, company) {
		return usage("--to %s: connector %q has the companies %s; add it to spec.sso.companies first", company, c.Name, strings.Join(known, ", "))
	}
	return nil
}

// rebinder collects what becomes of each account.
type rebinder struct {
	from, to string
	owner    map[string]v1alpha1.AccountPair
	binding  string
	all      []rebound
}

func newRebinder(o *rebindOptions, sets []bundle.AccountSet) *rebinder {
	r := &rebinder{from: o.from, to: o.to, owner: map[string]v1alpha1.AccountPair{}}
	for _, s := range sets {
		for _, p := range s.Pairs {
			r.owner[p.OA] = p
		}
	}
	return r
}

// account is what a pair's OA account becomes.
func (r *rebinder) account(p v1alpha1.AccountPair) string {
	company, id := bundle.SplitCompany(p.OA)
	becomes := bundle.JoinCompany(r.to, id)
	if company != r.from || becomes == p.OA {
		return p.OA
	}
	line := rebound{Binding: r.binding, CRM: p.CRM, OA: p.OA, Becomes: becomes}
	if other, taken := r.owner[becomes]; taken && other.CRM != p.CRM {
		line.Cause = fmt.Sprintf("%s is the account of %s already", becomes, other.CRM)
	} else if cause := bundle.WrongAccount("oa", becomes); cause != "" {
		line.Cause = cause
	}
	if line.Cause != "" {
		line.Becomes, becomes = "", p.OA
	}
	r.all = append(r.all, line)
	r.owner[becomes] = v1alpha1.AccountPair{CRM: p.CRM, OA: becomes}
	return becomes
}

// change returns the object that has to be written, nil when nothing changes.
func (r *rebinder) change(ctx context.Context, x *access, b *v1alpha1.AccountBinding) (client.Object, error) {
	r.binding = b.Namespace + "/" + b.Name
	before := r.changes()
	ref := b.Spec.AccountsFrom.ConfigMapKeyRef
	switch {
	case matches(b):
		pairs, err := x.matched(ctx, b)
		if err != nil {
			return nil, err
		}
		for i := range pairs {
			pairs[i].OA = r.account(pairs[i])
		}
		if r.changes() == before {
			return nil, nil
		}
		data, err := match.EncodeMemory(pairs)
		if err != nil {
			return nil, err
		}
		memory, err := x.accountsFile(ctx, b.Namespace, v1alpha1.ConfigMapKeyReference{Name: match.MemoryName(b.Name)})
		if err != nil || memory == nil {
			return nil, err
		}
		memory.BinaryData[match.MemoryKey] = data
		return memory, nil
	case ref.Name != "":
		file, err := x.accountsFile(ctx, b.Namespace, ref)
		if err != nil || file == nil {
			return nil, err
		}
		return r.changeFile(file, ref.Key, before)
	}
	for i, p := range b.Spec.Accounts {
		b.Spec.Accounts[i].OA = r.account(p)
	}
	if r.changes() == before {
		return nil, nil
	}
	return b, nil
}

func (r *rebinder) changeFile(file *corev1.ConfigMap, key string, before int) (client.Object, error) {
	text, isText := file.Data[key]
	data := []byte(text)
	if !isText {
		data = file.BinaryData[key]
	}
	if len(data) == 0 {
		return nil, nil
	}
	data, err := bundle.RewriteCSV(data, r.account)
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %q, key %s: %w", file.Name, key, err)
	}
	if r.changes() == before {
		return nil, nil
	}
	if isText {
		file.Data[key] = string(data)
	} else {
		file.BinaryData[key] = data
	}
	return file, nil
}

// changes counts the accounts that get another company.
func (r *rebinder) changes() (n int) {
	for _, line := range r.all {
		if line.Cause == "" {
			n++
		}
	}
	return n
}

func (a *app) tellRebind(all []rebound, applied bool) error {
	stay := 0
	rows := [][]cell{plain("BINDING", "CRM", "OA", "BECOMES")}
	for _, line := range all {
		becomes := line.Becomes
		if line.Cause != "" {
			stay++
			becomes = "- (" + line.Cause + ")"
		}
		rows = append(rows, plain(line.Binding, line.CRM, line.OA, becomes))
	}
	printed, err := a.document(all)
	if err == nil && !printed {
		err = a.table(rows)
	}
	if err != nil {
		return err
	}
	done := "changed"
	if !applied {
		done = "would be changed; --apply writes it"
	}
	a.say("%s %s", count(len(all)-stay, "account", "accounts"), done)
	if stay > 0 {
		return errors.New(count(stay, "account stays as it is", "accounts stay as they are"))
	}
	return nil
}
