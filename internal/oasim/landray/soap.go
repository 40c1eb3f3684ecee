package landray

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const (
	servicePath = "/sys/webservice/sysNotifyTodoWebService"
	namespace   = "http://webservice.notify.sys.kmss.landray.com/"
	// headerNamespace is that of the authentication header (LR-SOAP).
	headerNamespace = "http://sys.webservice.client"
)

//go:embed sysNotifyTodoWebService.wsdl
var wsdl []byte

func (s *Landray) routeSOAP(mux *http.ServeMux) {
	mux.HandleFunc("GET "+servicePath, func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("wsdl") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		_, _ = w.Write(bytes.ReplaceAll(wsdl, []byte("http://EKP_HOST"), []byte("http://"+r.Host)))
	})
	mux.HandleFunc("POST "+servicePath, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		call, v, err := readCall(body)
		if err != nil {
			s.style().Fault(w, call.Version, true, err.Error())
			return
		}
		user, ok := s.caller(r, call)
		if !ok {
			s.refuseSOAP(w, call)
			return
		}
		journal.SetUser(r.Context(), user)
		s.answerSOAP(w, call, s.do(r.Context(), call.Operation.Name, v))
	})
}

func (s *Landray) style() soap.Style {
	settings := s.Settings()
	return soap.Style{Space: namespace, Prefix: settings.Prefix, GBK: settings.GBK}
}

// caller is the user of the SOAP header, under any prefix, or else of HTTP Basic (LR-SOAP).
func (s *Landray) caller(r *http.Request, call soap.Call) (string, bool) {
	if h := call.Header.Child("RequestSOAPHeader"); h != nil && h.Space == headerNamespace {
		return h.Value("user"), s.authorised(true, h.Value("user"), h.Value("password"), true)
	}
	user, password, basic := r.BasicAuth()
	return user, s.authorised(basic, user, password, false)
}

func (s *Landray) refuseSOAP(w http.ResponseWriter, call soap.Call) {
	if s.Settings().AuthFailure == "401" {
		refuse(w)
		return
	}
	s.style().Fault(w, call.Version, true, "用户名或密码错误")
}

// readCall takes a call apart: one operation whose arg0 is the context object (LR-DOC).
func readCall(body []byte) (soap.Call, values, error) {
	call, err := soap.Read(body)
	if err != nil {
		return call, nil, err
	}
	if _, ok := contexts[call.Operation.Name]; !ok || call.Operation.Space != namespace {
		return call, nil, fmt.Errorf("no such operation: {%s}%s", call.Operation.Space, call.Operation.Name)
	}
	arg0 := call.Operation.Child("arg0")
	if arg0 == nil {
		return call, nil, fmt.Errorf("the parameter arg0 is missing")
	}
	v, err := readElement(arg0)
	return call, v, err
}

// answerSOAP writes a result into the element return.
func (s *Landray) answerSOAP(w http.ResponseWriter, call soap.Call, r result) {
	parts := []soap.Part{{Name: "message", Text: r.Message}, {Name: "returnState", Text: strconv.Itoa(r.ReturnState)}}
	s.style().Answer(w, call.Version, call.Operation.Name+"Response", soap.Part{Name: "return", Parts: parts})
}
