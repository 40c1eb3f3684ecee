// Package simtest talks to a simulator in tests: as a program that calls an interface, and as a browser.
package simtest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Client talks to one simulator, which serves as long as the test runs.
type Client struct {
	t   *testing.T
	url string
}

// Serve starts a simulator.
func Serve(t *testing.T, sim interface {
	http.Handler
	Close()
}) *Client {
	t.Helper()
	srv := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); srv.Close() })
	return &Client{t, srv.URL}
}

// URL is where the simulator serves.
func (c *Client) URL() string { return c.url }

// Reply is an answer.
type Reply struct {
	Status int
	Body   string
	Header http.Header
}

// Do sends a request. header holds names and values in turn.
func (c *Client) Do(with *http.Client, method, path, body string, header ...string) Reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := with.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return Reply{resp.StatusCode, string(b), resp.Header}
}

// Basic is the header Authorization of a user, written name:password.
func Basic(user string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user)) }

// Fetch is Do for those who want the parts.
func (c *Client) Fetch(with *http.Client, method, path, body string, header ...string) (int, string, http.Header) {
	c.t.Helper()
	a := c.Do(with, method, path, body, header...)
	return a.Status, a.Body, a.Header
}

// JSON is Fetch for an interface that takes and gives JSON.
func (c *Client) JSON(method, path, body string, header ...string) (int, Object) {
	c.t.Helper()
	status, text, _ := c.Fetch(http.DefaultClient, method, path, body, append(header, "Content-Type", "application/json")...)
	var out Object
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return status, out
}

// Browser keeps cookies and goes nowhere by itself.
func (c *Client) Browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Form submits a form in a browser; pairs holds names and values in turn.
func (c *Client) Form(browser *http.Client, path string, pairs ...string) (int, string, http.Header) {
	c.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return c.Fetch(browser, http.MethodPost, path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

var scanID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// Scan opens a page with a QR code in a fresh browser, scans it as a person and confirms. It returns what the browser is
// answered in the end.
func (c *Client) Scan(page, person string) (int, string, http.Header) {
	c.t.Helper()
	browser := c.Browser()
	status, body, header := c.Fetch(browser, http.MethodGet, page, "")
	id := scanID.FindStringSubmatch(body)
	if id == nil {
		return status, body, header
	}
	path, _, _ := strings.Cut(page, "?")
	c.Form(browser, path+"/scan", "id", id[1], "choose", person)
	return c.Form(browser, path+"/confirm", "id", id[1], "answer", "yes")
}

// Object is a JSON object.
type Object map[string]any

// Text is the text of a field, or "".
func (o Object) Text(field string) string {
	s, _ := o[field].(string)
	return s
}

// Int is the number of a field, or 0.
func (o Object) Int(field string) int {
	n, _ := o[field].(float64)
	return int(n)
}

// In is the object of a field, or an empty one.
func (o Object) In(field string) Object {
	m, _ := o[field].(map[string]any)
	return m
}
