package yunzhijia

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// vendor tells the fault script how this OA fails. The code of a business failure is an errorCode, 202 (busy) by default.
func (s *Yunzhijia) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: func(_ *http.Request, body []byte) []fault.Subject {
			var created toDo
			var acted action
			_, _ = json.Unmarshal(body, &created), json.Unmarshal(body, &acted)
			one := fault.Subject{TaskID: created.SourceID + acted.SourceItemID, Title: created.ItemTitle}
			var out []fault.Subject
			for _, p := range created.Params {
				out = append(out, fault.Subject{TaskID: one.TaskID, Receiver: p.OpenID, Title: one.Title})
			}
			if acted.OpenIDs != nil {
				for _, id := range *acted.OpenIDs {
					out = append(out, fault.Subject{TaskID: one.TaskID, Receiver: id})
				}
			}
			if out == nil {
				out = []fault.Subject{one}
			}
			return out
		},
		Business: func(w http.ResponseWriter, _ *http.Request, a fault.Action) {
			o := outcome{words: "系统繁忙", code: 202}
			if n, err := strconv.Atoi(a.Code); err == nil {
				o.code = n
			}
			if len(a.ErrorMsgs) > 0 {
				o.words = strings.Join(a.ErrorMsgs, "; ")
			}
			s.write(w, o)
		},
		RateLimit: func(w http.ResponseWriter, _ *http.Request, _ fault.Action) { s.write(w, tooMany) },
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.forget(r.URL.Query().Get("accessToken"))
			s.refuseToken(w)
		},
	}
}
