package lookup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/audit"
)

// Client asks one dispatcher.
type Client struct {
	// URL of the local port, without a slash at the end.
	URL  string
	HTTP *http.Client
}

// maxLine bounds a line of an answer and a problem, in bytes.
const maxLine = MaxAnswer

// Records returns the newest records that q selects, the newest last, and whether there are older ones.
func (c *Client) Records(ctx context.Context, q url.Values) (found []Record, more bool, err error) {
	return pages[Record](ctx, c, PathRecords, q)
}

// Dead returns the newest dead letters that q selects, the newest last, and whether there are older ones.
func (c *Client) Dead(ctx context.Context, q url.Values) (found []Letter, more bool, err error) {
	return pages[Letter](ctx, c, PathDead, q)
}

// SignIns returns the newest sign-ins that q selects, the newest last, and whether there are older ones.
func (c *Client) SignIns(ctx context.Context, q url.Values) (found []audit.SignIn, more bool, err error) {
	return pages[audit.SignIn](ctx, c, PathSignIns, q)
}

// Trace returns the deliveries of an item in their order. incomplete says what was not looked at, if so.
func (c *Client) Trace(ctx context.Context, q url.Values) (found []Delivery, incomplete string, err error) {
	resp, err := c.get(ctx, PathTrace, q)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	found, err = lines[Delivery](resp.Body)
	return found, resp.Header.Get(HeaderIncomplete), err
}

// Summary of what happened.
func (c *Client) Summary(ctx context.Context, q url.Values) (s Summary, err error) {
	resp, err := c.get(ctx, PathSummary, q)
	if err != nil {
		return s, err
	}
	defer func() { _ = resp.Body.Close() }()
	return s, json.NewDecoder(io.LimitReader(resp.Body, maxLine)).Decode(&s)
}

// pages follows the links until there are as many as q's limit says.
func pages[T any](ctx context.Context, c *Client, path string, q url.Values) (found []T, more bool, err error) {
	limit := DefaultLimit
	if n, err := strconv.Atoi(q.Get(ParamLimit)); err == nil {
		limit = n
	}
	for {
		next := q.Get(ParamCursor)
		resp, err := c.get(ctx, path, q)
		if err != nil {
			return nil, false, err
		}
		page, err := lines[T](resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, false, err
		}
		found = append(page, found...)
		cursor := nextCursor(resp.Header.Get("Link"))
		if cursor == "" || cursor == next || len(found) >= limit {
			return found, cursor != "", nil
		}
		q = withValues(q, ParamCursor, cursor, ParamLimit, strconv.Itoa(limit-len(found)))
	}
}

func withValues(q url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// nextCursor reads a Link header: </records?cursor=…>; rel="next".
func nextCursor(link string) string {
	target, ok := strings.CutSuffix(link, `>; rel="next"`)
	if !ok {
		return ""
	}
	u, err := url.Parse(strings.TrimPrefix(target, "<"))
	if err != nil {
		return ""
	}
	return u.Query().Get(ParamCursor)
}

func lines[T any](from io.Reader) (found []T, err error) {
	s := bufio.NewScanner(from)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		var one T
		if err := json.Unmarshal(s.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("the dispatcher's answer cannot be read: %w; is it of the same version?", err)
		}
		found = append(found, one)
	}
	return found, s.Err()
}

// get asks; an answer other than 200 is an error in the dispatcher's words.
func (c *Client) get(ctx context.Context, path string, q url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, problem(resp)
}

// problem is what an answer says that is none.
func problem(resp *http.Response) error {
	var p Problem
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxLine)).Decode(&p); err != nil || p.Title == "" {
		return fmt.Errorf("the dispatcher answered %s to %s %s; is it of the same version?", resp.Status, resp.Request.Method, resp.Request.URL.Path)
	}
	return &p
}

// Problem is what a dispatcher says when it does not answer (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Field    string `json:"field"`
		Cause    string `json:"cause"`
		NextStep string `json:"nextStep"`
	} `json:"errors"`
}

// Error names the parameters, causes and next steps.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	var all []string
	for _, e := range p.Errors {
		all = append(all, fmt.Sprintf("%s: %s; %s", e.Field, e.Cause, e.NextStep))
	}
	return strings.Join(all, "\n")
}

// BadQuery reports whether an error says that the query itself is wrong.
func BadQuery(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusBadRequest
}
