package org

import (
	"slices"
	"testing"
)

func TestTree(t *testing.T) {
	tree := Tree{
		{ID: "1", Name: "公司"}, {ID: "2", ParentID: "1", Members: []string{"lina"}}, {ID: "3", ParentID: "2", Members: []string{"lina", "liuyang"}},
		{ID: "8", ParentID: "9"}, {ID: "9", ParentID: "8"}, // a broken part of the tree must not hang
	}
	ids := func(list []Department) (out []string) {
		for _, d := range list {
			out = append(out, d.ID)
		}
		return out
	}
	for id, want := range map[string][]string{"1": {"1", "2", "3"}, "2": {"2", "3"}, "3": {"3"}, "8": {"8", "9"}, "7": nil} {
		if got := ids(tree.Under(id)); !slices.Equal(got, want) {
			t.Errorf("under %s: %v", id, got)
		}
	}
	if got := tree.Of("lina"); !slices.Equal(got, []string{"2", "3"}) {
		t.Errorf("lina is in %v", got)
	}
	if _, ok := tree.Get("7"); ok {
		t.Error("there is no 7")
	}
}
