package landray

import (
	"crypto/md5" //nolint:gosec // the vendor's form of a password
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

const restPath = "/api/sys-notify/sysNotifyTodoRestService/"

// routeREST serves the operations as JSON (LR-REST), or as a form (from memory).
func (s *Landray) routeREST(mux *http.ServeMux) {
	for operation := range contexts {
		mux.HandleFunc("POST "+restPath+operation, func(w http.ResponseWriter, r *http.Request) {
			user, password, basic := r.BasicAuth()
			if !s.authorised(basic, user, password, false) {
				refuse(w)
				return
			}
			journal.SetUser(r.Context(), user)
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			v, err := readREST(r, body)
			if err != nil {
				answer(w, fail(err))
				return
			}
			answer(w, s.do(r.Context(), operation, v))
		})
	}
}

func readREST(r *http.Request, body []byte) (values, error) {
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		v := values{}
		for name := range form {
			v[name] = form.Get(name)
		}
		return v, err
	}
	return readJSON(body)
}

// authorised says whether a call may pass. The SOAP header may hold the password as MD5.
func (s *Landray) authorised(given bool, user, password string, header bool) bool {
	settings := s.Settings()
	switch settings.Auth {
	case "none":
		return true
	case "header":
		given = given && header
	case "basic":
		given = given && !header
	}
	want, known := s.users[user]
	if !given || !known {
		return false
	}
	plain := subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
	sum := md5.Sum([]byte(want)) //nolint:gosec // see above
	hashed := header && subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(password))) == 1
	if header && settings.Password == "md5" {
		return hashed
	}
	return plain || hashed && settings.Password == "any"
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="EKP"`)
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

func answer(w http.ResponseWriter, r result) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(r)
}

// vendor tells the fault script how EKP fails. The code of a business failure may be a returnState, or "Client" or
// "Server" for a SOAP fault. There are no tokens: what expires is the right to call.
func (s *Landray) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: func(r *http.Request, body []byte) []fault.Subject {
			v := s.contextOf(r, body)
			subject := fault.Subject{TaskID: v["modelId"], Title: v["subject"]}
			targets, err := readTargets(v["targets"])
			if err != nil {
				return []fault.Subject{subject}
			}
			var out []fault.Subject
			for _, target := range targets {
				for _, value := range target {
					subject.Receiver = value
					out = append(out, subject)
				}
			}
			return out
		},
		Business: func(w http.ResponseWriter, r *http.Request, a fault.Action) {
			res := result{failed, "模拟失败 simulated failure"}
			if len(a.ErrorMsgs) > 0 {
				res.Message = strings.Join(a.ErrorMsgs, "; ")
			}
			if n, err := strconv.Atoi(a.Code); err == nil {
				if res.ReturnState = n; n == notOperated {
					res.Message = ""
				}
			}
			if r.URL.Path != servicePath {
				answer(w, res)
				return
			}
			body, _ := io.ReadAll(r.Body)
			call, _, err := readCall(body)
			if err != nil || a.Code == "Client" || a.Code == "Server" {
				s.style().Fault(w, call.Version, a.Code == "Client", res.Message)
				return
			}
			s.answerSOAP(w, call, res)
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != servicePath {
				refuse(w)
				return
			}
			body, _ := io.ReadAll(r.Body)
			call, _, _ := readCall(body)
			s.refuseSOAP(w, call)
		},
	}
}

func (s *Landray) contextOf(r *http.Request, body []byte) values {
	if r.URL.Path == servicePath {
		_, v, _ := readCall(body)
		return v
	}
	v, _ := readREST(r, body)
	return v
}
