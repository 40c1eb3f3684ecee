package crm

import (
	"net/http"
	"testing"
)

// Whatever arrives, Parse returns events or a problem that says something, and every event it takes is whole.
func FuzzParse(f *testing.F) {
	for _, body := range []string{structured(), "[" + structured() + "]", itemJSON, batchOf(3), `{"data_base64":"e30="}`, "", "[", "null", "\xff"} {
		for _, mode := range []string{typeStructured, typeBatch, typeBinary} {
			f.Add(mode, "e-1", body)
		}
	}
	f.Fuzz(func(t *testing.T, mode, id, body string) {
		h := http.Header{"Content-Type": {mode}, "Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {"/crm"},
			"Ce-Type": {"dev.oabridge.todo.created"}}
		events, problem := Parse(h, []byte(body), DefaultLimits())
		if problem != nil {
			if events != nil || problem.Detail == "" || problem.Status < 400 {
				t.Fatalf("got %v, %v", events, problem)
			}
			for _, e := range problem.Errors {
				if e.Field == "" || e.Cause == "" || e.NextStep == "" {
					t.Fatalf("an error says too little: %+v", e)
				}
			}
			return
		}
		for _, e := range events {
			if e.ID == "" || e.Source == "" || e.Kind == "" || e.Action == "" || len(e.Item.Validate()) > 0 {
				t.Fatalf("an event is not whole: %+v", e)
			}
		}
	})
}

func BenchmarkAccept(b *testing.B) {
	a := newAuthenticator(b, Keys{Signing: []string{currentKey}})
	for name, in := range map[string]struct{ mode, id, body string }{
		"structured": {typeStructured, "e-1", structured()},
		"batch100":   {typeBatch, "b-1", batchOf(100)},
	} {
		b.Run(name, func(b *testing.B) {
			h := sign(b, contentType(in.mode), currentKey, in.id, now, in.body)
			body, limits := []byte(in.body), DefaultLimits()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, problem := a.Accept(h, body, limits); problem != nil {
					b.Fatal(problem)
				}
			}
		})
	}
}
