package drivers

import (
	"errors"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dingtalk"
	"github.com/oabridge/oabridge/internal/oa/feishu"
	"github.com/oabridge/oabridge/internal/oa/generic"
	"github.com/oabridge/oabridge/internal/oa/landray"
	"github.com/oabridge/oabridge/internal/oa/weaver"
	"github.com/oabridge/oabridge/internal/oa/wecom"
	"github.com/oabridge/oabridge/internal/oa/welink"
	"github.com/oabridge/oabridge/internal/oa/yunzhijia"
)

func weaverPusher(c config) (oa.Pusher, error) { return weaver.NewPusher(c.exchange()), nil }

func landrayPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.Landray
	if own == nil {
		return nil, missingBlock(landray.Name, "landray")
	}
	return landray.NewPusher(landray.Config{
		Config: c.exchange(), Credentials: c.secrets.person, Authentication: own.Authentication, MD5: own.PasswordFormat == "MD5",
	}), nil
}

func yunzhijiaPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.Yunzhijia
	if own == nil {
		return nil, missingBlock(yunzhijia.Name, "yunzhijia")
	}
	return yunzhijia.NewPusher(yunzhijia.Config{Config: c.exchange(), Credentials: c.secrets.app(own.AppID)}), nil
}

func welinkPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.WeLink
	if own == nil {
		return nil, missingBlock(welink.Name, "welink")
	}
	return welink.NewPusher(welink.Config{Config: c.exchange(), Credentials: c.secrets.app(own.ClientID)}), nil
}

func wecomPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.WeCom
	if own == nil {
		return nil, missingBlock(wecom.Name, "wecom")
	}
	return wecom.NewPusher(wecom.Config{Config: c.exchange(), Credentials: c.secrets.app(own.CorpID)}), nil
}

func dingtalkPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.DingTalk
	if own == nil {
		return nil, missingBlock(dingtalk.Name, "dingtalk")
	}
	api, err := endpoint(own.APIURL)
	if err != nil {
		return nil, errors.New("spec.dingtalk.apiURL: not an absolute http or https URL without user info, query and fragment: write it like https://api.dingtalk.com")
	}
	return dingtalk.NewPusher(dingtalk.Config{Config: c.exchange(), API: api, APITokens: c.tokens("v1"), Credentials: c.secrets.app(own.AppKey)}), nil
}

func feishuPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.Feishu
	if own == nil {
		return nil, missingBlock(feishu.Name, "feishu")
	}
	return feishu.NewPusher(feishu.Config{Config: c.exchange(), Credentials: c.secrets.app(own.AppID)}), nil
}

func genericPusher(c config) (oa.Pusher, error) {
	own := c.bundle.OA.Generic
	if own == nil {
		return nil, missingBlock(generic.Name, "generic")
	}
	g := generic.Config{
		Config: c.exchange(), Account: c.secrets.person, Token: c.secrets.token, Authentication: own.Authentication,
		Placement: own.Placement, Parameter: own.Name, ProbePath: own.ProbePath,
	}
	if r := own.TokenRequest; r != nil {
		g.Request = generic.TokenRequest{
			Path: r.Path, UsernameField: r.UsernameField, PasswordField: r.PasswordField, TokenName: r.TokenName, LifeName: r.LifeName, Life: r.Life.Std(),
		}
	}
	p, err := generic.NewPusher(g)
	if err != nil {
		return nil, err
	}
	return p, nil
}
