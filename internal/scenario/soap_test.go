package scenario_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/scenario"
)

// webservice is a definition with the body of one call.
func webservice(body string, headers ...scenario.Header) scenario.Definition {
	d := definition(scenario.Call{Body: body, Headers: headers})
	d.Protocol = scenario.Webservice
	return d
}

// Weaver takes JSON in the element in0 [WV-SOAP], in an envelope of SOAP 1.1.
const weaverTodo = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:web="webservices.ofs.weaver.com.cn">
  <soapenv:Header/>
  <soapenv:Body>
    <web:receiveTodoRequestByJson>
      <web:in0>{"syscode":"crm","flowid":"#F012","requestname":"#F054 #F056 #F053","workflowname":"#F055","nodename":"审批",
        "pcurl":"https://sso.crm.example/SeeYon/#F037/#F015/714439/false","isremark":"0","viewtype":"0",
        "creator":"#F049","createdatetime":"#F009","receiver":"#F001","receivedatetime":"#F009"}</web:in0>
    </web:receiveTodoRequestByJson>
  </soapenv:Body>
</soapenv:Envelope>
`

// weaverDelete is what another customer's consultant wrote: CDATA, and another prefix.
const weaverDelete = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>` +
	`<deleteUserRequestInfoByJson xmlns="webservices.ofs.weaver.com.cn"><in0><![CDATA[{"syscode":"crm","flowid":"#F012","userid":"#F001"}]]></in0>` +
	`</deleteUserRequestInfoByJson></S:Body></S:Envelope>`

// Landray takes elements in arg0; targets is a JSON string in one of them [LR-DOC, LR-SOAP].
const landraySend = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:web="http://webservice.notify.sys.kmss.landray.com/">
  <soapenv:Body>
    <web:sendTodo>
      <arg0>
        <appName>CRM</appName>
        <modelName>#F037</modelName>
        <modelId>#F012</modelId>
        <subject>#F054 #F056 #F053</subject>
        <link>
          https://sso.crm.example/SeeYon/#F037/#F015/714439/false?who=#F001&amp;t=1
        </link>
        <type>1</type>
        <targets>[{"LoginName":"#F001"}]</targets>
        <createTime>#F009</createTime>
      </arg0>
    </web:sendTodo>
  </soapenv:Body>
</soapenv:Envelope>
`

// hostileItem holds what would break out of XML, of JSON and of a URL.
func hostileItem() scenario.Fields {
	f := item().Fields("li\"si</web:in0>", "zhangsan")
	f["F012"] = `T-1","isremark":"4`
	f["F015"] = `a/b&c`
	f["F053"] = "]]><x/> & \"引号\"\x01 结束]]>"
	return f
}

// The envelopes that go out for an ordinary item, and for one that holds markup. // F8 F25
func TestEnvelopes(t *testing.T) {
	for name, body := range map[string]string{"weaver-create": weaverTodo, "weaver-delete": weaverDelete, "landray-send": landraySend} {
		d := webservice(body)
		d.DateFormat = "yyyy-MM-dd HH:mm:ss"
		s := parse(t, d)
		for kind, f := range map[string]scenario.Fields{"": item().Fields("lisi", "zhangsan"), "-hostile": hostileItem()} {
			req, err := s.Render(scenario.Create, f)
			if err != nil {
				t.Fatal(err)
			}
			if got := req.Header; got.Get("Content-Type") != "text/xml; charset=utf-8" || got.Get("SOAPAction") != `""` {
				t.Errorf("%s: headers %v", name, got)
			}
			golden(t, name+kind+".xml", req.Body)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", name, diff)
	}
}

// The namespace of the envelope decides how the request is labelled; the template may say otherwise. // F8
func TestHeadersFollowTheSOAPVersion(t *testing.T) {
	envelope := func(ns string) string { return `<e:Envelope xmlns:e="` + ns + `"><e:Body/></e:Envelope>` }
	const v11, v12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
	action := func(v string) scenario.Header { return scenario.Header{Name: "SOAPAction", Value: v} }
	for name, c := range map[string]struct {
		body    string
		headers []scenario.Header
		want    http.Header
	}{
		"1.1":               {envelope(v11), nil, http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Soapaction": {`""`}}},
		"1.1 with action":   {envelope(v11), []scenario.Header{action("urn:send")}, http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Soapaction": {`"urn:send"`}}},
		"1.1 quoted action": {envelope(v11), []scenario.Header{action(`"urn:send"`)}, http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Soapaction": {`"urn:send"`}}},
		"1.1 other charset": {envelope(v11), []scenario.Header{{Name: "Content-Type", Value: "text/xml;charset=UTF-8"}}, http.Header{"Content-Type": {"text/xml;charset=UTF-8"}, "Soapaction": {`""`}}},
		"1.2":               {envelope(v12), nil, http.Header{"Content-Type": {"application/soap+xml; charset=utf-8"}}},
		"1.2 with action":   {envelope(v12), []scenario.Header{action("urn:send")}, http.Header{"Content-Type": {`application/soap+xml; charset=utf-8; action="urn:send"`}}},
		"no envelope":       {"<todo/>", nil, http.Header{"Content-Type": {"text/xml; charset=utf-8"}}},
		"no body":           {"", nil, http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := parse(t, webservice(c.body, c.headers...)).Render(scenario.Create, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, req.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What the author wrote goes out byte by byte, but for the values.
func TestRenderKeepsTheXML(t *testing.T) {
	const body = "<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?>\r\n<!-- no #data -->\n<a:r xmlns:a='urn:a' x = \"1\" a:y='#F012>'  >" +
		"<b/> &#x4e2d;&apos;<c xml:space='preserve'>\t</c>&lt;#F053&gt; ##F001<a:d ><![CDATA[<raw> & ##]]></a:d></a:r>\n"
	req, err := parse(t, webservice(body)).Render(scenario.Create, scenario.Fields{"F012": "'\"\n", "F053": "a\r\nb"})
	if err != nil {
		t.Fatal(err)
	}
	want := "<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?>\r\n<!-- no #data -->\n<a:r xmlns:a='urn:a' x = \"1\" a:y='&apos;&quot;&#xA;&gt;'  >" +
		"<b/> &#x4e2d;&apos;<c xml:space='preserve'>\t</c>&lt;a&#xD;\nb&gt; #F001<a:d ><![CDATA[<raw> & ##]]></a:d></a:r>\n"
	if diff := cmp.Diff(want, string(req.Body)); diff != "" {
		t.Error(diff)
	}
}

// A reader joins texts, CDATA sections and what stands around a comment; so a document in them is seen as a whole.
func TestTextsAreSeenAsAWhole(t *testing.T) {
	for body, want := range map[string]string{
		`<a>{"x":"<!-- c -->#F012"}</a>`:            `<a><!-- c -->{"x":"\"}]]&gt;"}</a>`,
		`<a>{"x":<![CDATA["#F0]]>12"}</a>`:          `<a><![CDATA[{"x":"\"}]]]]><![CDATA[>"}]]></a>`,
		`<a>1<![CDATA[#F012]]> 2</a>`:               `<a><![CDATA[1"}]]]]><![CDATA[> 2]]></a>`,
		`<a> <!-- c --> <![CDATA[x]]></a>`:          `<a> <!-- c --> <![CDATA[x]]></a>`,
		`<a>&lt;b c=&quot;&#35;F012&quot;/&gt;</a>`: `<a>&lt;b c="&amp;quot;}]]&amp;gt;"/&gt;</a>`,
		`<a>{"x":"{\"y\":\"#F012\"}"}</a>`:          `<a>{"x":"{\"y\":\"\\\"}]]&gt;\"}"}</a>`,
		`<a>[#F012]</a>`:                            `<a>["}]]&gt;]</a>`,
		`<a>&lt;b&gt; #F012</a>`:                    `<a>&lt;b&gt; "}]]&gt;</a>`,
	} {
		req, err := parse(t, webservice(body)).Render(scenario.Create, scenario.Fields{"F012": `"}]]>`})
		if err != nil || string(req.Body) != want {
			t.Errorf("%s\n gave %s\n want %s, %v", body, req.Body, want, err)
		}
	}
}

func TestReadBackInXML(t *testing.T) {
	d := webservice(landraySend)
	c := d.Calls[scenario.Create]
	c.ReadBack = &scenario.ReadBack{
		Method: "POST", Path: "/sys/webservice/sysNotifyTodoWebService",
		Body:   `<E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope"><E:Body><getTodo><arg0><otherCond>[{"modelId":"#F012"}]</otherCond></arg0></getTodo></E:Body></E:Envelope>`,
		Result: scenario.Result{CodeName: "returnState", SuccessCode: "2", XMLJSONField: "return"},
	}
	d.Calls[scenario.Create] = c
	req, result, err := parse(t, d).ReadBack(scenario.Create, scenario.Fields{"F012": `T"<1`})
	if err != nil || !strings.Contains(string(req.Body), `<otherCond>[{"modelId":"T\"&lt;1"}]</otherCond>`) || req.Header.Get("Content-Type") != "application/soap+xml; charset=utf-8" {
		t.Fatalf("%s %v %v", req.Body, req.Header, err)
	}
	for answer, want := range map[string]scenario.Presence{
		soap(`<r><return><returnState>2</returnState></return></r>`): scenario.Found,
		soap(`<r><return><returnState>1</returnState></return></r>`): scenario.Missing,
		soap(`<soap:Fault/>`): scenario.Unknown,
	} {
		if got, _, message := scenario.ClassifyReadBack(200, []byte(answer), result); got != want {
			t.Errorf("%s: got %s %s", answer, got, message)
		}
	}
}

func BenchmarkRenderSOAP(b *testing.B) {
	s := parse(b, webservice(weaverTodo))
	f := item().Fields("lisi", "zhangsan")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Render(scenario.Create, f); err != nil {
			b.Fatal(err)
		}
	}
}
