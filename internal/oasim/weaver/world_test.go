package weaver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const secret = "d73ec6289574d272c9cc2df5ff70488b" // SEED0

// world is an OA with three people and one registered system.
type world struct {
	*Weaver
	*simtest.Client
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	oa, err := New(Options{
		Systems: []System{
			{Code: "fxiaoke", Name: "纷享销客 CRM", PCPrefix: "https://sso.example", AppPrefix: "https://m.example", Secret: secret, HomeURL: "https://sso.example/home"},
			{Code: "plain", Name: "不签名的系统"},
		},
		People: []desk.Person{
			{ID: "0001", Name: "李四", Code: "E1001"}, {ID: "wangwu", Name: "王五", Code: "E1002"}, {ID: "gone", Name: "离职", OutOfScope: true},
		},
		Clients: []idp.Client{{ID: "crm", Secret: "s", RedirectURIs: []string{"https://sso.example/callback"}}},
		Now:     func() time.Time { return time.UnixMilli(1634128095994).UTC() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{oa, simtest.Serve(t, oa), t}
}

// item is a complete to-do for 0001, with changes.
func item(change ...string) map[string]string {
	f := map[string]string{
		"syscode": "fxiaoke", "flowid": "T1", "requestname": "张伟 的 报价单 待审批", "workflowname": "CRM待办", "nodename": "审批",
		"pcurl": "/pc/T1", "appurl": "/app/T1", "isremark": "0", "viewtype": "0", "creator": "wangwu",
		"createdatetime": "2026-11-26 09:30:00", "receiver": "0001", "receivedatetime": "2026-11-26 09:30:00", "receivets": "1000",
	}
	out := maps.Clone(f)
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "-" {
			delete(out, change[i])
			continue
		}
		out[change[i]] = change[i+1]
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (w *world) rest(call string, body any) simtest.Reply {
	w.t.Helper()
	return w.Do(http.DefaultClient, "POST", restPath+call, text(body), "Content-Type", "application/json")
}

// push is one call over REST.
func (w *world) push(call string, body any) result {
	w.t.Helper()
	a := w.rest(call, body)
	var out result
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil || a.Status != 200 {
		w.t.Fatalf("%s: %d %s", call, a.Status, a.Body)
	}
	return out
}

const (
	envelope11 = `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:web="webservices.ofs.weaver.com.cn">` +
		`<soapenv:Header/><soapenv:Body><web:%[1]s><web:in0>%[2]s</web:in0></web:%[1]s></soapenv:Body></soapenv:Envelope>`
	envelope12 = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><%[1]s xmlns="webservices.ofs.weaver.com.cn"><in0>%[2]s</in0></%[1]s></e:Body></e:Envelope>`
)

func (w *world) soap(envelope, operation, in0 string) simtest.Reply {
	w.t.Helper()
	return w.Do(http.DefaultClient, "POST", servicePath, fmt.Sprintf(envelope, operation, in0), "Content-Type", "text/xml;charset=UTF-8", "SOAPAction", `""`)
}

// out reads the out element of an answer.
func (w *world) out(a simtest.Reply) *soap.Element {
	w.t.Helper()
	root, err := soap.Parse([]byte(a.Body))
	if err != nil {
		w.t.Fatalf("%v: %s", err, a.Body)
	}
	return root.Child("Body").Children[0].Child("out")
}
