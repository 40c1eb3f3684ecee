package seeyon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// note is a message as the vendor's page describes it (SY-MSG).
func note(id string) string {
	return `{"thirdpartyRegisterCode":"3004","thirdpartyMessageId":"` + id + `","messageContent":"张三 提交 报价单","thirdpartySenderId":"zhangsan",` +
		`"thirdpartyReceiverId":"lisi","creation_date":"2026-11-22 09:30","downloadUrl":"","messageH5URL":"https://sso.example/a",` +
		`"messageURL":"https://sso.example/b","noneBindingSender":"","noneBindingReceiver":"lisi"}`
}

func TestMessages(t *testing.T) {
	for _, tc := range []struct{ name, body, wrong string }{
		{"as documented", note("M-1"), ""},
		{"no content", strings.Replace(note("M-1"), "张三 提交 报价单", "", 1), "messageContent: required"},
		{"no id", note(""), "thirdpartyMessageId: required"},
		{"link without a scheme", strings.Replace(note("M-1"), "https:", "", 1), "messageH5URL:"},
		{"camel case date", strings.Replace(note("M-1"), "creation_date", "creationDate", 1), "creationDate"},
		{"unregistered app", strings.Replace(note("M-1"), "3004", "9999", 1), "thirdpartyRegisterCode:"},
		{"unknown person", strings.ReplaceAll(note("M-1"), "lisi", "nobody"), "no OA person"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			ok, msgs := w.push(oneMessagePath, tc.body)
			if ok != (tc.wrong == "") || !strings.Contains(strings.Join(msgs, ";"), tc.wrong) || (len(w.Messages()) == 1) != ok {
				t.Fatalf("success %v %v, %d messages", ok, msgs, len(w.Messages()))
			}
		})
	}
	w := newWorld(t)
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "M-3"}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"拒绝"}}}); err != nil {
		t.Fatal(err)
	}
	w.mustPush(messageListPath, fmt.Sprintf(`{"messages":[%s,%s]}`, note("M-1"), note("M-2")))
	w.mustPush(oneMessagePath, note("M-1"))
	if got := w.Messages(); len(got) != 2 || got[0].LoginName != "lisi" || got[0].Times != 2 || got[1].Times != 1 {
		t.Errorf("messages = %+v", got)
	}
	for _, body := range []string{`{}`, `{"messages":[]}`, fmt.Sprintf(`{"messages":[%s]}`, note("M-3"))} {
		if ok, _ := w.push(messageListPath, body); ok {
			t.Errorf("%s was accepted", body)
		}
	}
	w.Reset()
	if got := w.Messages(); len(got) != 0 {
		t.Errorf("messages = %+v", got)
	}
}

// One item of a list is refused or dropped, and the others are stored; the drop shows only when the OA is asked.
func TestItemsOfAListFailByThemselves(t *testing.T) { // F93
	w := newWorld(t)
	if err := w.Configure(func(s *Settings) { s.RefuseTasks, s.DropTasks, s.ErrorForm = "^T-2$", "^T-3$", "object" }); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"pendingList":[%s,%s,%s]}`, seedItem, with(f{"taskId": "T-2"}), with(f{"taskId": "T-3"}))
	a := w.do("POST", listPath, body, "token", w.token(), "Content-Type", "application/json")
	if want := `{"success":false,"errorMsgs":[{"code":"REFUSED","ent":{"taskId":"T-2"},"message":"refused by the settings of the simulator"}]}`; strings.TrimSpace(a.Body) != want {
		t.Errorf("got %s", a.Body)
	}
	for task, want := range map[string]string{
		"T-1": `{"state":"0","success":true}`,
		"T-2": `{"success":false,"errorMsgs":[{"code":"REFUSED","ent":{"taskId":"T-2"},"message":"the item does not exist"}]}`,
		"T-3": `{"success":false,"errorMsgs":[{"code":"REFUSED","ent":{"taskId":"T-3"},"message":"the item does not exist"}]}`,
	} {
		if a := w.do("GET", readPath+"/3004/"+task+"/lisi", "", "token", w.token()); strings.TrimSpace(a.Body) != want {
			t.Errorf("%s: got %s", task, a.Body)
		}
	}
	_ = w.Configure(func(s *Settings) { s.RefuseTasks, s.DropTasks = "", "^T-1$" })
	w.mustPush(updatePath, with(f{"state": "1"}))
	if item := w.Items()[0]; item.State != StateOpen {
		t.Errorf("a dropped update came through: %+v", item)
	}
	if err := w.Configure(func(s *Settings) { s.DropTasks = "(" }); err == nil {
		t.Error("a broken pattern was accepted")
	}
	if a := w.do("GET", readPath+"/3004/T-1/lisi", ""); a.Status != 401 {
		t.Errorf("without a token: %d", a.Status)
	}
}
