package weaver

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// The seed's xmlJsonField (F15): the result is JSON, escaped, inside ns1:out (WV-SOAP id 3082583522).
func TestResultInsideOut(t *testing.T) {
	w := newWorld(t)
	a := w.soap(envelope11, "receiveRequestInfoByJson", escaped(text(item())))
	want := `<ns1:receiveRequestInfoByJsonResponse xmlns:ns1="webservices.ofs.weaver.com.cn"><ns1:out>{&quot;syscode&quot;:&quot;fxiaoke&quot;,&quot;dataType&quot;:&quot;WfData&quot;,` +
		`&quot;operType&quot;:&quot;New&quot;,&quot;operResult&quot;:&quot;1&quot;,&quot;message&quot;:&quot;&quot;}</ns1:out></ns1:receiveRequestInfoByJsonResponse>`
	if a.Status != 200 || !strings.Contains(a.Body, want) || a.Header.Get("Content-Type") != "text/xml;charset=UTF-8" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for _, form := range []soap.Form{soap.CDATA, soap.Plain} {
		_ = w.Configure(func(s *Settings) { s.SOAPForm, s.SOAPPrefix = form, "m" })
		a := w.soap(envelope12, "receiveRequestInfoByJson", escaped(text(item("requestname", "<b>&'\""))))
		if !strings.Contains(a.Body, "<m:out>") || !strings.Contains(a.Body, `"operResult":"1"`) || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/soap+xml") {
			t.Errorf("%s: %s", form, a.Body)
		}
	}
	if i, _ := w.Inbox().Get("fxiaoke/T1", "0001"); i.Title != "<b>&'\"" {
		t.Errorf("title = %q", i.Title)
	}
	_ = w.Configure(func(s *Settings) { s.GBK = true })
	a = w.soap(envelope11, "receiveRequestInfoByJson", escaped(text(item("receiver", "无此人"))))
	utf8, err := simplifiedchinese.GBK.NewDecoder().String(a.Body)
	if err != nil || strings.Contains(a.Body, "接收人") || !strings.Contains(utf8, "接收人不存在：无此人") || !strings.Contains(a.Body, `encoding="GBK"`) {
		t.Errorf("GBK: %v %s", err, utf8)
	}
}

// The six operations in three formats (WV-SOAP; what they mean is from memory).
func TestOperations(t *testing.T) {
	xmlText := func(f map[string]string) string {
		var b strings.Builder
		for name, value := range f {
			fmt.Fprintf(&b, "<%s>%s</%s>", name, escaped(value), name)
		}
		return escaped("<RequestInfo>" + b.String() + "</RequestInfo>")
	}
	mapText := func(f map[string]string) string {
		var b strings.Builder
		for name, value := range f {
			fmt.Fprintf(&b, "<web:entry><web:key>%s</web:key><web:value>%s</web:value></web:entry>", name, escaped(value))
		}
		return b.String()
	}
	forms := map[string]func(map[string]string) string{
		"ByJson": func(f map[string]string) string { return escaped(text(f)) }, "ByXml": xmlText, "ByMap": mapText,
	}
	for suffix, write := range forms {
		t.Run(suffix, func(t *testing.T) {
			w := newWorld(t)
			flow := map[string]string{"syscode": "fxiaoke", "flowid": "T1"}
			user := map[string]string{"syscode": "fxiaoke", "flowid": "T1", "userid": "0001"}
			for _, step := range []struct {
				operation string
				fields    map[string]string
				want      inbox.State
			}{
				{"receiveTodoRequest", item(), inbox.Open}, {"processDoneRequest", item(), inbox.Done},
				{"receiveRequestInfo", item(), inbox.Open}, {"processOverRequest", item(), inbox.Done},
				{"deleteUserRequestInfo", user, inbox.Gone}, {"receiveRequestInfo", item(), inbox.Open}, {"deleteRequestInfo", flow, inbox.Gone},
			} {
				name := step.operation + suffix
				if name == "deleteRequestInfoByXml" {
					name = "deleteRequestInfoByXML" // the product's spelling
				}
				a := w.soap(envelope11, name, write(step.fields))
				out := w.out(a)
				result := out.Text
				for _, entry := range out.Children {
					result += entry.Value("key") + "=" + entry.Value("value") + ";"
				}
				if !slices.ContainsFunc([]string{`"operResult":"1"`, "operResult=1;", "<operResult>1</operResult>"}, func(s string) bool { return strings.Contains(result, s) }) {
					t.Fatalf("%s: %s", name, a.Body)
				}
				if i, _ := w.Inbox().Get("fxiaoke/T1", "0001"); i.State != step.want || !strings.HasSuffix(i.History[len(i.History)-1].Path, "#"+step.operation) {
					t.Errorf("%s: %+v", name, i)
				}
			}
		})
	}
}

func TestSinglQuotesAreAccepted(t *testing.T) { // WV-SOAP id 3082583522
	w := newWorld(t)
	in0 := strings.ReplaceAll(text(item("requestname", `O\"k`)), `"`, "'")
	if got := w.out(w.soap(envelope11, "receiveRequestInfoByJson", escaped(in0))).Text; !strings.Contains(got, `"operResult":"1"`) {
		t.Fatalf("%s", got)
	}
	_ = w.Configure(func(s *Settings) { s.LenientJSON = false })
	if got := w.out(w.soap(envelope11, "receiveRequestInfoByJson", escaped(in0))).Text; !strings.Contains(got, `"dataType":"SetParam"`) {
		t.Errorf("strict: %s", got)
	}
	for in, want := range map[string]string{
		`{'a':'it\'s "b"'}`: `{"a":"it's \"b\""}`, `{"a":"it's"}`: `{"a":"it's"}`, `{'a':"it's"}`: `{"a":"it's"}`, `{'a':'x\n'}`: `{"a":"x\n"}`,
	} {
		if got := lenient(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestSOAPFaults(t *testing.T) {
	w := newWorld(t)
	for name, a := range map[string]simtest.Reply{
		"no such operation": w.soap(envelope11, "explode", "x"),
		"other namespace":   w.soap(strings.ReplaceAll(envelope11, "weaver.com.cn", "weaver.example"), "receiveRequestInfoByJson", "x"),
		"not XML":           w.soap("<%s%s", "a", "b"),
		"no in0":            w.soap(strings.ReplaceAll(envelope11, "in0", "in1"), "receiveRequestInfoByJson", "x"),
	} {
		if a.Status != 500 || !strings.Contains(a.Body, "<faultcode>soap:Client</faultcode>") {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

func TestWSDL(t *testing.T) {
	w := newWorld(t)
	a := w.Do(w.Browser(), "GET", servicePath+"?wsdl", "")
	root, err := soap.Parse([]byte(a.Body))
	if err != nil || root.Name != "definitions" || !strings.Contains(a.Body, w.URL()+servicePath) {
		t.Fatalf("%v %.300s", err, a.Body)
	}
	for name := range operations {
		if !strings.Contains(a.Body, `<wsdl:operation name="`+name+`">`) {
			t.Errorf("%s is missing", name)
		}
	}
	if a := w.Do(w.Browser(), "GET", servicePath, ""); a.Status != 404 {
		t.Errorf("without ?wsdl: %d", a.Status)
	}
}
