package desk

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// maxCommand bounds the body of a control call: 64 MiB, a large scenario.
const maxCommand = 64 << 20

// Get adds a part of the control API that can be looked at. With a title it is listed on the index page.
func (d *Desk) Get(title, path string, read func(*http.Request) any) {
	if title != "" {
		d.addLink(link{title, path, true})
	}
	d.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { Reply(w, http.StatusOK, read(r)) })
}

// Delete adds a control call that forgets something.
func (d *Desk) Delete(path string, forget func()) {
	d.mux.HandleFunc("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) {
		forget()
		w.WriteHeader(http.StatusNoContent)
	})
}

// Handle adds anything else to the control API.
func (d *Desk) Handle(pattern string, h http.HandlerFunc) { d.mux.HandleFunc(pattern, h) }

// Link lists something that Handle serves on the index page.
func (d *Desk) Link(title, path string) { d.addLink(link{title, path, true}) }

// On adds a control call: strict JSON in, JSON or {"error"} out, without authentication.
func On[T any](d *Desk, pattern string, status int, do func(T) (any, error)) {
	d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var in T
		var out any
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCommand))
		if err == nil {
			err = Strict(raw, &in)
		}
		if err == nil {
			out, err = do(in)
		}
		if err != nil {
			Reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		Reply(w, status, out)
	})
}

// Strict reads JSON and refuses fields that it does not know.
func Strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Reply writes JSON.
func Reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
