package wecom

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	// maxOwnership bounds the body of an ownership file, in bytes.
	maxOwnership = 4 << 10
	// domainTimeout bounds the check of a domain.
	domainTimeout = 15 * time.Second
)

// ownershipFile is how the console names the file (SEED4: a generated txt file; the form of its name is from memory).
var ownershipFile = regexp.MustCompile(`^WW_verify_[A-Za-z0-9]{1,64}\.txt$`)

// VerifyDomain is the console's check that the trusted domain of an app belongs to the company: the file that the console
// generated must be served at the root of the domain (SEED4, F182).
func (s *WeCom) VerifyDomain(ctx context.Context, corpID string, agentID int, file, content string) error {
	a, ok := s.account(corpID, func(a App) bool { return a.AgentID == agentID })
	switch {
	case !ok:
		return fmt.Errorf("corp %q has no app %d", corpID, agentID)
	case a.app.TrustedDomain == "":
		return fmt.Errorf("the app has no trustedDomain")
	case !ownershipFile.MatchString(file):
		return fmt.Errorf("file: %q is not a name like WW_verify_abc.txt", file)
	}
	address := s.Settings().DomainScheme + "://" + a.app.TrustedDomain + "/" + file
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("域名主体校验未通过: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOwnership))
	if err != nil {
		return fmt.Errorf("域名主体校验未通过: %w", err)
	}
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != content || content == "" {
		return fmt.Errorf("域名主体校验未通过: %s answered %d, without the content that was generated", address, resp.StatusCode)
	}
	return nil
}
