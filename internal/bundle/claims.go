package bundle

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Claim is something that only one connector of a namespace can have: see docs/decisions/0011.
type Claim struct {
	// Key is equal for connectors that claim the same.
	Key string
	// Reason is a condition reason of api/v1alpha1, for the connector that comes second.
	Reason string
	// Field of the connector.
	Field string
	// words say what is claimed, next what a person can do.
	words, next string
}

// Claims of a connector: the account set that it serves in its OA (F58), and the registration under which Seeyon asks it
// (F102). A connector without spec.dataCenterID claims no account set: it takes what is sent to it.
func Claims(c *v1alpha1.OAConnector) []Claim {
	spec := &c.Spec
	oa := address(EndpointURL(spec))
	var claims []Claim
	if spec.DataCenterID != "" {
		claims = append(claims, Claim{
			Key:    key(v1alpha1.ReasonDataCenterTaken, spec.EnterpriseID, spec.DataCenterID, string(spec.Type), oa.whole, application(spec)),
			Reason: v1alpha1.ReasonDataCenterTaken,
			Field:  "spec.dataCenterID",
			words:  fmt.Sprintf("serves the data center %s of the enterprise %s in this OA", spec.DataCenterID, spec.EnterpriseID),
			next:   "give this one another dataCenterID or another OA, or delete one of the two",
		})
	}
	if Pulled(spec) {
		claims = append(claims, Claim{
			Key:    key(v1alpha1.ReasonRegisterCodeTaken, oa.host, spec.Seeyon.RegisterCode),
			Reason: v1alpha1.ReasonRegisterCodeTaken,
			Field:  "spec.seeyon.registerCode",
			words:  fmt.Sprintf("is asked by Seeyon at %s under the code %s, and Seeyon asks one address for each code", oa.host, spec.Seeyon.RegisterCode),
			next:   "register the CRM under another code in Seeyon and set it here, set seeyon.mode to Push, or delete one of the two",
		})
	}
	return claims
}

// Same reports whether two claims exclude each other.
func (c Claim) Same(other Claim) bool { return c.Key == other.Key }

// Refusal says that another connector of the namespace came first. It is fatal.
func (c Claim) Refusal(first *v1alpha1.OAConnector) Problem {
	return Problem{Reason: c.Reason, Field: c.Field, Fatal: true, Message: fmt.Sprintf(
		"the connector %q, which came first, %s: %s; this one is taken up as soon as the other does not claim it any more", first.Name, c.words, c.next)}
}

// Precedes says whether a has what both claim: the one that was created first, then by name. One that is being deleted has
// nothing any more, so that a successor can be applied beside it.
func Precedes(a, b *v1alpha1.OAConnector) bool {
	if !a.DeletionTimestamp.IsZero() {
		return false
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name)) < 0
}

func key(parts ...string) string { return strings.Join(parts, "\x00") }

// oaAddress is where an OA is, in one spelling.
type oaAddress struct{ host, whole string }

// address leaves out what spells the same OA in two ways: case, the port of the scheme, a slash at the end.
func address(text string) oaAddress {
	u, err := url.Parse(text)
	if err != nil { // the schema takes no such URL
		return oaAddress{text, text}
	}
	port := or(u.Port(), map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)])
	host := strings.ToLower(u.Hostname()) + ":" + port
	return oaAddress{host, host + strings.TrimRight(u.EscapedPath(), "/")}
}

// application is the registration of the CRM in an OA: two applications of one OA are two connectors.
func application(spec *v1alpha1.OAConnectorSpec) string {
	switch spec.Type {
	case v1alpha1.TypeSeeyon:
		return spec.Seeyon.RegisterCode
	case v1alpha1.TypeWeaver:
		return spec.Weaver.SysCode
	case v1alpha1.TypeLandray:
		return spec.Landray.AppName
	case v1alpha1.TypeYunzhijia:
		return spec.Yunzhijia.AppID
	case v1alpha1.TypeWeLink:
		return spec.WeLink.ClientID
	case v1alpha1.TypeWeCom:
		return fmt.Sprint(spec.WeCom.CorpID, "/", spec.WeCom.AgentID)
	case v1alpha1.TypeDingTalk:
		return fmt.Sprint(spec.DingTalk.AppKey, "/", spec.DingTalk.AgentID)
	case v1alpha1.TypeFeishu:
		return spec.Feishu.AppID
	}
	return ""
}
