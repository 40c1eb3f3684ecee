package soap

import (
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const weaver11 = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:web="webservices.ofs.weaver.com.cn">
<soapenv:Header/><soapenv:Body><web:receiveRequestInfoByJson><web:in0>{&quot;a&quot;:&quot;1 &lt; 2&quot;}</web:in0></web:receiveRequestInfoByJson></soapenv:Body></soapenv:Envelope>`

func TestRead(t *testing.T) { // F8
	c, err := Read([]byte(weaver11))
	if err != nil || c.Version != V11 || c.Operation.Name != "receiveRequestInfoByJson" || c.Operation.Space != "webservices.ofs.weaver.com.cn" ||
		c.Operation.Value("in0") != `{"a":"1 < 2"}` {
		t.Fatalf("%+v %v", c, err)
	}
	c, err = Read([]byte(strings.Replace(weaver11, "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope", 1)))
	if err != nil || c.Version != V12 {
		t.Errorf("1.2: %+v %v", c, err)
	}
	cdata := strings.Replace(weaver11, `{&quot;a&quot;:&quot;1 &lt; 2&quot;}`, `<![CDATA[{"a":"1 < 2"}]]>`, 1)
	if c, err := Read([]byte(cdata)); err != nil || c.Operation.Value("in0") != `{"a":"1 < 2"}` {
		t.Errorf("CDATA: %v", err)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(strings.NewReplacer("UTF-8", "GBK", "1 &lt; 2", "审批").Replace(weaver11))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Read([]byte(gbk)); err != nil || c.Operation.Value("in0") != `{"a":"审批"}` {
		t.Errorf("GBK: %+v %v", c, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"empty":            "",
		"JSON":             `{"a":1}`,
		"not closed":       weaver11[:len(weaver11)-5],
		"a document type":  `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + weaver11[strings.Index(weaver11, "<soapenv"):],
		"unknown entities": strings.Replace(weaver11, "&lt;", "&xxe;", 1),
		"no envelope":      `<a/>`,
		"other namespace":  strings.Replace(weaver11, "schemas.xmlsoap.org", "example.org", 1),
		"two operations":   strings.Replace(weaver11, "</soapenv:Body>", "<x/></soapenv:Body>", 1),
		"too deep":         strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40),
		"unknown charset":  strings.Replace(weaver11, "UTF-8", "KOI8-R", 1),
	} {
		if c, err := Read([]byte(body)); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestAnswers(t *testing.T) {
	const result = `{"operResult":"1","message":"a<b & 'c' 😀 审批"}`
	s := Style{Space: "webservices.ofs.weaver.com.cn", Prefix: "ns1", Qualified: true}
	for form, want := range map[Form]string{
		Escaped: `<ns1:out>{&quot;operResult&quot;:&quot;1&quot;,&quot;message&quot;:&quot;a&lt;b &amp; &apos;c&apos; 😀 审批&quot;}</ns1:out>`,
		CDATA:   `<ns1:out><![CDATA[` + result + `]]></ns1:out>`,
		Plain:   `<ns1:out>{"operResult":"1","message":"a&lt;b &amp; 'c' 😀 审批"}</ns1:out>`,
	} {
		w := httptest.NewRecorder()
		s.Answer(w, V11, "receiveRequestInfoByJsonResponse", Part{Name: "out", Text: result, Form: form})
		if !strings.Contains(w.Body.String(), want) || w.Header().Get("Content-Type") != "text/xml;charset=UTF-8" {
			t.Errorf("%s: %s", form, w.Body)
		}
		if root, err := Parse(w.Body.Bytes()); err != nil || root.Child("Body").Children[0].Value("out") != result {
			t.Errorf("%s does not read back: %v", form, err)
		}
	}
	s.GBK = true
	w := httptest.NewRecorder()
	s.Answer(w, V12, "xResponse", Part{Name: "out", Text: result, Form: CDATA}, Part{Name: "map", Parts: []Part{{Name: "key", Text: "审"}}})
	if strings.Contains(w.Body.String(), "审批") || w.Header().Get("Content-Type") != "application/soap+xml;charset=GBK" {
		t.Errorf("GBK: %s %q", w.Header(), w.Body)
	}
	root, err := Parse(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	x := root.Child("Body").Child("xResponse")
	if !strings.Contains(x.Value("out"), "审批") || x.Child("map").Value("key") != "审" {
		t.Errorf("GBK: %+v", x)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		version Version
		sender  bool
		want    string
	}{
		{V11, true, "<faultcode>soap:Client</faultcode><faultstring>a&lt;b</faultstring>"},
		{V11, false, "<faultcode>soap:Server</faultcode>"},
		{V12, true, "<soap:Value>soap:Sender</soap:Value>"},
		{V12, false, `<soap:Text xml:lang="zh">a&lt;b</soap:Text>`},
	} {
		w := httptest.NewRecorder()
		Style{}.Fault(w, c.version, c.sender, "a<b")
		if w.Code != 500 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%d: %d %s", c.version, w.Code, w.Body)
		}
	}
}
