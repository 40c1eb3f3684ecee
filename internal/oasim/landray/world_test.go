package landray

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// world is an EKP with four people and one user of the web service.
type world struct {
	*Landray
	*simtest.Client
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ekp, err := New(Options{
		Users: map[string]string{"crm": "s3cret"},
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Code: "001", IDs: map[string]string{"Id": "fd1", "DeptNo": "D1"}},
			{ID: "wangfang", Name: "王芳", Code: "002", IDs: map[string]string{"DeptNo": "D1"}},
			{ID: "zhangwei", Name: "张伟"}, {ID: "gone", Name: "离职", Code: "009", OutOfScope: true},
		},
		Apps:    []portal.Tile{{Code: "crm", Name: "CRM", URL: "https://sso.example/home"}},
		Clients: []idp.Client{{ID: "crm", Secret: "s", RedirectURIs: []string{"https://sso.example/callback"}}},
		Now:     func() time.Time { return time.Date(2026, 11, 26, 9, 30, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{ekp, simtest.Serve(t, ekp), t}
}

// sending is a complete sendTodo for lina, with changes; "-" takes a field away.
func sending(change ...any) map[string]any {
	c := map[string]any{
		"appName": "纷享销客", "modelName": "fxiaoke.todo", "modelId": "T1", "subject": "张伟 的 报价单 待审批", "link": "https://sso.example/pc/T1",
		"mobileLink": "https://sso.example/h5/T1", "padLink": "https://sso.example/h5/T1", "type": 1, "targets": `{"LoginName":"lina"}`,
		"createTime": "2026-11-26 09:30:00", "docCreator": `{"LoginName":"zhangwei"}`, "level": 3,
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "-" {
			delete(c, change[i].(string))
			continue
		}
		c[change[i].(string)] = change[i+1]
	}
	return c
}

// remove is the context of setTodoDone and deleteTodo.
func remove(change ...any) map[string]any {
	c := map[string]any{"modelName": "fxiaoke.todo", "modelId": "T1", "optType": 1}
	for i := 0; i+1 < len(change); i += 2 {
		c[change[i].(string)] = change[i+1]
	}
	return c
}

// rest makes one call over REST as the right user.
func (w *world) rest(operation string, context map[string]any) result {
	w.t.Helper()
	body, err := json.Marshal(context)
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.Do(http.DefaultClient, "POST", restPath+operation, string(body), "Content-Type", "application/json", "Authorization", simtest.Basic("crm:s3cret"))
	var out result
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil || a.Status != 200 {
		w.t.Fatalf("%s: %d %s", operation, a.Status, a.Body)
	}
	return out
}

const (
	rightHeader = `<RequestSOAPHeader xmlns="http://sys.webservice.client"><user>crm</user><password>s3cret</password></RequestSOAPHeader>`
	soap11      = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12      = "http://www.w3.org/2003/05/soap-envelope"
)

// soap makes one call over SOAP.
func (w *world) soap(version, header, operation string, context map[string]any) simtest.Reply {
	w.t.Helper()
	var b strings.Builder
	for name, value := range context {
		fmt.Fprintf(&b, "<%s>", name)
		_ = xml.EscapeText(&b, []byte(fmt.Sprint(value)))
		fmt.Fprintf(&b, "</%s>", name)
	}
	return w.Do(http.DefaultClient, "POST", servicePath, `<soapenv:Envelope xmlns:soapenv="`+version+`" xmlns:web="http://webservice.notify.sys.kmss.landray.com/">`+
		`<soapenv:Header>`+header+`</soapenv:Header><soapenv:Body><web:`+operation+`><arg0>`+b.String()+`</arg0></web:`+operation+`></soapenv:Body></soapenv:Envelope>`,
		"Content-Type", "text/xml;charset=UTF-8")
}

func (w *world) returned(a simtest.Reply) result {
	w.t.Helper()
	root, err := soap.Parse([]byte(a.Body))
	if err != nil || a.Status != 200 {
		w.t.Fatalf("%d %v %s", a.Status, err, a.Body)
	}
	r := root.Child("Body").Children[0].Child("return")
	state, err := strconv.Atoi(r.Value("returnState"))
	if err != nil {
		w.t.Fatal(err)
	}
	return result{state, r.Value("message")}
}
