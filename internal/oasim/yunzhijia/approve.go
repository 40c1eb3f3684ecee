package yunzhijia

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's algorithm
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// maxCallback bounds the answer of a passUrl: 1 MiB.
const maxCallback = 1 << 20

// passSign signs a batch approval: base64 of HMAC-SHA1 over openId, sourceType and every sourceId, sorted and joined with
// & (YZJ-TODO).
func passSign(key, openID, sourceType string, sourceIDs []string) string {
	parts := append([]string{openID, sourceType}, sourceIDs...)
	slices.Sort(parts)
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(strings.Join(parts, "&")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Approve lets a person approve several to-dos of an app at once: the OA asks the app's passUrl, and what the app names as
// done is done.
func (s *Yunzhijia) Approve(person, appID string, sourceIDs []string) ([]string, error) {
	app, ok := s.app(appID)
	if !ok {
		return nil, fmt.Errorf("there is no app %q", appID)
	}
	passURL := ""
	for _, id := range sourceIDs {
		item, ok := s.box.Get(itemKey(appID, id), person)
		if !ok || item.State != inbox.Open {
			return nil, fmt.Errorf("%s has no open to-do %q", person, id)
		}
		passURL, _ = item.Fields["passUrl"].(string)
	}
	if passURL == "" {
		return nil, fmt.Errorf("these to-dos have no passUrl")
	}
	done, err := s.callback(passURL, map[string]any{
		"param": map[string]any{"eid": s.eid, "sourceType": appID, "openId": person, "sourceIds": sourceIDs},
		"sign":  passSign(app.SignKey, person, appID, sourceIDs),
	})
	for _, id := range done {
		if slices.Contains(sourceIDs, id) {
			s.box.Change("passUrl", itemKey(appID, id), person, func(c *inbox.Content) { c.State = inbox.Done })
		}
	}
	return done, err
}

func (s *Yunzhijia) callback(passURL string, body any) ([]string, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.complete(passURL), bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("passUrl: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Data struct {
			SuccessIDs []string `json:"successIds"`
		} `json:"data"`
		Error     string `json:"error"`
		ErrorCode int    `json:"errorCode"`
		Success   bool   `json:"success"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxCallback)).Decode(&out); err != nil {
		return nil, fmt.Errorf("passUrl: the answer is not JSON: %w", err)
	}
	if !out.Success || out.ErrorCode != 0 {
		return nil, fmt.Errorf("passUrl: errorCode %d %s", out.ErrorCode, out.Error)
	}
	return out.Data.SuccessIDs, nil
}
