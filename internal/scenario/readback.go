package scenario

import (
	"net/http"
)

// Presence says whether the OA holds an item.
type Presence string

// What a read-back can find.
const (
	// Unknown: the OA could not be asked, or did not answer the question.
	Unknown Presence = "Unknown"
	// Found: the OA holds the item as it should be.
	Found Presence = "Found"
	// Missing: the OA answered, and does not hold the item or not as it should be.
	Missing Presence = "Missing"
)

type readBack struct {
	call   *call
	result Result
}

func compileReadBack(field, protocol string, r ReadBack) (*readBack, []Problem) {
	c, problems := compileCall(field, protocol, Call{Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Body})
	if r.Result.CodeName == "" || r.Result.SuccessCode == "" {
		problems = append(problems, Problem{reasonTemplate, field + ".result",
			"codeName and successCode must say where the answer shows that the item is there; set both"})
	}
	if protocol == Webservice && r.Body != "" && r.Method == http.MethodGet {
		problems = append(problems, Problem{reasonTemplate, field + ".method", "a web service is asked with POST; set method: POST"})
	}
	return &readBack{c, r.Result}, problems
}

// ReadBack makes the request that asks whether the OA holds what the call of an action wrote, and the mapping of its
// answer for ClassifyReadBack. The error is ErrNoCall when the template has none, or a *RenderError.
func (s *Scenario) ReadBack(a Action, f Fields) (Request, Result, error) {
	r := s.readBacks[a]
	if r == nil {
		return Request{}, Result{}, ErrNoCall
	}
	req, err := s.render(a, r.call, f)
	return req, r.result, err
}

// ClassifyReadBack says what the answer to a read-back means. An answer that can be read, with a status that says that
// the question was understood, is Missing unless it has the success code; an address that the OA does not serve is no
// answer. Everything else is Unknown, with class and message as Classify has them.
func ClassifyReadBack(status int, body []byte, result Result) (p Presence, class, message string) {
	class, message = Classify(status, body, result)
	if class == "" {
		return Found, "", ""
	}
	asked := status >= 200 && status < 300 || status == http.StatusNotFound || status == http.StatusGone
	if v := result.Judge(body); asked && v.Readable && v.Fault == "" {
		return Missing, "", "the OA accepted the item earlier, but does not hold it as it should be: " + message
	}
	return Unknown, class, message
}
