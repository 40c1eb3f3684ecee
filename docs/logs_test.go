package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logKeys are the keys with which the code logs, each with a place where it does.
func logKeys(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, text := range code(t) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for i, key := range keyArguments(call) {
				name, ok := literal(key)
				if !ok {
					t.Errorf("%s: key %d of a line of the log is no literal: it must be the same each time", path, i)
					continue
				}
				found[name] = path
			}
			return true
		})
	}
	return found
}

// keyArguments of a call of a logger: Info(message, key, value …), Error(err, message, key, value …), WithValues(key, value …).
func keyArguments(call *ast.CallExpr) (keys []ast.Expr) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || call.Ellipsis.IsValid() {
		return nil
	}
	first := map[string]int{"Info": 1, "Error": 2, "WithValues": 0}
	at, known := first[method.Sel.Name]
	if !known || len(call.Args) < at || !isLogger(method.X) {
		return nil
	}
	if at > 0 {
		if _, ok := literal(call.Args[at-1]); !ok {
			return nil // no message: another method of that name
		}
	}
	for i := at; i+1 < len(call.Args); i += 2 {
		keys = append(keys, call.Args[i])
	}
	return keys
}

// isLogger tells by the name: log, e.log, o.Log, log.FromContext(ctx), l.
func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"log", "l", "logger"}, x.Name)
	case *ast.SelectorExpr:
		return slices.Contains([]string{"log", "Log"}, x.Sel.Name)
	case *ast.CallExpr:
		f, ok := x.Fun.(*ast.SelectorExpr)
		return ok && (slices.Contains([]string{"FromContext", "WithName", "V"}, f.Sel.Name))
	}
	return false
}

func literal(x ast.Expr) (string, bool) {
	l, ok := x.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// The page has every key of the logs of dispatchers, gateways and the manager, and no other; keys are words in camel case.
func TestLogKeys(t *testing.T) {
	keys := logKeys(t)
	if len(keys) < 30 {
		t.Fatalf("only %d keys were found in the code", len(keys))
	}
	page := read(t, "reference/logs.md")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[A-Za-z]+`(?:, )?)+) \\|").FindAllStringSubmatch(page, -1) {
		for _, key := range strings.Split(m[1], ", ") {
			listed[strings.Trim(key, "`")] = true
		}
	}
	word := regexp.MustCompile(`^[a-z][A-Za-z]*$`)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !listed[key] {
			t.Errorf("docs/reference/logs.md does not list the key %s of %s", key, keys[key])
		}
		if !word.MatchString(key) {
			t.Errorf("%s: the key %q is no word in camel case", keys[key], key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(listed)) {
		if keys[key] == "" && !slices.Contains(ownKeys, key) {
			t.Errorf("docs/reference/logs.md lists %s, and no line has it", key)
		}
	}
}

// ownKeys are those that the libraries write into each line.
var ownKeys = []string{"time", "level", "msg", "logger", "err", "controller", "name", "reconcileID"}
