package generic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const linkSecret = "0123456789abcdef0123456789abcdef"

// world is an OA with three people.
type world struct {
	*Generic
	*simtest.Client
	t *testing.T
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	o := Options{
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Code: "E1001", Mobile: "13800001001", Email: "LiNa@corp.example"}, {ID: "wangfang", Name: "王芳"}, {ID: "gone", OutOfScope: true},
		},
		Apps:    []portal.Tile{{Code: "crm", Name: "CRM", URL: "https://sso.example/home"}},
		Clients: []idp.Client{{ID: "crm", Secret: "s", RedirectURIs: []string{"https://sso.example/callback"}}},
		Sign:    Sign{Secret: linkSecret, Issuer: "https://oa.example", Audience: "https://sso.example"},
		Now:     func() time.Time { return time.UnixMilli(1634128095994) },
	}
	for _, f := range change {
		f(&o)
	}
	oa, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &world{oa, simtest.Serve(t, oa), t}
}

const restPath = "/rest/transmit/fxiaoke/"

func (w *world) rest(action, body string, header ...string) simtest.Reply {
	w.t.Helper()
	return w.Do(http.DefaultClient, "POST", restPath+action, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func (w *world) soap(element, inner string) simtest.Reply {
	w.t.Helper()
	return w.Do(http.DefaultClient, "POST", "/services/TodoService", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://oa.example.com/todo">`+
		`<s:Body><t:`+element+`>`+inner+`</t:`+element+`></s:Body></s:Envelope>`, "Content-Type", "text/xml")
}

func (w *world) out(a simtest.Reply) string {
	w.t.Helper()
	root, err := soap.Parse([]byte(a.Body))
	if err != nil || a.Status != 200 {
		w.t.Fatalf("%d %v %s", a.Status, err, a.Body)
	}
	return root.Child("Body").Children[0].Value("out")
}

func todo(change ...any) string {
	doc := map[string]any{
		"taskId": "T1", "receiver": "lina", "title": "张伟 的 报价单", "content": "提交人:张伟", "sender": "张伟", "url": "https://sso.example/T1", "h5url": "https://sso.example/h5/T1",
	}
	for i := 0; i+1 < len(change); i += 2 {
		doc[fmt.Sprint(change[i])] = change[i+1]
		if change[i+1] == nil {
			delete(doc, fmt.Sprint(change[i]))
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(b)
}
