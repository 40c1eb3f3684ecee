package bundle

import (
	"strconv"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// PublicAddress is where an OA that its vendor runs answers (vendor facts 4–8); empty for one that stands at the customer's.
func PublicAddress(t v1alpha1.OAType) string {
	switch t {
	case v1alpha1.TypeYunzhijia:
		return "https://www.yunzhijia.com"
	case v1alpha1.TypeWeLink:
		return "https://open.welink.huaweicloud.com/api"
	case v1alpha1.TypeWeCom:
		return "https://qyapi.weixin.qq.com"
	case v1alpha1.TypeDingTalk:
		return "https://oapi.dingtalk.com"
	case v1alpha1.TypeFeishu:
		return "https://open.feishu.cn"
	}
	return ""
}

// CredentialKeys are the keys that the credentials Secret of a connector must have, none when no account is needed, and those
// of the account that is to follow.
func CredentialKeys(spec *v1alpha1.OAConnectorSpec) (required, optional []string) {
	var oa OA
	compileVendor(&oa, *spec)
	return rotated(oa.AccountKeys(spec.Type)...)
}

// AccountKeys are the keys of the account that calls to the OA show, none when it needs no account.
func (o *OA) AccountKeys(t v1alpha1.OAType) []string {
	switch t {
	case v1alpha1.TypeWeaver:
		return nil
	case v1alpha1.TypeYunzhijia, v1alpha1.TypeWeLink, v1alpha1.TypeWeCom, v1alpha1.TypeDingTalk, v1alpha1.TypeFeishu:
		return []string{v1alpha1.KeyAppSecret}
	case v1alpha1.TypeLandray:
		if o.Landray == nil || o.Landray.Authentication == string(v1alpha1.LandrayNone) {
			return nil
		}
	case v1alpha1.TypeGeneric:
		switch own := o.Generic; {
		case own == nil || own.Authentication == string(v1alpha1.GenericNone):
			return nil
		case own.Authentication == string(v1alpha1.GenericStatic):
			return []string{v1alpha1.KeyToken}
		}
	}
	return []string{v1alpha1.KeyUsername, v1alpha1.KeyPassword}
}

func landrayAuthentication(spec *v1alpha1.OAConnectorSpec) v1alpha1.LandrayAuthentication {
	byProtocol := v1alpha1.LandrayBasic
	if spec.Protocol == v1alpha1.ProtocolWebservice {
		byProtocol = v1alpha1.LandraySOAPHeader
	}
	return or(spec.Landray.Authentication, byProtocol)
}

// Pulled reports whether the OA asks for open to-dos.
func Pulled(spec *v1alpha1.OAConnectorSpec) bool {
	return spec.Type == v1alpha1.TypeSeeyon && or(spec.Seeyon.Mode, v1alpha1.SeeyonPush) != v1alpha1.SeeyonPush
}

// PendingsPath is where Seeyon asks, on the dispatcher's public port and on the host of the links.
func PendingsPath(spec *v1alpha1.OAConnectorSpec) string {
	return or(spec.Seeyon.Pull.Path, PathPendings)
}

// compileVendor adds what only one vendor needs.
func compileVendor(oa *OA, spec v1alpha1.OAConnectorSpec) {
	switch spec.Type {
	case v1alpha1.TypeSeeyon:
		oa.Seeyon = &Seeyon{
			RegisterCode:     spec.Seeyon.RegisterCode,
			Version:          string(or(spec.Seeyon.Version, DefaultSeeyonVersion)),
			TokenPlacement:   string(or(spec.Seeyon.TokenPlacement, DefaultTokenPlacement)),
			TokenIdleTimeout: durationOr(spec.Seeyon.TokenIdleTimeout.Duration, DefaultTokenIdleTimeout),
		}
		if Pulled(&spec) {
			oa.Seeyon.PullOnly = spec.Seeyon.Mode == v1alpha1.SeeyonPull
			oa.Seeyon.Pull = &Pull{
				Accounts: string(or(spec.Seeyon.Pull.Accounts, v1alpha1.SeeyonAccountsOA)), AllowedCIDRs: spec.Seeyon.Pull.AllowedCIDRs,
				Style: string(spec.Seeyon.Pull.Style), Path: PendingsPath(&spec),
			}
		}
	case v1alpha1.TypeLandray:
		oa.Landray = &Landray{
			Authentication: string(landrayAuthentication(&spec)),
			PasswordFormat: string(or(spec.Landray.PasswordFormat, v1alpha1.LandrayPlain)),
		}
	case v1alpha1.TypeYunzhijia:
		oa.Yunzhijia = &Yunzhijia{AppID: spec.Yunzhijia.AppID}
	case v1alpha1.TypeWeLink:
		oa.WeLink = &WeLink{ClientID: spec.WeLink.ClientID}
	case v1alpha1.TypeWeCom:
		oa.WeCom = &WeCom{CorpID: spec.WeCom.CorpID, AgentID: spec.WeCom.AgentID}
	case v1alpha1.TypeDingTalk:
		oa.DingTalk = &DingTalk{AppKey: spec.DingTalk.AppKey, AgentID: spec.DingTalk.AgentID, APIURL: or(spec.DingTalk.APIURL, DefaultDingTalkAPI)}
	case v1alpha1.TypeFeishu:
		oa.Feishu = &Feishu{AppID: spec.Feishu.AppID}
	case v1alpha1.TypeGeneric:
		oa.Generic = compileGeneric(spec.Generic)
	}
}

func compileGeneric(g v1alpha1.GenericSpec) *Generic {
	a := g.Authentication
	out := &Generic{Authentication: string(a.Type), Name: a.Name, ProbePath: or(g.ProbePath, DefaultProbePath)}
	switch a.Type {
	case v1alpha1.GenericStatic, v1alpha1.GenericToken, v1alpha1.GenericClientCredentials:
		out.Placement = string(or(a.Placement, v1alpha1.PlacementBearer))
	}
	if r := a.TokenRequest; r.Path != "" {
		out.TokenRequest = &TokenRequest{
			Path: r.Path, UsernameField: or(r.UsernameField, DefaultUsernameField), PasswordField: or(r.PasswordField, DefaultPasswordField),
			TokenName: or(r.TokenName, DefaultTokenName), LifeName: or(r.LifeName, DefaultLifeName), Life: durationOr(r.Life.Duration, DefaultTokenLife),
		}
	}
	return out
}

// ConnectorValues are the connector's own values for templates, by their names without the prefix "connector.".
func ConnectorValues(spec v1alpha1.OAConnectorSpec) map[string]string {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	appName := spec.Landray.AppName
	if spec.Type == v1alpha1.TypeWeLink {
		appName = or(spec.WeLink.AppName, DefaultWeLinkAppName)
	}
	return map[string]string{
		scenario.ConnectorEnterpriseID: spec.EnterpriseID,
		scenario.ConnectorDataCenterID: spec.DataCenterID,
		scenario.ConnectorSSOURL:       linkURL(spec.SSO),

		scenario.ConnectorRegisterCode: spec.Seeyon.RegisterCode,
		scenario.ConnectorSysCode:      spec.Weaver.SysCode,
		scenario.ConnectorAppName:      appName,
		scenario.ConnectorAppID:        or(spec.Yunzhijia.AppID, spec.Feishu.AppID),
		scenario.ConnectorClientID:     spec.WeLink.ClientID,
		scenario.ConnectorCorpID:       spec.WeCom.CorpID,
		scenario.ConnectorAppKey:       spec.DingTalk.AppKey,
		scenario.ConnectorAgentID:      or(number(spec.WeCom.AgentID), number(spec.DingTalk.AgentID)),
		scenario.ConnectorApprovalCode: spec.Feishu.ApprovalCode,
	}
}
