package weaver

import (
	"fmt"
	"slices"

	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// Settings switches between behaviours that differ from site to site, or that no public source settles.
type Settings struct {
	// TodoCentre is the switch of the unified to-do centre itself; off, every call fails with dataType IsUse (WV-BLOG).
	TodoCentre bool `json:"todoCentre"`
	// NewWorkflows creates a flow type that is not known yet; off, it is an error of dataType WfType (WV-BLOG). Workflows
	// lists the known ones.
	NewWorkflows bool     `json:"newWorkflows"`
	Workflows    []string `json:"workflows,omitempty"`
	// Account says which account receiver and userid are: "loginid" or "workcode" (from memory).
	Account string `json:"account"`
	// RequireLinks refuses an item without pcurl. By default it is a success, and nobody can open the item.
	RequireLinks bool `json:"requireLinks"`
	// StaleFails answers an older receivets with a failure instead of ignoring it with a success (derived).
	StaleFails bool `json:"staleFails"`
	// UnknownDeleteFails answers the deletion of an unknown item with a failure (derived).
	UnknownDeleteFails bool `json:"unknownDeleteFails"`
	// LenientJSON accepts single quotes, as the product's parser does (WV-SOAP).
	LenientJSON bool `json:"lenientJSON"`
	// SOAPForm is how the JSON travels inside the out element: "escaped" (WV-SOAP), "cdata" or "plain".
	SOAPForm soap.Form `json:"soapForm"`
	// SOAPPrefix of the answer's namespace; callers were seen to look for ns1 (WV-SOAP).
	SOAPPrefix string `json:"soapPrefix"`
	// GBK answers SOAP calls in GBK.
	GBK bool `json:"gbk"`
	// Provider is how the OAuth2 and CAS provider behaves.
	Provider idp.Settings `json:"provider"`
}

// DefaultSettings is a site as the vendor's pages describe it.
func DefaultSettings() Settings {
	return Settings{
		TodoCentre: true, NewWorkflows: true, Account: "loginid", LenientJSON: true, SOAPForm: soap.Escaped, SOAPPrefix: "ns1",
		Provider: idp.DefaultSettings(),
	}
}

func (s Settings) check() error {
	if !slices.Contains([]string{"loginid", "workcode"}, s.Account) {
		return fmt.Errorf("settings.account: %q is neither loginid nor workcode", s.Account)
	}
	if !slices.Contains(soap.Forms, string(s.SOAPForm)) {
		return fmt.Errorf("settings.soapForm: %q is not one of %v", s.SOAPForm, soap.Forms)
	}
	if s.SOAPPrefix == "" {
		return fmt.Errorf("settings.soapPrefix must not be empty")
	}
	if err := s.Provider.Check(); err != nil {
		return fmt.Errorf("settings.provider: %w", err)
	}
	return nil
}
