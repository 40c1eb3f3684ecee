package scenario

import (
	"slices"
	"strings"
)

// Value is something that a template may use, as it is written there: a placeholder, or a value that is known to the
// connector or only when an item goes out.
type Value struct {
	// Spelled as in a template, such as #F001 or ${item.version}.
	Spelled string `json:"spelled"`
	ZH      string `json:"zh"`
	EN      string `json:"en"`
	Example string `json:"example"`
	// Source is where it comes from: a field of the event or of the connector, or an answer of the OA.
	Source string `json:"source"`
}

// liveValues by name; NAME stands for a name that the template gives.
var liveValues = []Value{
	{ItemVersion, "待办的版本，每次变化都会增大，形如毫秒时间", "number like a time in ms that grows with each state of the item, for OAs that ignore older states", "1795311000000", "the event's time and version"},
	{ItemReopened, "待办完成后又重新打开的次数后缀，首次为空", "empty at first, then -2, -3 … after the item was finished at the OA and opened again", "-2", "what was delivered before"},
	{ItemEventTime, "事件时间，按模板的 dateFormat", "time of the event in the template's dateFormat and timeZone", "2026-11-22 09:30", "time of the event"},
	{ItemEventTimeMillis, "事件时间，毫秒", "time of the event in ms since 1970", "1795311000000", "time of the event"},
	{ItemCreatedAtMillis, "创建时间，毫秒", "when the item was created in ms since 1970", "1795311000000", "createdAt"},
	{LookupPrefix + "NAME", "动作的 lookup 查到的值", "value that the action's lookup found", "7d1f3c", "lookup of the action, before its call"},
	{CapturedPrefix + "NAME", "OA 先前的应答中取出的值", "value that an earlier answer of the OA gave", "7d1f3c", "capture of an earlier action"},
}

// connectorExamples by the names of connectorFields.
var connectorExamples = map[string]struct{ zh, en, example string }{
	ConnectorEnterpriseID: {"CRM 企业账号(ei)", "enterprise id of the CRM", "714439"},
	ConnectorDataCenterID: {"数据中心 ID", "id that tells the account sets of one enterprise apart", "dc-1"},
	ConnectorRegisterCode: {"致远第三方系统注册编码", "code under which the CRM is registered in Seeyon", "3004"},
	ConnectorSysCode:      {"泛微异构系统标识", "code under which the CRM is registered in Weaver", "crm"},
	ConnectorAppName:      {"蓝凌待办来源系统名称", "name under which the CRM is known in Landray", "CRM"},
	ConnectorAppID:        {"应用 ID（云之家、飞书）", "id of the app in Yunzhijia or Feishu", "cli_a1b2c3"},
	ConnectorClientID:     {"WeLink 应用的 client_id", "client id of the app in WeLink", "20261122093000"},
	ConnectorCorpID:       {"企业微信企业 ID", "id of the company in WeCom", "ww0123456789abcdef"},
	ConnectorAppKey:       {"钉钉应用的 AppKey", "key of the app in DingTalk", "dingabc123"},
	ConnectorAgentID:      {"应用的 AgentId（企业微信、钉钉）", "agent id of the app in WeCom or DingTalk", "1000002"},
	ConnectorApprovalCode: {"飞书三方审批定义编码", "code of the external approval in Feishu", "E7D1F3C0"},
	ConnectorSSOURL:       {"单点登录网关的地址", "address of the gateway; a string that begins with it goes out empty when there is none", "https://sso.crm.example"},
}

// Values returns everything that a template may use beside its own parameters: the placeholders in their order, the
// values of the moment, and the connector's.
func Values() []Value {
	var out []Value
	for _, p := range dictionary {
		out = append(out, Value{"#" + p.ID, p.ZH, p.EN, p.Example, p.Source})
	}
	for _, v := range liveValues {
		v.Spelled = "${" + v.Spelled + "}"
		out = append(out, v)
	}
	for _, name := range connectorNames() {
		e := connectorExamples[name]
		out = append(out, Value{"${connector." + name + "}", e.zh, e.en, e.example, connectorFields[name]})
	}
	return out
}

func connectorNames() []string {
	names := make([]string, 0, len(connectorFields))
	for name := range connectorFields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Matches reports whether a text stands anywhere in the value; case does not matter.
func (v Value) Matches(text string) bool {
	return strings.Contains(strings.ToLower(strings.Join([]string{v.Spelled, v.ZH, v.EN, v.Example, v.Source}, "\n")), strings.ToLower(text))
}
