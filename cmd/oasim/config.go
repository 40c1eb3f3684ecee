package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/feishu"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/landray"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/oasim/weaver"
	"github.com/oabridge/oabridge/internal/oasim/wecom"
	"github.com/oabridge/oabridge/internal/oasim/welink"
	"github.com/oabridge/oabridge/internal/oasim/yunzhijia"
)

// config is the file of --config. What it leaves out keeps its built-in value; a list or map that it gives takes the place
// of the built-in one as a whole.
type config struct {
	Seeyon    seeyon.Options    `json:"seeyon"`
	CRM       crm.Options       `json:"crm"`
	Weaver    weaver.Options    `json:"weaver"`
	Landray   landray.Options   `json:"landray"`
	Yunzhijia yunzhijia.Options `json:"yunzhijia"`
	WeLink    welink.Options    `json:"welink"`
	WeCom     wecom.Options     `json:"wecom"`
	DingTalk  dingtalk.Options  `json:"dingtalk"`
	Feishu    feishu.Options    `json:"feishu"`
	Generic   generic.Options   `json:"generic"`
	// URLs are where a browser finds the simulators, by name, for the index page. Default: the host of the index, at the
	// port of the simulator.
	URLs map[string]string `json:"urls,omitempty"`
}

const (
	appName = "纷享销客 CRM"
	company = "示例企业"
	// password of every built-in account.
	password = "secret"
)

// defaultConfig has the sender and the 20 people of the default workload everywhere.
func defaultConfig() config {
	everybody := append([]crm.Person{crm.Sender()}, crm.People(20)...)
	people := make([]desk.Person, len(everybody))
	c := config{
		Seeyon: seeyon.Options{
			RESTUsers: map[string]string{"fxiaoke": password},
			Apps:      []seeyon.App{{Code: "3004", Name: appName}},
			Bindings:  []seeyon.Binding{},
			Settings:  new(seeyon.DefaultSettings()),
		},
		CRM: crm.Options{People: everybody},
		Weaver: weaver.Options{
			Systems:  []weaver.System{{Code: "fxiaoke", Name: appName, Secret: password}},
			Settings: new(weaver.DefaultSettings()),
		},
		Landray: landray.Options{Users: map[string]string{"fxiaoke": password}, Settings: new(landray.DefaultSettings())},
		Yunzhijia: yunzhijia.Options{
			EID: "10001", ResGroupSecret: password,
			Apps:     []yunzhijia.App{{ID: "500723908", Secret: password, Name: appName, SignKey: password}},
			Settings: new(yunzhijia.DefaultSettings()),
		},
		WeLink: welink.Options{
			Tenants:  []welink.Tenant{{ID: "tenant-1", Name: company}},
			Apps:     []welink.App{{ClientID: "fxiaoke", ClientSecret: password, Name: appName}},
			Settings: new(welink.DefaultSettings()),
		},
		WeCom: wecom.Options{
			Corps:    []wecom.Corp{{CorpID: "ww0000000000000001", Name: company, Apps: []wecom.App{{AgentID: 1000002, Secret: password, Name: appName}}}},
			Settings: new(patientWeCom()),
		},
		DingTalk: dingtalk.Options{
			CorpID: "ding0000000001", Apps: []dingtalk.App{{AppKey: "fxiaoke", AppSecret: password, AgentID: 1000001, Name: appName}},
			Settings: new(dingtalk.DefaultSettings()),
		},
		Feishu: feishu.Options{
			TenantKey: "tenant-1", Apps: []feishu.App{{AppID: "cli_fxiaoke", AppSecret: password, Name: appName, Approvals: []string{"CRM"}}},
			Settings: new(feishu.DefaultSettings()),
		},
		Generic: generic.Options{
			Sign:  generic.Sign{Secret: "an-agreed-secret-of-32-bytes-or-so", Issuer: "https://oa.example", Audience: "https://sso.example"},
			Shape: new(generic.DefaultShape()), Settings: new(generic.DefaultSettings()),
		},
	}
	for i, p := range everybody {
		people[i] = desk.Person{
			ID: p.OALogin, Name: p.Name, Code: "E" + p.Account, Mobile: "1380000" + p.Account, Email: p.OALogin + "@corp.example",
		}
		c.Seeyon.People = append(c.Seeyon.People, seeyon.Person{
			LoginName: people[i].ID, Name: p.Name, Code: people[i].Code, Mobile: people[i].Mobile, Email: people[i].Email,
		})
	}
	c.Weaver.People, c.Landray.People, c.Yunzhijia.People, c.Generic.People = people, people, people, people
	c.WeLink.People, c.WeCom.People, c.DingTalk.People, c.Feishu.People = people, people, people, people
	return c
}

// patientWeCom does not drop what is too much for one member: a demonstration sends more to twenty people than the cloud
// would let through.
func patientWeCom() wecom.Settings {
	s := wecom.DefaultSettings()
	s.MemberPerMinute, s.MemberPerHour = 0, 0
	return s
}

// loadConfig reads a YAML or JSON file on top of the built-in values; no path means those alone.
func loadConfig(path string) (config, error) {
	c := defaultConfig()
	if path == "" {
		return c, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("--config: %w", err)
	}
	var given map[string]any
	if err := yaml.Unmarshal(raw, &given); err != nil {
		return c, fmt.Errorf("--config %s: %w", path, err)
	}
	forget(reflect.ValueOf(&c).Elem(), given)
	if err := yaml.UnmarshalStrict(raw, &c); err != nil {
		return c, fmt.Errorf("--config %s: %w", path, err)
	}
	return c, nil
}

// forget clears the built-in lists and maps that the file gives anew, so that nothing of an old element shines through.
func forget(value reflect.Value, given map[string]any) {
	for i := range value.NumField() {
		field := value.Field(i)
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		anew, ok := given[name]
		if !ok {
			continue
		}
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		switch field.Kind() {
		case reflect.Slice, reflect.Map:
			field.SetZero()
		case reflect.Struct:
			if inner, ok := anew.(map[string]any); ok {
				forget(field, inner)
			}
		}
	}
}
