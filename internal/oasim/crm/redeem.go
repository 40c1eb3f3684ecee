package crm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxRedeemed bounds what the issuer answers, in bytes.
const maxRedeemed = 64 << 10

// redeem asks the issuer, from server to server, whom a one-time code stands for. The issuer takes a code once.
func (c *CRM) redeem(ctx context.Context, login Login, code string) (Person, Destination, *refusal) {
	var nobody Person
	var nowhere Destination
	form := url.Values{"code": {code}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, login.RedeemURL, strings.NewReader(form))
	if err != nil {
		return nobody, nowhere, refuseKeys
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+login.SharedKey)
	resp, err := c.client.Do(req)
	if err != nil {
		return nobody, nowhere, refuseKeys
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest:
		return nobody, nowhere, refuseLoginCode
	default:
		return nobody, nowhere, refuseKeys
	}
	var got struct {
		Subject      string       `json:"sub"`
		EnterpriseID string       `json:"ei"`
		Target       *Destination `json:"target"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRedeemed)).Decode(&got); err != nil {
		return nobody, nowhere, refuseKeys
	}
	if login.EnterpriseID != "" && got.EnterpriseID != login.EnterpriseID {
		return nobody, nowhere, refuseAudience
	}
	return c.admit(got.Subject, got.Target)
}
