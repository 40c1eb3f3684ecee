package manifest

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// step of a field path: a name, or an index or the name of an entry in brackets.
var step = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

// within finds a place in a text that an error names.
var within = regexp.MustCompile(`^(?:[^:]*: )?line (\d+), column \d+: `)

// quoted finds the placeholder that an error is about.
var quoted = regexp.MustCompile(`"(#F\w+)"`)

// LineOf returns the line of a field such as spec.scenarios[0].templateRef or spec.tests[create].request, as far as the
// path can be followed. A message about a text in a block leads to the line in it that it names ("line 3, column 7: …"), or
// where the placeholder stands that it quotes.
func (o *Object) LineOf(field, message string) int {
	line, node := o.Line, o.node
	for _, s := range step.FindAllString(field, -1) {
		key, next := descend(node, s)
		if next == nil {
			break
		}
		line, node = key.Line, next
	}
	if node.Kind == yaml.ScalarNode && node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return node.Line + lineInBlock(node.Value, message)
	}
	return line
}

// lineInBlock returns the line of a text that a message is about, from 1; 0 when it does not say.
func lineInBlock(text, message string) int {
	if m := within.FindStringSubmatch(message); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	if m := quoted.FindStringSubmatch(message); m != nil {
		if before, _, found := strings.Cut(text, m[1]); found {
			return strings.Count(before, "\n") + 1
		}
	}
	return 0
}

// descend returns the node that stands for a step, with its key.
func descend(node *yaml.Node, s string) (key, value *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	name := strings.Trim(s, `[]"`)
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
		for _, entry := range node.Content {
			if n := child(entry, "name"); n != nil && n.Value == name {
				return entry, entry
			}
		}
	}
	return nil, nil
}

// child returns the value of a key, or nil.
func child(node *yaml.Node, name string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	_, value := descend(node, name)
	return value
}
