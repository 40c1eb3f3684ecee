// Package gitops looks at an object of OA Bridge as Argo CD, Flux and kstatus do: with the script of config/argocd under a
// Lua interpreter that has what Argo CD gives to scripts, and with the expressions of config/flux under CEL.
package gitops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// scriptTime is what Argo CD allows a script.
const scriptTime = time.Second

// ArgoCD holds the health scripts by kind.
type ArgoCD map[string]string

// ReadArgoCD reads config/argocd/argocd-cm.yaml below the root of the repository.
func ReadArgoCD(root string) (ArgoCD, error) {
	data, err := os.ReadFile(filepath.Join(root, "config", "argocd", "argocd-cm.yaml"))
	if err != nil {
		return nil, err
	}
	var patch struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.UnmarshalStrict(data, &patch); err != nil {
		return nil, err
	}
	const prefix = "resource.customizations.health.oabridge.dev_"
	scripts := ArgoCD{}
	for key, script := range patch.Data {
		if len(key) <= len(prefix) || key[:len(prefix)] != prefix {
			return nil, fmt.Errorf("the key %s is not one of Argo CD's for a health script of the group oabridge.dev", key)
		}
		scripts[key[len(prefix):]] = script
	}
	return scripts, nil
}

// Health is what Argo CD shows of an object: Healthy, Progressing, Degraded or Suspended, and why.
func (a ArgoCD) Health(u *unstructured.Unstructured) (status, message string, err error) {
	script, ok := a[u.GetKind()]
	if !ok {
		return "", "", fmt.Errorf("no health script for the kind %q", u.GetKind())
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	l := interpreter(ctx)
	defer l.Close()
	l.SetGlobal("obj", value(l, u.Object))
	if err := l.DoString(script); err != nil {
		return "", "", err
	}
	answer, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("the script returns %s, not a table", l.Get(-1).Type())
	}
	return lua.LVAsString(answer.RawGetString("status")), lua.LVAsString(answer.RawGetString("message")), nil
}

// interpreter has the base and table libraries, require, and of os only time and date, by require("os").
func interpreter(ctx context.Context) *lua.LState {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	l.SetContext(ctx)
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.OsLibName: lua.OpenOs,
	} {
		l.Push(l.NewFunction(open))
		l.Push(lua.LString(name))
		l.Call(1, 0)
	}
	whole := l.GetGlobal(lua.OsLibName).(*lua.LTable)
	safe := l.NewTable()
	for _, name := range []string{"time", "date"} {
		safe.RawSetString(name, whole.RawGetString(name))
	}
	l.SetGlobal(lua.OsLibName, lua.LNil)
	loaded := l.GetField(l.GetGlobal(lua.LoadLibName), "loaded").(*lua.LTable)
	loaded.RawSetString(lua.OsLibName, safe)
	return l
}

// value turns decoded JSON into Lua's own.
func value(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		t := l.CreateTable(len(v), 0)
		for _, item := range v {
			t.Append(value(l, item))
		}
		return t
	case map[string]any:
		t := l.CreateTable(0, len(v))
		for key, item := range v {
			t.RawSetString(key, value(l, item))
		}
		return t
	}
	return lua.LNil
}
