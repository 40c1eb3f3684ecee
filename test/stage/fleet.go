package stage

import (
	"context"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
)

// Fleet is the namespace of the connectors of every type.
const Fleet = "oas"

// Told is the member whose failures are told to people of the CRM.
const Told = "generic"

// Member is one connector of the fleet: one type of OA over one protocol, and the way in which its people sign in.
type Member struct {
	// Name of the connector. Its gateway is NAME-sso.oabridge.test.
	Name string
	// OA is the name of the simulator.
	OA string
	// Todo is the preset.
	Todo string
	// Retitles is false when the OA knows no way to change the title of an item.
	Retitles bool
	// Account is the OA account of a person, where that is not the login name.
	Account func(login string) string

	spec func(*v1alpha1.OAConnectorSpec)
	// secrets by name, without the connector's; credentials is the OA account, sso what the sign-in shares.
	secrets map[string]map[string]string
}

// HostOf the member's gateway.
func (m Member) HostOf() string { return m.Name + "-" + HostSSO }

// AccountOf is the OA account of a person.
func (m Member) AccountOf(login string) string {
	if m.Account == nil {
		return login
	}
	return m.Account(login)
}

// SharedSecret is what the OA and the gateway of the member share under a key.
func (m Member) SharedSecret(key string) string { return m.secrets["sso"][key] }

// inside is the address of a simulator as pods reach it, and as a browser does.
func inside(oa string) string { return "http://" + oa + "." + SimulatorNamespace + ".svc:8080" }

// At is an address of a simulator for people and tests.
func At(oa, path string) string {
	if oa == "seeyon" {
		return OA(path)
	}
	return "https://" + oa + "." + Domain + path
}

// Members are all types of OA and both protocols, each with a sign-in of its own.
func Members() []Member {
	app := func(m Member, secret string, spec func(*v1alpha1.OAConnectorSpec)) Member {
		m.secrets = map[string]map[string]string{"credentials": {v1alpha1.KeyAppSecret: secret}}
		m.spec = func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.Mode = v1alpha1.SSOApp
			spec(s)
		}
		return m
	}
	user := func(password string) map[string]string {
		return map[string]string{v1alpha1.KeyUsername: "fxiaoke", v1alpha1.KeyPassword: password}
	}
	genericToken := v1alpha1.GenericAuthentication{Type: v1alpha1.GenericToken, TokenRequest: v1alpha1.TokenRequest{Path: "/token"}}
	const landrayPassword, genericPassword = "Landray/2026 ?trial#", "Generic/2026 ?trial#"
	return []Member{
		{
			Name: "seeyon", OA: "seeyon", Todo: "seeyon-todo", Retitles: true,
			secrets: map[string]map[string]string{"credentials": user("Fx/2026 ?trial#")},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Seeyon.RegisterCode, s.SSO.Mode = v1alpha1.TypeSeeyon, "3005", v1alpha1.SSOPortalTicket
			},
		},
		{
			Name: "weaver", OA: "weaver", Todo: "weaver-todo", Retitles: true,
			secrets: map[string]map[string]string{"sso": {v1alpha1.KeyLink: "weaver-link-2026-trial"}},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Weaver.SysCode, s.SSO.Mode = v1alpha1.TypeWeaver, "fxiaoke", v1alpha1.SSOSignedLink
			},
		},
		{
			Name: "weaver-soap", OA: "weaver", Todo: "weaver-todo-soap", Retitles: true,
			secrets: map[string]map[string]string{"sso": {v1alpha1.KeyClientSecret: "weaver-client-2026-trial"}},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Weaver.SysCode, s.Protocol = v1alpha1.TypeWeaver, "fxiaoke-soap", v1alpha1.ProtocolWebservice
				s.SSO.Mode = v1alpha1.SSOOAuth2
				s.SSO.OAuth2 = v1alpha1.OAuth2SSO{
					AuthorizeURL: At("weaver", "/sso/oauth2.0/authorize"), TokenURL: inside("weaver") + "/sso/oauth2.0/accessToken",
					UserInfoURL: inside("weaver") + "/sso/oauth2.0/profile", ClientID: "gateway",
					ClientSecretPlacement: v1alpha1.SecretForm, TokenPlacement: v1alpha1.TokenInQuery, PKCE: v1alpha1.Disabled,
				}
			},
		},
		{
			Name: "landray", OA: "landray", Todo: "landray-todo", Retitles: true,
			secrets: map[string]map[string]string{"credentials": user(landrayPassword), "sso": {v1alpha1.KeyClientSecret: "landray-client-2026-trial"}},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Landray.AppName, s.SSO.Mode = v1alpha1.TypeLandray, "CRM", v1alpha1.SSOOIDC
				s.SSO.OIDC.IssuerURL, s.SSO.OIDC.ClientID = inside("landray"), "gateway"
			},
		},
		{
			Name: "landray-soap", OA: "landray", Todo: "landray-todo-soap", Retitles: true,
			secrets: map[string]map[string]string{"credentials": user(landrayPassword)},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Landray.AppName, s.Protocol = v1alpha1.TypeLandray, "CRM", v1alpha1.ProtocolWebservice
				// CAS has one address for the browser and the gateway, so the gateway takes the one over TLS.
				s.SSO.Mode, s.SSO.CAS.URL, s.Endpoint.CASecretRef.Name = v1alpha1.SSOCAS, At("landray", "/cas"), caSecret
			},
		},
		app(Member{Name: "yunzhijia", OA: "yunzhijia", Todo: "yunzhijia-todo"}, "yunzhijia-app-2026-trial", func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.Yunzhijia.AppID = v1alpha1.TypeYunzhijia, "500723908"
		}),
		app(Member{Name: "welink", OA: "welink", Todo: "welink-todo"}, "welink-app-2026-trial", func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.WeLink.ClientID, s.Endpoint.URL = v1alpha1.TypeWeLink, "fxiaoke", inside("welink")+"/api"
			s.SSO.App = v1alpha1.AppSSO{WebAuthorizeURL: At("welink", "/sso/oauth2/authorize"), ScriptURL: At("welink", "/hwh5.js")}
		}),
		wecom(app),
		app(Member{
			Name: "dingtalk", OA: "dingtalk", Todo: "dingtalk-todo", Retitles: true, Account: func(login string) string { return "union-" + login },
		}, "dingtalk-app-2026-trial", func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.DingTalk = v1alpha1.TypeDingTalk, v1alpha1.DingTalkSpec{AppKey: "fxiaoke", AgentID: 1000001, APIURL: inside("dingtalk")}
			s.SSO.App.WebAuthorizeURL, s.SSO.QR = At("dingtalk", "/oauth2/auth"), v1alpha1.Enabled
		}),
		app(Member{
			Name: "feishu", OA: "feishu", Todo: "feishu-todo", Retitles: true, Account: func(login string) string { return "ou_" + login },
		}, "feishu-app-2026-trial", func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.Feishu = v1alpha1.TypeFeishu, v1alpha1.FeishuSpec{AppID: "cli_fxiaoke", ApprovalCode: "CRM"}
			s.SSO.App.WebAuthorizeURL = At("feishu", "/open-apis/authen/v1/index")
		}),
		{
			Name: Told, OA: "generic", Todo: "generic-todo", Retitles: true,
			secrets: map[string]map[string]string{
				"credentials": user(genericPassword), "sso": {v1alpha1.KeyShared: "generic-link-secret-of-the-trial-2026"}, "crm": crmKeys(),
			},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				tellTheCRM(s)
				s.Type, s.Generic.Authentication, s.SSO.Mode = v1alpha1.TypeGeneric, genericToken, v1alpha1.SSOJWT
				s.SSO.JWT = v1alpha1.JWTSSO{Parameter: "ticket", Issuer: At("generic", ""), Algorithm: v1alpha1.AlgorithmHS256}
			},
		},
		{
			Name: "generic-link", OA: "generic", Todo: "generic-todo", Retitles: true,
			secrets: map[string]map[string]string{"credentials": user(genericPassword), "sso": {v1alpha1.KeyLink: "generic-link-secret-of-the-trial-2026"}},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Generic.Authentication, s.SSO.Mode = v1alpha1.TypeGeneric, genericToken, v1alpha1.SSOSignedLink
				s.SSO.SignedLink.Algorithm = v1alpha1.LinkHMACSHA256
			},
		},
		{
			Name: "generic-soap", OA: "generic", Todo: "generic-todo-soap", Retitles: true,
			secrets: map[string]map[string]string{"credentials": user(genericPassword), "sso": {v1alpha1.KeyToken: "generic-ticket-2026-trial"}},
			spec: func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Generic.Authentication, s.Protocol = v1alpha1.TypeGeneric, genericToken, v1alpha1.ProtocolWebservice
				s.SSO.Mode = v1alpha1.SSOCallback
				s.SSO.Callback = v1alpha1.CallbackSSO{Parameter: "ticket", URL: inside("generic") + "/sso/verify", AccountPath: "data.account"}
			},
		},
	}
}

// tellTheCRM has a message sent to the CRM's administrator, every minute in which something was given up.
func tellTheCRM(s *v1alpha1.OAConnectorSpec) {
	admin := crm.OpenUserID("1000")
	s.Source.CRM = v1alpha1.CRMInterface{
		Type: v1alpha1.CRMFxiaoke, URL: inside("crm"), CorpID: crm.DefaultApp().CorpID, OpenUserID: admin,
		CredentialsSecretRef: v1alpha1.SecretReference{Name: Told + "-crm"},
		Roles:                []v1alpha1.CRMRole{{Name: v1alpha1.RoleCRMAdmins, OpenUserIDs: []string{admin}}},
	}
	s.Notifications = v1alpha1.Notifications{
		Window:   metav1.Duration{Duration: time.Minute},
		Channels: []v1alpha1.Channel{{Name: "crm", Type: v1alpha1.ChannelCRM, Recipients: []string{v1alpha1.RoleCRMAdmins}}},
	}
}

func crmKeys() map[string]string {
	app := crm.DefaultApp()
	return map[string]string{
		v1alpha1.KeyAppID: app.AppID, v1alpha1.KeyAppSecret: app.AppSecret, v1alpha1.KeyPermanentCode: app.PermanentCode,
	}
}

// wecom has two companies to choose from (F189).
func wecom(app func(Member, string, func(*v1alpha1.OAConnectorSpec)) Member) Member {
	m := app(Member{Name: "wecom", OA: "wecom", Todo: "wecom-todo"}, "wecom-app-2026-trial", func(s *v1alpha1.OAConnectorSpec) {
		s.Type, s.WeCom = v1alpha1.TypeWeCom, v1alpha1.WeComSpec{CorpID: "ww0000000000000001", AgentID: 1000002}
		s.SSO.App = v1alpha1.AppSSO{
			Title: "示例企业", AuthorizeURL: At("wecom", "/connect/oauth2/authorize"), WebAuthorizeURL: At("wecom", "/wwlogin/sso/login"),
		}
		group := v1alpha1.CompanySSO{Name: "group", Title: "示例集团", CorpID: "ww0000000000000002", AgentID: 1000003}
		group.SecretRef.Name = "wecom-group"
		s.SSO.Companies = []v1alpha1.CompanySSO{group}
	})
	m.secrets["group"] = map[string]string{v1alpha1.KeyAppSecret: "wecom-group-2026-trial"}
	return m
}

// caSecret names the Secret of the fleet with the demo's certificate authority.
const caSecret = "demo-ca"

// objects of a member, as a person would write them.
func (m Member) objects(people []crm.Person) []client.Object {
	labels := map[string]string{"oa": m.Name}
	oac := &v1alpha1.OAConnector{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "OAConnector"},
		ObjectMeta: metav1.ObjectMeta{Namespace: Fleet, Name: m.Name},
	}
	s := &oac.Spec
	s.EnterpriseID, s.Endpoint.URL = "714439", inside(m.OA)
	s.Scenarios = []v1alpha1.ScenarioReference{{TemplateRef: v1alpha1.TemplateReference{Name: m.Todo}}}
	s.Accounts.Selector = metav1.LabelSelector{MatchLabels: labels}
	second := metav1.Duration{Duration: time.Second}
	s.Delivery = v1alpha1.Delivery{BackoffDelay: second, BackoffMax: metav1.Duration{Duration: 3 * time.Second}}
	s.Source.SigningSecretRef.Name = "events"
	s.OnDelete.Policy = v1alpha1.DeleteAbandon
	s.Dispatcher.Resources = v1alpha1.Resources{CPURequest: "10m", MemoryRequest: "64Mi"}
	s.SSO.Host, s.SSO.Replicas = m.HostOf(), 1
	s.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, TLS: v1alpha1.IngressTLS{SecretName: "tls"}}
	s.SSO.CRMLogin = v1alpha1.CRMLogin{Type: v1alpha1.LoginSignedJWT, URL: CRM("/login"), KeySecretRef: v1alpha1.SecretReference{Name: "login"}}
	if m.secrets["credentials"] != nil {
		s.CredentialsSecretRef.Name = m.Name + "-credentials"
	}
	if m.secrets["sso"] != nil {
		s.SSO.SecretRef.Name = m.Name + "-sso"
	}
	m.spec(s)

	binding := &v1alpha1.AccountBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AccountBinding"},
		ObjectMeta: metav1.ObjectMeta{Namespace: Fleet, Name: m.Name, Labels: labels},
	}
	for _, p := range people {
		if !p.Unbound {
			binding.Spec.Accounts = append(binding.Spec.Accounts, v1alpha1.AccountPair{CRM: p.Account, OA: m.AccountOf(p.OALogin)})
		}
	}
	out := []client.Object{oac, binding}
	for _, slot := range slices.Sorted(maps.Keys(m.secrets)) {
		out = append(out, credentials(Fleet, m.Name+"-"+slot, m.secrets[slot]))
	}
	return out
}

// ApplyFleet puts the whole fleet on the cluster with one server-side apply.
func (s *Stage) ApplyFleet(ctx context.Context) error {
	people := append([]crm.Person{crm.Sender()}, crm.People(20)...)
	list := []client.Object{
		restricted(Fleet),
		credentials(Fleet, "events", map[string]string{v1alpha1.KeySigning: SigningKey}),
		credentials(Fleet, "login", map[string]string{v1alpha1.KeyPrivate: string(s.keys.Login)}),
		credentials(Fleet, caSecret, map[string]string{v1alpha1.KeyCA: string(s.keys.CA)}),
	}
	list = append(list, typed(tlsSecret(Fleet, "tls", s.keys)))
	for _, m := range Members() {
		list = append(list, m.objects(people)...)
	}
	return s.applyAll(ctx, list)
}

// FleetReady is nil when every member is ready for its present generation; else it says which are not, and why.
func (s *Stage) FleetReady(ctx context.Context) error { return s.allReady(ctx, Fleet, len(Members())) }
