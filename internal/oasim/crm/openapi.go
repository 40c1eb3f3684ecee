package crm

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// The errorCodes of the open interface. 10006, 20016 and 20017 are what live probes got where the published table says
// something else (FX-NEW); which code too many token calls get is not known, 14001 is from memory.
const (
	codeParameter   = 10006
	codeNoRecipient = 10015
	codeNoText      = 12005
	codeMessageType = 12003
	codeTooMany     = 14001
	codeBadToken    = 20016
	codeNoToken     = 20017
	codeNoUser      = 20012
	codeRecord      = 32000
)

var codeWords = map[int]string{
	codeParameter:   "the parameter appSecret is missing or illegal",
	codeNoRecipient: "toUser is missing",
	codeNoText:      "text is empty",
	codeMessageType: "the message type is not supported",
	codeTooMany:     "call limit",
	codeBadToken:    "the cropId,cropAccessToken or authorization is error", // spelling as probed (FX-NEW)
	codeNoToken:     "corpAccessToken为必填项，不能为空",
	codeNoUser:      "openUserId not found",
	codeRecord:      "the record does not exist",
}

const (
	maxOpenBody   = 1 << 20
	maxRecipients = 500 // of one message (FX-DEMO)
)

// routeOpen serves the open interface. It stays out of the journal, because its bodies hold the app's secrets.
func (c *CRM) routeOpen() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cgi/corpAccessToken/get/V2", c.tokenCall)
	for _, path := range []string{"/cgi/crm/v2/data/get", "/cgi/crm/custom/v2/data/get"} {
		mux.HandleFunc("POST "+path, c.business(c.getData))
	}
	mux.HandleFunc("POST /cgi/message/send", c.business(c.sendMessage))
	return c.Faults().Middleware(fault.Vendor{
		// The first of errorMsgs may be an errorCode.
		Business: func(w http.ResponseWriter, _ *http.Request, a fault.Action) {
			msgs := a.ErrorMsgs
			code, words := -1, "system busy"
			if len(msgs) > 0 {
				if n, err := strconv.Atoi(msgs[0]); err == nil {
					code, words = n, codeWords[n]
				} else {
					words = msgs[0]
				}
			}
			answerCode(w, code, words, nil)
		},
		RateLimit: func(w http.ResponseWriter, _ *http.Request, _ fault.Action) { refuseCode(w, codeTooMany) },
		Swallow:   func(w http.ResponseWriter, _ *http.Request) { answerCode(w, 0, "success", nil) },
		Expire: func(w http.ResponseWriter, _ *http.Request) {
			c.tokens.expire()
			refuseCode(w, codeBadToken)
		},
	}, mux)
}

// answerCode writes an answer: HTTP 200 whatever happened (FX-NEW).
func answerCode(w http.ResponseWriter, code int, words string, more map[string]any) {
	body := map[string]any{"errorCode": code, "errorMessage": words, "errorDescription": words, "traceId": "E-O.sim"}
	for k, v := range more {
		body[k] = v
	}
	desk.Reply(w, http.StatusOK, body)
}

func refuseCode(w http.ResponseWriter, code int) { answerCode(w, code, codeWords[code], nil) }

func (c *CRM) tokenCall(w http.ResponseWriter, r *http.Request) {
	defer c.tokens.enter()()
	var in struct{ AppID, AppSecret, PermanentCode string }
	body, err := io.ReadAll(io.LimitReader(r.Body, maxOpenBody))
	app := c.app
	if err != nil || json.Unmarshal(body, &in) != nil || in.AppID != app.AppID || in.AppSecret != app.AppSecret || in.PermanentCode != app.PermanentCode {
		refuseCode(w, codeParameter)
		return
	}
	token, left, ok := c.tokens.issue(time.Duration(app.TokenSeconds)*time.Second, app.RenewTokens)
	if !ok {
		refuseCode(w, codeTooMany)
		return
	}
	answerCode(w, 0, "success", map[string]any{"corpAccessToken": token, "corpId": app.CorpID, "expiresIn": int(left / time.Second)})
}

// business wraps a call that needs a token, the enterprise and the acting person.
func (c *CRM) business(do func(w http.ResponseWriter, body []byte) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct{ CorpAccessToken, CorpID, CurrentOpenUserID string }
		body, err := io.ReadAll(io.LimitReader(r.Body, maxOpenBody))
		switch {
		case err != nil || json.Unmarshal(body, &in) != nil:
			refuseCode(w, codeRecord)
		case in.CorpAccessToken == "" || in.CorpID == "":
			refuseCode(w, codeNoToken)
		case in.CorpID != c.app.CorpID || !c.tokens.valid(in.CorpAccessToken):
			refuseCode(w, codeBadToken)
		case !c.knowsUser(in.CurrentOpenUserID):
			refuseCode(w, codeNoUser)
		case do(w, body):
			c.tokens.count(r.URL.Path)
		}
	}
}

func (c *CRM) knowsUser(openUserID string) bool {
	return slices.ContainsFunc(c.People(), func(p Person) bool { return OpenUserID(p.Account) == openUserID })
}

func (c *CRM) getData(w http.ResponseWriter, body []byte) bool {
	var in struct {
		Data struct{ DataObjectAPIName, ObjectDataID string }
	}
	_ = json.Unmarshal(body, &in)
	fields, ok := c.objects.get(Object{in.Data.DataObjectAPIName, in.Data.ObjectDataID})
	if !ok {
		refuseCode(w, codeRecord)
		return false
	}
	answerCode(w, 0, "OK", map[string]any{"data": fields})
	return true
}

func (c *CRM) sendMessage(w http.ResponseWriter, body []byte) bool {
	var in struct {
		ToUser    []string
		MsgType   string
		Text      struct{ Content string }
		Composite json.RawMessage
	}
	_ = json.Unmarshal(body, &in)
	unknown := func(id string) bool { return !c.knowsUser(id) }
	switch {
	case len(in.ToUser) == 0 || len(in.ToUser) > maxRecipients:
		refuseCode(w, codeNoRecipient)
	case slices.ContainsFunc(in.ToUser, unknown):
		refuseCode(w, codeNoUser)
	case in.MsgType != "text" && in.MsgType != "composite":
		refuseCode(w, codeMessageType)
	case in.MsgType == "text" && in.Text.Content == "", in.MsgType == "composite" && len(in.Composite) == 0:
		refuseCode(w, codeNoText)
	default:
		c.messages.add(Message{To: in.ToUser, Type: in.MsgType, Text: in.Text.Content, Composite: in.Composite})
		answerCode(w, 0, "OK", nil)
		return true
	}
	return false
}
