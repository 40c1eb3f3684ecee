package dingtalk

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/scenario"
)

// A work notice is taken whoever it is for; only its result says whom it did not reach [DT-GO].
const (
	noticePath = "/topapi/message/corpconversation/asyncsend_v2"
	resultPath = "/topapi/message/corpconversation/getsendresult"
)

// reached asks whether a notice that DingTalk took reached its receiver. When the question is not answered, the notice is
// accepted and no more is known.
func (p *Pusher) reached(ctx context.Context, sent scenario.Request, a oa.Attempt) oa.Attempt {
	task := gjson.GetBytes(a.Answer, "task_id")
	agent := gjson.GetBytes(sent.Body, "agent_id").String()
	if task.Type != gjson.Number {
		return oa.Attempt{
			Class: oa.BusinessCode, Message: "errcode 0 without a task_id, which means that DingTalk sends nothing",
			Method: a.Method, URL: a.URL, Request: a.Request, Answer: a.Answer, Status: a.Status, Latency: a.Latency,
		}
	}
	body, err := json.Marshal(map[string]any{"agent_id": agent, "task_id": json.Number(task.Raw)})
	if err == nil && p.pace != nil {
		err = p.pace(ctx)
	}
	if err != nil {
		a.Accepted = true
		return a
	}
	x, asked := p.old.Call(ctx, scenario.Request{Method: http.MethodPost, Path: resultPath, Body: body},
		scenario.Result{CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0"})
	if asked.Class != oa.OK {
		a.Accepted = true
		return a
	}
	for _, f := range []struct {
		list    string
		class   oa.Class
		message string
	}{
		{"invalid_user_id_list", oa.ReceiverUnknown, "the receiver is no member, or not in the application's visible range: correct the binding, or extend the range in the DingTalk console"},
		{"failed_user_id_list", oa.BusinessCode, "DingTalk could not deliver it"},
		{"forbidden_user_id_list", oa.BusinessCode, "DingTalk held it back: the receiver got the same content today, or too many notices"},
	} {
		if named(x, f.list) {
			a.Class, a.Message, a.Answer, a.Captured = f.class, "the notice was taken, but its receiver is in "+f.list+": "+f.message, asked.Answer, nil
			return a
		}
	}
	return a
}

func named(x exchange.Answer, list string) bool {
	v := gjson.GetBytes(x.Text, "send_result."+list)
	return v.IsArray() && len(v.Array()) > 0
}
