package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the seed's algorithm
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// mode is one sign-in mode, as the attacks see it.
type mode struct {
	name string
	spec func(*v1alpha1.OAConnector, *world)
	// link returns the link that the OA shows to a person, with a fresh proof whose time is off by some; nil when the proof is
	// not in the link.
	link func(w *world, person, path string, off time.Duration) string
	// timed modes write the time into the link.
	timed bool
	// signs names the parts of a link that are signed, so that changing them must be noticed.
	signs []string
	// announces: the OA's server announces the proof first.
	announces bool
	// agent of the browser: inside of the OA's app or not.
	agent string
	// prefix of accounts, when a company was chosen.
	company string
}

// The browsers.
const (
	desktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0"
	welink  = "Mozilla/5.0 (Linux; Android 14) Mobile HuaWei-AnyOffice/1.0 WeLink/7"
	wework  = "Mozilla/5.0 (iPhone) Mobile wxwork/4.1 MicroMessenger/7"
)

// ticket is a link with one proof that the OA knows.
func ticket(parameter string) func(*world, string, string, time.Duration) string {
	return func(w *world, person, path string, _ time.Duration) string {
		return path + "?" + parameter + "=" + w.provider.issue("", grant{person: person})
	}
}

var jwtKey = func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}()

func jwks(*world) string {
	data, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: jwtKey.Public(), KeyID: "oa", Algorithm: "ES256", Use: "sig"}}})
	must(err)
	return string(data)
}

func claimsOf(person string, off time.Duration) map[string]any {
	now := time.Now().Add(off)
	return map[string]any{
		"iss": "https://oa.example", "aud": "https://" + host, "sub": person, "ei": ei, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

func appMode(oaType v1alpha1.OAType, block func(*v1alpha1.OAConnectorSpec, string)) func(*v1alpha1.OAConnector, *world) {
	return func(c *v1alpha1.OAConnector, w *world) {
		c.Spec.Type, c.Spec.SSO.Mode = oaType, v1alpha1.SSOApp
		c.Spec.CredentialsSecretRef.Name = "hq-app"
		block(&c.Spec, w.provider.server.URL)
	}
}

func modes() []mode {
	wecom := func(s *v1alpha1.OAConnectorSpec, base string) {
		s.WeCom.CorpID, s.WeCom.AgentID = clientID, 1
		s.SSO.App.AuthorizeURL, s.SSO.App.WebAuthorizeURL = base+"/authorize", base+"/authorize"
	}
	seeyon := func(m v1alpha1.SSOMode) func(*v1alpha1.OAConnector, *world) {
		return func(c *v1alpha1.OAConnector, _ *world) {
			c.Spec.Type, c.Spec.SSO.Mode, c.Spec.Seeyon.RegisterCode = v1alpha1.TypeSeeyon, m, "3004"
			c.Spec.CredentialsSecretRef.Name = "hq-app"
		}
	}
	return []mode{
		{name: "Seeyon V5", spec: seeyon(v1alpha1.SSOV5Ticket), link: ticket("v5ticket"), agent: desktop},
		{name: "Seeyon portal", spec: seeyon(v1alpha1.SSOPortalTicket), link: ticket("ticket"), announces: true, agent: desktop},
		{name: "Signed link", agent: desktop, timed: true, signs: []string{"loginid", "stamp", "token"},
			spec: func(c *v1alpha1.OAConnector, _ *world) {
				c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOSignedLink, "hq-sso"
			},
			link: func(_ *world, person, path string, off time.Duration) string {
				return path + "?" + weaver(person, stamp(off))
			}},
		{name: "HMAC link", agent: desktop, timed: true, signs: []string{"loginid", "stamp", "token", "nonce", "path"},
			spec: func(c *v1alpha1.OAConnector, _ *world) {
				c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOSignedLink, "hq-sso"
				c.Spec.SSO.SignedLink.Algorithm = v1alpha1.LinkHMACSHA256
			},
			link: func(_ *world, person, path string, off time.Duration) string {
				return path + "?" + hmacLink(path, person, stamp(off))
			}},
		{name: "JWT link", agent: desktop, timed: true, signs: []string{"token"},
			spec: func(c *v1alpha1.OAConnector, _ *world) {
				c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOJWT, "hq-sso"
				c.Spec.SSO.JWT.Issuer, c.Spec.SSO.JWT.Algorithm = "https://oa.example", "ES256"
			},
			link: func(_ *world, person, path string, off time.Duration) string {
				return path + "?token=" + signed(jwtKey, map[jose.HeaderKey]any{"kid": "oa"}, jose.ES256, claimsOf(person, off))
			}},
		{name: "Callback", agent: desktop, link: ticket("pass"),
			spec: func(c *v1alpha1.OAConnector, w *world) {
				c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOCallback, "hq-sso"
				c.Spec.SSO.Callback.Parameter, c.Spec.SSO.Callback.URL = "pass", w.provider.server.URL+"/whoami"
				c.Spec.SSO.Callback.AccountPath = "user.login"
			}},
		{name: "Yunzhijia", agent: desktop, link: ticket("ticket"),
			spec: appMode(v1alpha1.TypeYunzhijia, func(s *v1alpha1.OAConnectorSpec, _ string) { s.Yunzhijia.AppID = clientID })},
		{name: "WeLink app", agent: welink, spec: appMode(v1alpha1.TypeWeLink, func(s *v1alpha1.OAConnectorSpec, _ string) { s.WeLink.ClientID = clientID })},
		{name: "WeLink web", agent: desktop, spec: appMode(v1alpha1.TypeWeLink, func(s *v1alpha1.OAConnectorSpec, base string) {
			s.WeLink.ClientID, s.SSO.App.WebAuthorizeURL = clientID, base+"/authorize"
		})},
		{name: "WeCom app", agent: wework, spec: appMode(v1alpha1.TypeWeCom, wecom)},
		{name: "WeCom web", agent: desktop, spec: appMode(v1alpha1.TypeWeCom, wecom)},
		{name: "WeCom companies", agent: desktop, company: "aa", spec: appMode(v1alpha1.TypeWeCom, func(s *v1alpha1.OAConnectorSpec, base string) {
			wecom(s, base)
			company := v1alpha1.CompanySSO{Name: "aa", Title: "甲公司", CorpID: "ww2", AgentID: 2}
			company.SecretRef.Name = "aa-app"
			s.SSO.Companies = []v1alpha1.CompanySSO{company}
		})},
		{name: "DingTalk", agent: desktop, spec: appMode(v1alpha1.TypeDingTalk, func(s *v1alpha1.OAConnectorSpec, base string) {
			s.DingTalk.AppKey, s.DingTalk.AgentID, s.DingTalk.APIURL = clientID, 1, base
			s.SSO.App.WebAuthorizeURL = base + "/authorize"
		})},
		{name: "Feishu", agent: desktop, spec: appMode(v1alpha1.TypeFeishu, func(s *v1alpha1.OAConnectorSpec, base string) {
			s.Feishu.AppID, s.SSO.App.WebAuthorizeURL = clientID, base+"/authorize"
		})},
		{name: "OIDC", agent: desktop, spec: func(c *v1alpha1.OAConnector, w *world) {
			c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOOIDC, "hq-sso"
			c.Spec.SSO.OIDC.IssuerURL, c.Spec.SSO.OIDC.ClientID = w.provider.server.URL, clientID
		}},
		{name: "OAuth2", agent: desktop, spec: func(c *v1alpha1.OAConnector, w *world) {
			c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOOAuth2, "hq-sso"
			base := w.provider.server.URL
			c.Spec.SSO.OAuth2 = v1alpha1.OAuth2SSO{
				AuthorizeURL: base + "/authorize", TokenURL: base + "/token", UserInfoURL: base + "/profile", ClientID: clientID,
			}
		}},
		{name: "CAS", agent: desktop, spec: func(c *v1alpha1.OAConnector, w *world) {
			c.Spec.SSO.Mode, c.Spec.SSO.CAS.URL = v1alpha1.SSOCAS, w.provider.server.URL+"/cas"
		}},
	}
}

// stamps makes each stamp a different one: two links of one person in one millisecond are the same link.
var stamps atomic.Int64

func stamp(off time.Duration) string {
	return strconv.FormatInt(time.Now().Add(off).UnixMilli()+stamps.Add(1)%1000, 10)
}

// weaver signs as the seed has it (F47).
func weaver(person, stamp string) string {
	sum := sha1.Sum([]byte(linkKey + person + stamp)) //nolint:gosec // see above
	return url.Values{"loginid": {person}, "stamp": {stamp}, "token": {hex.EncodeToString(sum[:])}}.Encode()
}

func hmacLink(path, person, stamp string) string {
	nonce := rand.Text()
	mac := hmac.New(sha256.New, []byte(linkKey))
	mac.Write([]byte(strings.Join([]string{"v1", host, path, person, stamp, nonce}, "\n")))
	return url.Values{"loginid": {person}, "stamp": {stamp}, "nonce": {nonce}, "token": {hex.EncodeToString(mac.Sum(nil))}}.Encode()
}
