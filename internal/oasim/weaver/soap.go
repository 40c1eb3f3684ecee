package weaver

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const (
	servicePath = "/services/OfsTodoDataWebService"
	namespace   = "webservices.ofs.weaver.com.cn" // without a scheme (WV-SOAP)
)

//go:embed OfsTodoDataWebService.wsdl
var wsdl []byte

// format is how the one parameter in0 holds the item.
type format string

const (
	formatJSON format = "json"
	formatXML  format = "xml"
	formatMap  format = "map"
)

// operations are those of the service: six of them, each in three formats (WV-SOAP).
var operations = func() map[string]form {
	out := map[string]form{}
	for _, op := range []operation{receive, todo, done, over, deleteFlow, deleteUser} {
		out[string(op)+"ByJson"] = form{op, formatJSON}
		out[string(op)+"ByMap"] = form{op, formatMap}
		out[string(op)+"ByXml"] = form{op, formatXML}
	}
	// The product spells this one in capitals.
	delete(out, "deleteRequestInfoByXml")
	out["deleteRequestInfoByXML"] = form{deleteFlow, formatXML}
	return out
}()

type form struct {
	op  operation
	how format
}

func (s *Weaver) routeSOAP(mux *http.ServeMux) {
	mux.HandleFunc("GET "+servicePath, func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("wsdl") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		_, _ = w.Write(bytes.ReplaceAll(wsdl, []byte("http://OA_HOST"), []byte("http://"+r.Host)))
	})
	mux.HandleFunc("POST "+servicePath, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		call, f, err := readCall(body)
		if err != nil {
			s.style().Fault(w, call.Version, true, err.Error())
			return
		}
		item, err := s.readItem(call, f.how)
		res := failure(item, "SetParam", "Check", "in0: "+fmt.Sprint(err))
		if err == nil {
			res = s.apply(r, f.op, item)
		}
		s.answerSOAP(w, call, f.how, res)
	})
}

func (s *Weaver) style() soap.Style {
	settings := s.Settings()
	return soap.Style{Space: namespace, Prefix: settings.SOAPPrefix, GBK: settings.GBK, Qualified: true}
}

// readCall takes a call apart. The value of the SOAPAction header does not matter (WV-SOAP).
func readCall(body []byte) (soap.Call, form, error) {
	call, err := soap.Read(body)
	if err != nil {
		return call, form{}, err
	}
	f, ok := operations[call.Operation.Name]
	if !ok || call.Operation.Space != namespace {
		return call, form{}, fmt.Errorf("no such operation: {%s}%s", call.Operation.Space, call.Operation.Name)
	}
	if call.Operation.Child("in0") == nil {
		return call, form{}, fmt.Errorf("the parameter in0 is missing")
	}
	return call, f, nil
}

func (s *Weaver) readItem(call soap.Call, how format) (fields, error) {
	in, item := call.Operation.Child("in0"), fields{}
	switch how {
	case formatMap:
		for _, entry := range in.Children {
			item[entry.Value("key")] = entry.Value("value")
		}
	case formatXML: // any root with one element per field (derived)
		root, err := soap.Parse([]byte(in.Text))
		if err != nil {
			return item, err
		}
		for _, e := range root.Children {
			item[e.Name] = e.Text
		}
	default:
		return readObject(json.RawMessage(s.lenient(in.Text)))
	}
	return item, nil
}

// answerSOAP returns the result in the format of the call, inside the element out (WV-SOAP).
func (s *Weaver) answerSOAP(w http.ResponseWriter, call soap.Call, how format, res result) {
	out := soap.Part{Name: "out", Form: s.Settings().SOAPForm}
	members := [][2]string{
		{"syscode", res.SysCode}, {"dataType", res.DataType}, {"operType", res.OperType}, {"operResult", res.OperResult},
		{"message", res.Message},
	}
	switch how {
	case formatMap:
		for _, m := range members {
			out.Parts = append(out.Parts, soap.Part{Name: "entry", Parts: []soap.Part{{Name: "key", Text: m[0]}, {Name: "value", Text: m[1]}}})
		}
	case formatXML: // the names of the JSON form (derived)
		var b strings.Builder
		b.WriteString("<ResultInfo>")
		for _, m := range members {
			b.WriteString("<" + m[0] + ">")
			_ = xml.EscapeText(&b, []byte(m[1]))
			b.WriteString("</" + m[0] + ">")
		}
		b.WriteString("</ResultInfo>")
		out.Text = b.String()
	default:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(res)
		out.Text = strings.TrimSpace(b.String())
	}
	s.style().Answer(w, call.Version, call.Operation.Name+"Response", out)
}

// failSOAP answers with a failure, or with a fault when the script names one: code "Client" or "Server".
func (s *Weaver) failSOAP(w http.ResponseWriter, body []byte, code, message string) {
	call, f, err := readCall(body)
	if err != nil || code == "Client" || code == "Server" {
		s.style().Fault(w, call.Version, code == "Client", message)
		return
	}
	item, _ := s.readItem(call, f.how)
	s.answerSOAP(w, call, f.how, failure(item, "WfData", "Edit", message))
}
