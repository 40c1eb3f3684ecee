package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

// matches reports whether an AccountBinding makes its pairs of two directories.
func matches(b *v1alpha1.AccountBinding) bool { return len(b.Spec.Match.By) > 0 }

// matched are the pairs that the operator made for a binding; none while it has made none.
func (x *access) matched(ctx context.Context, b *v1alpha1.AccountBinding) ([]v1alpha1.AccountPair, error) {
	name := match.MemoryName(b.Name)
	memory, err := x.accountsFile(ctx, b.Namespace, v1alpha1.ConfigMapKeyReference{Name: name})
	if err != nil || memory == nil {
		return nil, err
	}
	pairs, err := match.DecodeMemory(memory.BinaryData[match.MemoryKey])
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %q, key %s: %w; the operator repairs it", name, match.MemoryKey, err)
	}
	return pairs, nil
}

// unmatched are the people whom the bindings of a connector cannot match, and what of their directories cannot be read.
func (x *access) unmatched(ctx context.Context, c *v1alpha1.OAConnector, sets []bundle.AccountSet) (found []unused, err error) {
	var bound []v1alpha1.AccountPair
	for _, s := range sets {
		bound = append(bound, s.Pairs...)
	}
	bindings, err := x.bindings(ctx, c)
	if err != nil {
		return nil, err
	}
	for i := range bindings {
		b := &bindings[i]
		if !matches(b) {
			continue
		}
		id := b.Namespace + "/" + b.Name
		crm, err := x.directory(ctx, b, match.CRM, b.Spec.Match.CRM)
		if err != nil {
			return nil, err
		}
		oa, err := x.directory(ctx, b, match.OA, b.Spec.Match.OA)
		if err != nil {
			return nil, err
		}
		found = slices.Concat(found, crm.wrong, oa.wrong)
		if !crm.whole || !oa.whole {
			continue
		}
		result := match.Join(match.Input{By: b.Spec.Match.By, CRM: crm.people, OA: oa.people, Bound: bound, Exclude: b.Spec.Match.Exclude})
		for _, u := range result.Unmatched {
			found = append(found, unused{Binding: id, CRM: u.CRM, Cause: u.Message()})
		}
	}
	return found, nil
}

// directory is one side of a binding that matches people.
type directory struct {
	people []match.Person
	// wrong is what cannot be read; without the whole directory, somebody would seem to be missing.
	wrong []unused
	whole bool
}

func (x *access) directory(ctx context.Context, b *v1alpha1.AccountBinding, side match.Side, refs v1alpha1.PeopleDirectory) (d directory, err error) {
	id := b.Namespace + "/" + b.Name
	var files []match.File
	for _, ref := range refs.ConfigMapKeyRefs {
		file, err := x.accountsFile(ctx, b.Namespace, v1alpha1.ConfigMapKeyReference{Name: ref.Name})
		if err != nil {
			return d, err
		}
		if file == nil || file.Labels[v1alpha1.LabelAccounts] != "true" {
			d.wrong = append(d.wrong, unused{Binding: id, Cause: fmt.Sprintf("there is no ConfigMap %q with the label %s=true", ref.Name, v1alpha1.LabelAccounts)})
			continue
		}
		text := []byte(file.Data[ref.Key])
		if len(text) == 0 {
			text = file.BinaryData[ref.Key]
		}
		files = append(files, match.File{Name: fmt.Sprintf("configmap %q", ref.Name), Data: text})
	}
	people, rows, usable := match.Read(side, files, b.Spec.Match.By)
	d.people, d.whole = people, usable && len(d.wrong) == 0
	for _, r := range rows {
		d.wrong = append(d.wrong, unused{Binding: id, Line: r.Line, Cause: r.Message()})
	}
	return d, nil
}
