package sample_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/sample"
	"github.com/oabridge/oabridge/internal/scenario"
)

var update = flag.Bool("update", false, "rewrite golden files")

// What people paste, and the template that they get: names on the left stay, likely values become placeholders, and the
// rest is listed. // F27 F28
func TestTemplatesFromSamples(t *testing.T) {
	for name, c := range map[string]struct {
		options sample.Options
		yaml    sample.YAML
	}{
		"seeyon.json":   {sample.Options{Type: v1alpha1.TypeSeeyon}, sample.YAML{Path: "/seeyon/rest/thirdpartyPending/receive"}},
		"weaver.json":   {sample.Options{Type: v1alpha1.TypeWeaver}, sample.YAML{Namespace: "crm"}},
		"weaver.xml":    {sample.Options{Type: v1alpha1.TypeWeaver}, sample.YAML{Path: "/services/OfsTodoDataWebService"}},
		"landray.wsdl":  {sample.Options{Type: v1alpha1.TypeLandray, Operation: "sendTodo"}, sample.YAML{}},
		"generic.json":  {sample.Options{Type: v1alpha1.TypeGeneric, ToXML: true, Root: "addTodo", Namespace: `urn:todo"<&`}, sample.YAML{Path: "/services/Todo"}},
		"reminder.json": {sample.Options{Type: v1alpha1.TypeGeneric}, sample.YAML{Name: "no", Kind: v1alpha1.KindReminder}},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			skeleton, err := sample.Make(string(text), c.options)
			if err != nil {
				t.Fatal(err)
			}
			if c.yaml.Name == "" {
				c.yaml.Name = "my-todo"
			}
			if c.yaml.Kind == "" {
				c.yaml.Kind = v1alpha1.KindTodo
			}
			c.yaml.Type = c.options.Type
			document, err := c.yaml.Write(skeleton)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), document); diff != "" {
				t.Errorf("-update writes it anew:\n%s", diff)
			}
		})
	}
}

// A sample that is no good is refused with what to do.
func TestBadSamples(t *testing.T) {
	wsdl, err := os.ReadFile("testdata/landray.wsdl")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text    string
		options sample.Options
		message string
	}{
		"nothing":           {" \n", sample.Options{}, "empty"},
		"text":              {"taskId=1", sample.Options{}, "neither JSON nor XML: line 1"},
		"broken JSON":       {"{\n\"a\":}", sample.Options{}, "line 2"},
		"two documents":     {"{}{}", sample.Options{}, "something after"},
		"key twice":         {`{"a":"1","a":"2"}`, sample.Options{}, "twice"},
		"broken XML":        {"<a><b></a>", sample.Options{}, "closes no element"},
		"DOCTYPE":           {`<!DOCTYPE a><a/>`, sample.Options{}, "DOCTYPE"},
		"GBK":               {`<?xml version="1.0" encoding="GBK"?><a/>`, sample.Options{}, `declare encoding="UTF-8"`},
		"XML to XML":        {"<a/>", sample.Options{ToXML: true}, "XML already"},
		"a name for JSON":   {`{"1st":"x"}`, sample.Options{ToXML: true}, `"1st" cannot be that of an XML element`},
		"a list in a list":  {`{"a":[["x"]]}`, sample.Options{ToXML: true}, "a list in a list"},
		"which operation":   {string(wsdl), sample.Options{}, "choose one with --operation: sendTodo, setTodoDone"},
		"another operation": {string(wsdl), sample.Options{Operation: "x"}, "choose one"},
		"no operation":      {`<definitions/>`, sample.Options{}, "has no operations"},
		"too large":         {strings.Repeat("x", sample.MaxSize+1), sample.Options{}, "more than"},
	} {
		if _, err := sample.Make(c.text, c.options); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// leaf is a value with the names around it.
type leaf struct{ Path, Text string }

func jsonLeaves(path string, v any, order func(map[string]any) []string) (leaves []leaf) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range order(v) {
			leaves = append(leaves, jsonLeaves(path+"/"+k, v[k], order)...)
		}
	case []any:
		for _, e := range v {
			leaves = append(leaves, jsonLeaves(path, e, order)...)
		}
	default:
		return []leaf{{path, fmt.Sprint(v)}}
	}
	return leaves
}

func xmlLeaves(t *rapid.T, document string) (leaves []leaf) {
	d := xml.NewDecoder(strings.NewReader(document))
	path, text, isLeaf := "", "", false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return leaves
		}
		if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		switch v := token.(type) {
		case xml.StartElement:
			path, text, isLeaf = path+"/"+v.Name.Local, "", true
		case xml.CharData:
			text += string(v)
		case xml.EndElement:
			if isLeaf {
				leaves = append(leaves, leaf{path, text})
			}
			path, isLeaf = path[:strings.LastIndexByte(path, '/')], false
		}
	}
}

// A REST sample that becomes XML keeps every name, its order and its nesting, and every value, also through a template and
// a rendered request. // F28
func TestJSONToXMLAndBack(t *testing.T) {
	name := rapid.StringMatching(`[a-z_][a-zA-Z0-9._-]{0,6}zz`) // no name of the dictionary ends so
	text := rapid.OneOf(rapid.StringMatching(`[a-z<>&"'#${}\]F0-9 \\]{0,12}`), rapid.SampledFrom([]string{"]]>", "报价单 & <b>", "a\nb\tc", "$${x}", "https://x.example/a?b=c", "{}", `{"x":1}`, "#", "?"}))
	var object func(depth int) *rapid.Generator[map[string]any]
	object = func(depth int) *rapid.Generator[map[string]any] {
		value := rapid.Map(text, func(s string) any { return s })
		if depth > 0 {
			value = rapid.OneOf(value,
				rapid.Map(object(depth-1), func(m map[string]any) any { return m }),
				rapid.Map(rapid.SliceOfN(text, 1, 3), func(list []string) any {
					var out []any
					for _, s := range list {
						out = append(out, s)
					}
					return out
				}))
		}
		return rapid.MapOfN(name, value, 1, 4)
	}
	rapid.Check(t, func(t *rapid.T) {
		tree := object(2).Draw(t, "tree")
		document, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		skeleton, err := sample.Make(string(document), sample.Options{Type: v1alpha1.TypeGeneric, ToXML: true, Root: "root"})
		if err != nil {
			if strings.Contains(string(document), "#F0") || strings.Contains(string(document), `:"{`) {
				t.Skip("a value that is meant as a placeholder or as JSON, and is none")
			}
			t.Fatal(err)
		}
		d, problems := scenario.Instantiate(skeleton.Spec(v1alpha1.TypeGeneric, v1alpha1.KindTodo, "/"), nil, nil, "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s, err := scenario.New(d)
		if err != nil {
			t.Fatal(err)
		}
		fields := scenario.Fields{}
		for _, p := range scenario.Dictionary() {
			fields[p.ID] = "#" + p.ID
		}
		fields["F009"] = "2026-11-22T09:30:00+08:00"
		req, err := s.Render(scenario.Create, fields)
		if err != nil {
			t.Fatal(err)
		}
		// json.Marshal wrote the keys sorted.
		want := jsonLeaves("/Envelope/Body/root", tree, sorted)
		if diff := cmp.Diff(want, xmlLeaves(t, string(req.Body))); diff != "" {
			t.Fatalf("%s\n%s\n%s", document, req.Body, diff)
		}
	})
}

func sorted(m map[string]any) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

// Whatever a sample is, there is an error or a template that is valid and passes its own test.
func FuzzMake(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		f.Add(string(text), false, "")
		f.Add(string(text), true, "sendTodo")
	}
	for _, text := range []string{`["#F012",{"title":"{\"title\":\"x\"}"}]`, "<a><![CDATA[{\"taskId\":\"1\"}]]></a>", `{"url":null,"a":[[1]]}`, "<a b='${x}'>?</a>"} {
		f.Add(text, false, "")
	}
	f.Fuzz(func(t *testing.T, text string, toXML bool, operation string) {
		skeleton, err := sample.Make(text, sample.Options{Type: v1alpha1.TypeWeaver, ToXML: toXML, Operation: operation})
		if err != nil {
			return
		}
		y := sample.YAML{Name: "t", Type: v1alpha1.TypeWeaver, Kind: v1alpha1.KindTodo}
		if _, err := y.Write(skeleton); err != nil && !strings.Contains(err.Error(), "no template can be made of the sample") {
			t.Fatal(err)
		}
	})
}
