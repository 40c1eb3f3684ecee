// Package org is the tree of departments in a simulated contact book.
package org

import "slices"

// Department is a node of the tree.
type Department struct {
	ID       string   `json:"id"`
	ParentID string   `json:"parentId,omitempty"`
	Name     string   `json:"name"`
	NameEN   string   `json:"nameEn,omitempty"`
	Members  []string `json:"members,omitempty"` // user ids of those who are directly in it
}

// Tree is all departments of a company, in the order in which they are listed.
type Tree []Department

// Get returns a department.
func (t Tree) Get(id string) (Department, bool) {
	i := slices.IndexFunc(t, func(d Department) bool { return d.ID == id })
	if i < 0 {
		return Department{}, false
	}
	return t[i], true
}

// Children are the departments directly below one.
func (t Tree) Children(id string) []Department {
	var out []Department
	for _, d := range t {
		if d.ParentID == id && d.ID != id {
			out = append(out, d)
		}
	}
	return out
}

// Under is a department and everything below it, from the top down.
func (t Tree) Under(id string) []Department {
	top, ok := t.Get(id)
	if !ok {
		return nil
	}
	out := []Department{top}
	seen := map[string]bool{id: true}
	for i := 0; i < len(out); i++ {
		for _, d := range t.Children(out[i].ID) {
			if !seen[d.ID] {
				seen[d.ID] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// Of names the departments that a user is directly in.
func (t Tree) Of(user string) []string {
	var out []string
	for _, d := range t {
		if slices.Contains(d.Members, user) {
			out = append(out, d.ID)
		}
	}
	return out
}
