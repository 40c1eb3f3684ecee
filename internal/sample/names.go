package sample

import (
	"strings"
	"time"
	"unicode"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// meaning of a field by its name.
type meaning int

const (
	unknown meaning = iota
	itemID
	title
	heading
	senderName
	sender
	receiver
	date
	link
	mobileLink
	apiName
	recordID
	enterpriseID
	registerCode
	sysCode
	appName
	appID
)

// names are the field names that OA products and their customers use, in lower case and without separators. docs/cli.md
// shows them.
var names = map[meaning][]string{
	itemID:     {"taskid", "flowid", "todoid", "sourceid", "modelid", "messageid", "thirdpartymessageid", "itemid", "bizid", "businessid", "instanceid", "taskno", "flowno"},
	title:      {"title", "requestname", "subject", "itemtitle", "todotitle", "tasktitle", "messagecontent", "messagetitle", "summary"},
	heading:    {"workflowname", "flowname", "category", "tasktype", "taskname"},
	senderName: {"sendername", "creatorname", "submitter", "submittername", "sendusername", "applicantname", "startername"},
	sender:     {"sender", "senderid", "thirdsenderid", "thirdpartysenderid", "creator", "creatorid", "createuser", "createuserid", "doccreator", "applicant", "fromuser"},
	receiver: {"receiver", "receiverid", "thirdreceiverid", "thirdpartyreceiverid", "nonebindingreceiver", "receiveuser", "receiveuserid", "touser", "userid", "openid",
		"loginname", "loginid", "account", "assignee", "owner", "executor", "personno", "unionid"},
	date:         {"creationdate", "createdate", "createtime", "createdatetime", "createdat", "receivedate", "receivetime", "receivedatetime", "senddate", "sendtime"},
	link:         {"url", "pcurl", "weburl", "link", "weblink", "detailurl", "messageurl", "jumpurl"},
	mobileLink:   {"h5url", "appurl", "mobileurl", "mobilelink", "padlink", "messageh5url"},
	apiName:      {"apiname", "objectapiname", "modelname"},
	recordID:     {"dataid", "recordid", "objectid"},
	enterpriseID: {"ei", "enterpriseid"},
	registerCode: {"registercode", "thirdpartyregistercode"},
	sysCode:      {"syscode"},
	appName:      {"appname"},
	appID:        {"appid"},
}

var byName = func() map[string]meaning {
	m := map[string]meaning{}
	for what, list := range names {
		for _, name := range list {
			m[name] = what
		}
	}
	return m
}()

// meaningOf looks a field name up: thirdSenderId, third_sender_id and ns:thirdSenderId are the same.
func meaningOf(name string) meaning {
	name = name[strings.LastIndexByte(name, ':')+1:]
	return byName[strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)]
}

// ofType are the meanings that only some OA types have: the connector's own values.
var ofType = map[meaning]struct {
	value string
	types []v1alpha1.OAType
}{
	registerCode: {"${connector.registerCode}", []v1alpha1.OAType{v1alpha1.TypeSeeyon}},
	sysCode:      {"${connector.sysCode}", []v1alpha1.OAType{v1alpha1.TypeWeaver}},
	appName:      {"${connector.appName}", []v1alpha1.OAType{v1alpha1.TypeLandray}},
	appID:        {"${connector.appID}", []v1alpha1.OAType{v1alpha1.TypeYunzhijia, v1alpha1.TypeFeishu}},
}

var values = map[meaning]string{
	itemID:       "#F012",
	title:        "#F054 #F056 #F053",
	heading:      "#F055",
	senderName:   "#F054",
	sender:       "#F049",
	receiver:     "#F001",
	date:         "#F009",
	apiName:      "#F037",
	recordID:     "#F015",
	enterpriseID: "${connector.enterpriseID}",
}

// dateForms are the forms of dates that a template can write, by the layouts of package time.
var dateForms = []struct{ layout, format string }{
	{"2006-01-02 15:04:05", "yyyy-MM-dd HH:mm:ss"},
	{"2006-01-02 15:04", "yyyy-MM-dd HH:mm"},
	{"2006-01-02T15:04:05", "yyyy-MM-dd'T'HH:mm:ss"},
	{"2006/01/02 15:04:05", "yyyy/MM/dd HH:mm:ss"},
	{"2006/01/02 15:04", "yyyy/MM/dd HH:mm"},
	{"20060102150405", "yyyyMMddHHmmss"},
	{"2006-01-02", "yyyy-MM-dd"},
}

// dateFormat returns the format of a date in a sample, or "".
func dateFormat(s string) string {
	for _, f := range dateForms {
		if _, err := time.Parse(f.layout, strings.TrimSpace(s)); err == nil {
			return f.format
		}
	}
	return ""
}
