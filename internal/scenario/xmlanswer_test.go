package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/oabridge/oabridge/internal/scenario"
)

// soap wraps the content of a SOAP 1.1 body.
func soap(content string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header/>` +
		`<soap:Body>` + content + `</soap:Body></soap:Envelope>`
}

// outOf is how Weaver's web service answers [WV-SOAP]: the text of ns1:out is JSON.
func outOf(text string) string {
	return soap(`<ns1:receiveRequestInfoByJsonResponse xmlns:ns1="webservices.ofs.weaver.com.cn"><ns1:out>` + text + `</ns1:out></ns1:receiveRequestInfoByJsonResponse>`)
}

// HTTP 200 and well-formed XML are not delivery. // F11 F12 F13 F14 F15
func TestJudgeXML(t *testing.T) {
	const taken, refused = `{"operResult":"1","message":"ok"}`, `{"operResult":"0","message":"系统编码不存在"}`
	escape := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;").Replace
	weaver := scenario.Result{CodeName: "operResult", MsgName: "message", SuccessCode: "1"}.For(scenario.Webservice)
	landray := scenario.Result{CodeName: "returnState", MsgName: "message", SuccessCode: "2", XMLJSONField: "return"} // [LR-DOC]
	landrayAnswer := func(inside string) string {
		return soap(`<ns2:sendTodoResponse xmlns:ns2="http://webservice.notify.sys.kmss.landray.com/"><return>` + inside + `</return></ns2:sendTodoResponse>`)
	}
	yes := scenario.Verdict{OK: true, Code: "1", Message: "ok", Readable: true}
	no := scenario.Verdict{Code: "0", Message: "系统编码不存在", Readable: true}
	for name, c := range map[string]struct {
		result scenario.Result
		answer string
		want   scenario.Verdict
	}{
		"escaped":                {weaver, outOf(escape(taken)), yes},
		"escaped, refused":       {weaver, outOf(escape(refused)), no},
		"plain":                  {weaver, outOf(taken), yes},
		"CDATA":                  {weaver, outOf("<![CDATA[" + taken + "]]>"), yes},
		"CDATA in two, spaces":   {weaver, outOf("\n<![CDATA[" + taken[:9] + "]]><![CDATA[" + taken[9:] + "]]>\n"), yes},
		"escaped in CDATA":       {weaver, outOf("<![CDATA[" + escape(taken) + "]]>"), yes},
		"escaped twice":          {weaver, outOf(escape(escape(refused))), no},
		"other prefix":           {weaver, strings.NewReplacer("ns1:", "x-9:", ":ns1=", ":x-9=", "soap:", "S:", ":soap=", ":S=").Replace(outOf(taken)), yes},
		"default namespace":      {weaver, soap(`<r xmlns="urn:x"><out>` + taken + `</out></r>`), yes},
		"no envelope":            {weaver, `<out>` + taken + `</out>`, yes},
		"byte order mark":        {weaver, "\uFEFF" + outOf(taken), yes},
		"JSON without XML":       {weaver, taken, yes},
		"null":                   {weaver, outOf(`{"operResult":null}`), scenario.Verdict{Readable: true}},
		"XML in out":             {weaver, outOf(escape(`<r><operResult>1</operResult><message>ok</message></r>`)), yes},
		"elements":               {weaver, soap(`<a:r xmlns:a="urn:x"><a:operResult> 1 </a:operResult><a:message>ok</a:message></a:r>`), yes},
		"elements, refused":      {weaver, soap(`<r><operResult>0</operResult><message>系统编码不存在</message></r>`), no},
		"out has elements":       {landray, landrayAnswer(`<returnState>2</returnState><message>ok</message>`), scenario.Verdict{OK: true, Code: "2", Message: "ok", Readable: true}},
		"out has elements, 1":    {landray, landrayAnswer(`<message>系统编码不存在</message><returnState>1</returnState>`), scenario.Verdict{Code: "1", Message: "系统编码不存在", Readable: true}},
		"path":                   {scenario.Result{CodeName: "result.code", SuccessCode: "0", XMLJSONField: "out"}, `<a><code>1</code><result><code>0</code></result></a>`, scenario.Verdict{OK: true, Code: "0", Readable: true}},
		"in data":                {scenario.Result{DataName: "data", CodeName: "code", SuccessCode: "0", XMLJSONField: "out"}, `<a><code>1</code><data><code>0</code></data></a>`, scenario.Verdict{OK: true, Code: "0", Readable: true}},
		"no data":                {scenario.Result{DataName: "data", CodeName: "code", SuccessCode: "0", XMLJSONField: "out"}, `<a><code>0</code></a>`, scenario.Verdict{Readable: true}},
		"out itself is the code": {scenario.Result{CodeName: "out", SuccessCode: "success", XMLJSONField: "out"}, outOf("success"), scenario.Verdict{OK: true, Code: "success", Readable: true}},
		"no code":                {weaver, outOf("ok"), scenario.Verdict{Readable: true}},
		"empty out":              {weaver, outOf(""), scenario.Verdict{Readable: true}},
		"two codes":              {weaver, soap(`<r><operResult>1</operResult><operResult>0</operResult></r>`), scenario.Verdict{Readable: true}},
		"two outs":               {weaver, soap(`<r><out>` + taken + `</out><out>` + refused + `</out></r>`), scenario.Verdict{Readable: true}},
		"code in the header":     {weaver, `<E:Envelope xmlns:E="e"><E:Header><operResult>1</operResult></E:Header><E:Body/></E:Envelope>`, scenario.Verdict{Readable: true}},
		"fault 1.1": {weaver, soap(`<soap:Fault><faultcode>soap:Server</faultcode><faultstring>系统 异常</faultstring><detail><operResult>1</operResult></detail></soap:Fault>`),
			scenario.Verdict{Readable: true, Fault: "Server", Message: "系统 异常"}},
		"fault 1.2": {weaver, soap(`<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>m:X</soap:Value></soap:Subcode></soap:Code>` +
			`<soap:Reason><soap:Text xml:lang="zh">参数</soap:Text></soap:Reason></soap:Fault><out>` + taken + `</out>`), scenario.Verdict{Readable: true, Fault: "Sender", Message: "参数"}},
		"fault without a word": {weaver, soap(`<soap:Fault/>`), scenario.Verdict{Readable: true, Fault: "without a code"}},
		"login page":           {weaver, `<html><body><p>out</p></body></html>`, scenario.Verdict{}},
		"HTML":                 {weaver, `<!DOCTYPE html><html><br></html>`, scenario.Verdict{}},
		"DOCTYPE":              {weaver, `<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><operResult>1</operResult></r>`, scenario.Verdict{}},
		"entity":               {weaver, `<r><operResult>&e;</operResult></r>`, scenario.Verdict{}},
		"cut off":              {weaver, outOf(taken)[:200], scenario.Verdict{}},
		"two documents":        {weaver, `<out>` + taken + `</out><out/>`, scenario.Verdict{}},
		"too deep":             {weaver, strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), scenario.Verdict{}},
		"too many":             {weaver, "<r>" + strings.Repeat("<a/>", 30_000) + "</r>", scenario.Verdict{}},
		"REST knows no XML":    {scenario.Result{CodeName: "operResult", SuccessCode: "1"}.For(scenario.REST), outOf(taken), scenario.Verdict{}}, // F16
		"no mapping":           {scenario.Result{}.For(scenario.Webservice), outOf("whatever"), scenario.Verdict{OK: true, Readable: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.result.Judge([]byte(c.answer)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// The default of xmlJsonField follows the protocol, and never replaces what a customer wrote. // F15 F16
func TestXMLJSONFieldFollowsTheProtocol(t *testing.T) {
	for _, c := range []struct{ written, protocol, want string }{
		{"", scenario.Webservice, "out"}, {"", scenario.REST, ""}, {"", "", ""}, {"return", scenario.Webservice, "return"}, {"return", scenario.REST, "return"},
	} {
		if got := (scenario.Result{XMLJSONField: c.written}).For(c.protocol).XMLJSONField; got != c.want {
			t.Errorf("%q for %s: got %q, want %q", c.written, c.protocol, got, c.want)
		}
	}
}

// A fault counts before the success test, whatever the status.
func TestClassifyFaults(t *testing.T) {
	r := scenario.Result{CodeName: "operResult", SuccessCode: "1"}.For(scenario.Webservice)
	fault := func(code string) string {
		return soap(`<soap:Fault><faultcode>` + code + `</faultcode><faultstring>坏了</faultstring></soap:Fault><out>{"operResult":"1"}</out>`)
	}
	for _, c := range []struct {
		status       int
		body         string
		class, words string
	}{
		{200, fault("soap:Server"), "ServerError", "HTTP 200 with the SOAP fault Server: 坏了"},
		{500, fault("soap:Server"), "ServerError", "fault Server"},
		{500, fault("soap:Client.NoSuchMethod"), "BusinessCode", "fault Client.NoSuchMethod: 坏了"},
		{400, fault("soap:Sender"), "BusinessCode", "fault Sender"},
		{401, fault("soap:Client"), "AuthExpired", "401"},
		{503, outOf(`{"operResult":"1"}`), "ServerError", "HTTP 503"},
		{200, outOf(`{"operResult":"1"}`), "", ""},
		{200, `<html/>`, "ServerError", "something that is not XML"},
	} {
		class, message := scenario.Classify(c.status, []byte(c.body), r)
		if class != c.class || !strings.Contains(message, c.words) {
			t.Errorf("%d %s: got %s %q", c.status, c.body, class, message)
		}
	}
}

// Answers in the charsets that older OA products use.
func TestDecode(t *testing.T) { // TM-08
	const json = `{"success":false,"errorMsgs":["系统编码「乗」不存在"]}` // the second byte of 乗 in GBK is a backslash
	xml := func(declared string) string {
		return fmt.Sprintf(`<?xml version="1.0" encoding=%s?><out>{"operResult":"0","message":"系统编码「乗」不存在"}</out>`, declared)
	}
	gbk := func(s string) string {
		b, err := simplifiedchinese.GBK.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	weaver := scenario.Result{CodeName: "operResult", MsgName: "message", SuccessCode: "1"}.For(scenario.Webservice)
	for name, c := range map[string]struct {
		contentType, answer string
		result              scenario.Result
	}{
		"UTF-8":                         {"application/json", json, scenario.SeeyonResult},
		"UTF-8 by its mark":             {"application/json;charset=GBK", "\uFEFF" + json, scenario.SeeyonResult},
		"UTF-16":                        {"", "\xFE\xFF\x00{\x00}", scenario.Result{}},
		"GBK":                           {"application/json;charset=GBK", gbk(json), scenario.SeeyonResult},
		"GB2312":                        {`text/plain; charset="gb2312"`, gbk(json), scenario.SeeyonResult},
		"GB18030":                       {"application/json; charset=gb18030", gbk(json), scenario.SeeyonResult},
		"declared in the XML":           {"text/xml", gbk(xml(`"GBK"`)), weaver},
		"declared in quotes":            {"", "\r\n" + gbk(xml(`'gb2312' standalone="yes"`)), weaver},
		"the header beats the document": {"text/xml; charset=utf-8", xml(`"GBK"`), weaver},
		"header and document":           {"text/xml; charset=gbk", gbk(xml(`"GBK"`)), weaver},
	} {
		t.Run(name, func(t *testing.T) {
			v := c.result.Judge(scenario.Decode(c.contentType, []byte(c.answer)))
			if !v.Readable || c.result.MsgName != "" && (v.OK || v.Message != "系统编码「乗」不存在") {
				t.Errorf("got %+v", v)
			}
		})
	}
	for _, contentType := range []string{"application/json; charset=klingon", "application/json", ";;;"} {
		if got := string(scenario.Decode(contentType, []byte("{\"a\":\"\xce\xde\xff\"}"))); got != "{\"a\":\"\uFFFD\"}" {
			t.Errorf("%s: got %q", contentType, got)
		}
	}
}
