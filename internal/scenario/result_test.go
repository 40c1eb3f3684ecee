package scenario_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/scenario"
)

func TestJudge(t *testing.T) { // F11 F12 F13 F14 TM-09
	code := scenario.Result{CodeName: "code", MsgName: "message", SuccessCode: "0"}
	nested := scenario.Result{CodeName: "result.code", MsgName: "result.msg", SuccessCode: "0", DataName: "data"}
	for name, c := range map[string]struct {
		result scenario.Result
		answer string
		want   scenario.Verdict
	}{
		"number":               {code, `{"code":0,"message":"ok"}`, scenario.Verdict{OK: true, Code: "0", Message: "ok", Readable: true}},
		"text":                 {code, `{"code":"0"}`, scenario.Verdict{OK: true, Code: "0", Readable: true}},
		"number with fraction": {code, `{"code":0.0}`, scenario.Verdict{OK: true, Code: "0.0", Readable: true}},
		"text with fraction":   {code, `{"code":"0.0"}`, scenario.Verdict{Code: "0.0", Readable: true}},
		"other code":           {code, `{"code":1,"message":"系统编码不存在"}`, scenario.Verdict{Code: "1", Message: "系统编码不存在", Readable: true}},
		"false is not 0":       {code, `{"code":false}`, scenario.Verdict{Code: "false", Readable: true}},
		"absent":               {code, `{"Code":0}`, scenario.Verdict{Readable: true}},
		"null":                 {code, `{"code":null}`, scenario.Verdict{Readable: true}},
		"object":               {code, `{"code":{"0":0}}`, scenario.Verdict{Readable: true}},
		"list":                 {code, `{"code":[0]}`, scenario.Verdict{Readable: true}},
		"answer is a list":     {code, `[{"code":0}]`, scenario.Verdict{Readable: true}},
		"answer is a text":     {code, `"0"`, scenario.Verdict{Readable: true}},
		"HTML":                 {code, "<html>0</html>", scenario.Verdict{}},
		"nothing":              {code, "", scenario.Verdict{}},
		"cut off":              {code, `{"code":0`, scenario.Verdict{}},
		"two documents":        {code, `{"code":0}{"code":1}`, scenario.Verdict{}},
		"byte order mark":      {code, "\uFEFF{\"code\":0}\r\n", scenario.Verdict{OK: true, Code: "0", Readable: true}},
		"true":                 {scenario.SeeyonResult, `{"success":true,"errorMsgs":[]}`, scenario.Verdict{OK: true, Code: "true", Readable: true}},
		"true as text":         {scenario.SeeyonResult, `{"success":"true"}`, scenario.Verdict{OK: true, Code: "true", Readable: true}},
		"true is not TRUE":     {scenario.SeeyonResult, `{"success":"TRUE"}`, scenario.Verdict{Code: "TRUE", Readable: true}},
		"list of texts":        {scenario.SeeyonResult, `{"success":false,"errorMsgs":["a\nb","c"]}`, scenario.Verdict{Code: "false", Message: "a b; c", Readable: true}},
		"list of objects":      {scenario.SeeyonResult, `{"success":false,"errorMsgs":[{"code":"POST_REPEAT_NAME"}]}`, scenario.Verdict{Code: "false", Message: `{"code":"POST_REPEAT_NAME"}`, Readable: true}},
		"data first":           {nested, `{"result":{"code":1},"data":{"result":{"code":0,"msg":"in"}}}`, scenario.Verdict{OK: true, Code: "0", Message: "in", Readable: true}},
		"data absent":          {nested, `{"result":{"code":0}}`, scenario.Verdict{Readable: true}},
		"no mapping":           {scenario.Result{}, `{"x":1}`, scenario.Verdict{OK: true, Readable: true}},
		"no mapping, HTML":     {scenario.Result{}, `<html>`, scenario.Verdict{}},
		"no wildcards":         {scenario.Result{CodeName: "c*", SuccessCode: "0"}, `{"code":0}`, scenario.Verdict{Readable: true}},
		"no modifiers":         {scenario.Result{CodeName: "@this", SuccessCode: "0"}, `0`, scenario.Verdict{Readable: true}},
		"in a list":            {scenario.Result{CodeName: "items.0.code", SuccessCode: "0"}, `{"items":[{"code":0}]}`, scenario.Verdict{OK: true, Code: "0", Readable: true}},
		"long numbers":         {scenario.Result{CodeName: "c", SuccessCode: "9007199254740993"}, `{"c":9007199254740992}`, scenario.Verdict{Code: "9007199254740992", Readable: true}},
		"too deep":             {code, strings.Repeat("[", 100_000), scenario.Verdict{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.result.Judge([]byte(c.answer)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// An answer is success exactly when its code, written as text, is the success code; no answer makes a panic or a long
// message. // F14
func TestJudgeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		success := rapid.SampledFrom([]string{"0", "1", "true", "ok"}).Draw(t, "success")
		value := rapid.SampledFrom([]any{0, 1, "0", "1", true, false, "true", "ok", "OK", nil, []any{}, map[string]any{}}).Draw(t, "value")
		message := rapid.String().Draw(t, "message")
		answer, err := json.Marshal(map[string]any{"a": map[string]any{"code": value, "msg": []string{message, strings.Repeat("长", 600)}}})
		if err != nil {
			t.Fatal(err)
		}
		r := scenario.Result{CodeName: "a.code", MsgName: "a.msg", SuccessCode: success}
		v := r.Judge(answer)
		if want := value != nil && fmt.Sprint(value) == success; v.OK != want || !v.Readable {
			t.Fatalf("%s: got %+v, want %v", answer, v, want)
		}
		if n := utf8.RuneCountInString(v.Message); n > scenario.MaxMessage || !utf8.ValidString(v.Message) || strings.ContainsAny(v.Message, "\r\n") {
			t.Fatalf("message of %d characters: %q", n, v.Message)
		}
		junk := rapid.SliceOf(rapid.Byte()).Draw(t, "junk")
		if v := r.Judge(junk); v.OK {
			t.Fatalf("%q is success", junk)
		}
	})
}

// HTTP 200 is not delivery. // F14 F40
func TestClassify(t *testing.T) {
	r := scenario.SeeyonResult
	for _, c := range []struct {
		status       int
		body         string
		class, words string
	}{
		{200, `{"success":true}`, "", ""},
		{201, `{"success":true}`, "", ""},
		{200, `{"success":false,"errorMsgs":["系统编码不存在"]}`, "BusinessCode", "the OA refused it with success=false: 系统编码不存在"},
		{200, `{}`, "BusinessCode", `no code in "success"`},
		{200, `<html>`, "ServerError", "not JSON"},
		{200, ``, "ServerError", "without a body"},
		{302, `{"success":true}`, "ServerError", "redirect"},
		{400, `{"success":true}`, "BusinessCode", "HTTP 400"},
		{404, `<html>`, "ServerError", "HTTP 404"},
		{401, `{"success":true}`, "AuthExpired", "HTTP 401"},
		{403, ``, "AuthExpired", "HTTP 403"},
		{429, ``, "RateLimited", "HTTP 429"},
		{500, `{"success":true}`, "ServerError", "HTTP 500"},
		{503, ``, "ServerError", "HTTP 503"},
	} {
		class, message := scenario.Classify(c.status, []byte(c.body), r)
		if class != c.class || !strings.Contains(message, c.words) || (class == "") != (message == "") {
			t.Errorf("%d %s: got %s %q", c.status, c.body, class, message)
		}
	}
}
