package conformance

import (
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/feishu"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/wecom"
	"github.com/oabridge/oabridge/internal/oasim/welink"
)

// cloud is what the OAs that their vendors run have in common: an application with a secret, one to-do for each receiver,
// and messages without an id of the CRM.
func cloud(o target) target {
	o.account = map[string]string{v1alpha1.KeyAppSecret: secret}
	o.wrong = map[string]string{v1alpha1.KeyAppSecret: wrongSecret}
	o.scope = v1alpha1.ClassReceiverUnknown
	o.matter = func(task string) string {
		if o.binding == nil {
			return task + "@" + receiver
		}
		return task + "@" + o.binding(receiver)
	}
	return o
}

// reminderTask is the item of the case reminder, the only one that sends a message.
const reminderTask = "T-reminder"

// shared is a simulator whose people have one item each of a to-do.
func shared(sim interface {
	simulator
	Inbox() *inbox.Box
}, err error) (*system, error) {
	if err != nil {
		return nil, err
	}
	return &system{sim, func(task string) []inbox.Item {
		return sim.Inbox().Where(func(i *inbox.Item) bool {
			return strings.HasPrefix(i.TaskID, task+"@") || task == reminderTask && i.Kind == inbox.Notice
		})
	}}, nil
}

func welinkREST() target {
	return cloud(target{
		name: "WeLink REST", todo: "welink-todo", reminder: "welink-reminder", push: "/api/todo/",
		connector: func(spec *v1alpha1.OAConnectorSpec, url string) {
			spec.Type, spec.WeLink.ClientID = v1alpha1.TypeWeLink, "crm"
			spec.Endpoint.URL = url + "/api"
			spec.CredentialsSecretRef.Name = "hq-welink"
		},
		open: func() (*system, error) {
			return shared(welink.New(welink.Options{
				Tenants: []welink.Tenant{{ID: "T", Name: "团队"}}, People: everybody(),
				Apps: []welink.App{{ClientID: "crm", ClientSecret: secret, Name: "CRM"}},
			}))
		},
		lies: []lie{
			{"code 0 and data false", `{"code":"0","message":"ok","data":false}`, v1alpha1.ClassBusinessCode},
			{"no code", `{"message":"ok"}`, v1alpha1.ClassBusinessCode},
			{"a list of failures", `{"code":"0","message":"ok","data":{"failedUserId":["lisi"]}}`, v1alpha1.ClassReceiverUnknown},
		},
		without: map[string]string{"update": "updatetask moves a to-do to another person; no call changes its text"},
	})
}

func wecomREST() target {
	return cloud(target{
		name: "WeCom REST", todo: "wecom-todo", reminder: "wecom-reminder", push: "/cgi-bin/message/send", updates: false,
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type, spec.WeCom.CorpID, spec.WeCom.AgentID = v1alpha1.TypeWeCom, "wwAA", 1000002
			spec.CredentialsSecretRef.Name = "hq-wecom"
		},
		open: func() (*system, error) {
			settings := wecom.DefaultSettings()
			settings.MemberPerMinute = 0 // the suite sends more to one member than WeCom shows in a minute
			s, err := shared(wecom.New(wecom.Options{
				Corps: []wecom.Corp{{CorpID: "wwAA", Name: "AA", Apps: []wecom.App{{AgentID: 1000002, Secret: secret, Name: "CRM"}}}}, People: everybody(),
				Settings: &settings,
			}))
			if err != nil {
				return nil, err
			}
			cards := s.items
			s.items = func(task string) []inbox.Item { // a card is WeCom's to-do
				found := cards(task)
				for i := range found {
					if found[i].Kind == inbox.Card {
						found[i].Kind = inbox.ToDo
					}
				}
				return found
			}
			return s, nil
		},
		lies: []lie{
			{"errcode 0 and an invalid user", `{"errcode":0,"errmsg":"ok","invaliduser":"lisi"}`, v1alpha1.ClassReceiverUnknown},
			{"errcode 0 and no licence", `{"errcode":0,"errmsg":"ok","unlicenseduser":"lisi"}`, v1alpha1.ClassReceiverUnknown},
			{"no errcode", `{"errmsg":"ok"}`, v1alpha1.ClassBusinessCode},
		},
	})
}

func dingtalkREST() target {
	return cloud(target{
		name: "DingTalk REST", todo: "dingtalk-todo", reminder: "dingtalk-reminder", push: "/v1.0/todo/", updates: true,
		connector: func(spec *v1alpha1.OAConnectorSpec, url string) {
			spec.Type = v1alpha1.TypeDingTalk
			spec.DingTalk = v1alpha1.DingTalkSpec{AppKey: "ding1", AgentID: 7, APIURL: url}
			spec.CredentialsSecretRef.Name = "hq-dingtalk"
		},
		binding: func(person string) string { return "union-" + person },
		open: func() (*system, error) {
			return shared(dingtalk.New(dingtalk.Options{
				CorpID: "corp", People: everybody(), Apps: []dingtalk.App{{AppKey: "ding1", AppSecret: secret, AgentID: 7, Name: "CRM"}},
			}))
		},
		lies: []lie{
			{"no task id", `{}`, v1alpha1.ClassBusinessCode},
			{"result false", `{"result":false,"requestId":"r"}`, v1alpha1.ClassBusinessCode},
			{"an empty body", ``, v1alpha1.ClassBusinessCode},
		},
	})
}

func feishuREST() target {
	open := func(person string) string { return "ou_" + person }
	return cloud(target{
		name: "Feishu REST", todo: "feishu-todo", reminder: "feishu-reminder", push: "/open-apis/approval/", updates: true,
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type = v1alpha1.TypeFeishu
			spec.Feishu = v1alpha1.FeishuSpec{AppID: "cli_crm", ApprovalCode: "CRM"}
			spec.CredentialsSecretRef.Name = "hq-feishu"
		},
		binding: open,
		open: func() (*system, error) {
			o := feishu.Options{TenantKey: "tenant", Apps: []feishu.App{{AppID: "cli_crm", AppSecret: secret, Name: "CRM", Approvals: []string{"CRM"}}}}
			for _, p := range everybody() {
				p.IDs = map[string]string{"open_id": open(p.ID)}
				o.People = append(o.People, p)
			}
			return shared(feishu.New(o))
		},
		lies: []lie{
			{"no code", `{"msg":"success"}`, v1alpha1.ClassBusinessCode},
			{"code is null", `{"code":null,"msg":"success"}`, v1alpha1.ClassBusinessCode},
			{"an empty body", ``, v1alpha1.ClassServerError},
		},
	})
}
