package scenario

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Delivered is the outcome of a template test whose answer means success.
const Delivered = "Delivered"

// Classify says what an answer means. class is empty for success, else one of the values of delivery.retry.classes; message
// is one sentence without random parts, and quotes the OA's own words. HTTP 200 is not delivery: the answer itself must
// say that it worked.
//
// 401 and 403 are AuthExpired, 429 is RateLimited. A SOAP fault counts before the success test and whatever the status
// (SOAP 1.1 puts every fault on a 500): one that blames the caller is BusinessCode, any other ServerError. 5xx is
// ServerError. Every other answer that cannot be read, such as a login page or a redirect to one, is a ServerError too: it
// is not what the OA's interface promises. What is left is decided by the result mapping, and is BusinessCode unless it is
// success.
//
// body is UTF-8: see Decode.
func Classify(status int, body []byte, result Result) (class, message string) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return string(v1alpha1.ClassAuthExpired), fmt.Sprintf("the OA answered HTTP %d: it does not accept the token or the account", status)
	case http.StatusTooManyRequests:
		return string(v1alpha1.ClassRateLimited), "the OA answered HTTP 429: too many calls"
	}
	v := result.Judge(body)
	switch {
	case v.Fault != "":
		return faultClass(v.Fault), strings.TrimSuffix(fmt.Sprintf("the OA answered HTTP %d with the SOAP fault %s: %s", status, v.Fault, v.Message), ": ")
	case status >= 500:
		return string(v1alpha1.ClassServerError), fmt.Sprintf("the OA answered HTTP %d", status)
	case status >= 300 && status < 400:
		return string(v1alpha1.ClassServerError), fmt.Sprintf("the OA answered HTTP %d: a redirect where a result was expected", status)
	}
	success := status >= 200 && status < 300
	switch {
	case !v.Readable && len(body) == 0:
		return string(v1alpha1.ClassServerError), fmt.Sprintf("the OA answered HTTP %d without a body", status)
	case !v.Readable:
		return string(v1alpha1.ClassServerError), fmt.Sprintf("the OA answered HTTP %d with something that is not %s", status, result.Format())
	case success && v.OK:
		return "", ""
	}
	return string(v1alpha1.ClassBusinessCode), businessMessage(status, success, v, result)
}

// faultClass tells a fault of the caller (SOAP 1.1 Client, 1.2 Sender, both also with a subcode after a dot) from one of
// the server, which may pass.
func faultClass(code string) string {
	general, _, _ := strings.Cut(code, ".")
	if general == "Client" || general == "Sender" {
		return string(v1alpha1.ClassBusinessCode)
	}
	return string(v1alpha1.ClassServerError)
}

// Format of the answers that can be read.
func (r Result) Format() string {
	if r.XMLJSONField != "" {
		return "XML"
	}
	return "JSON"
}

func businessMessage(status int, success bool, v Verdict, r Result) string {
	message := "the OA refused it"
	switch {
	case !success:
		message += fmt.Sprintf(" with HTTP %d", status)
	case v.Code == "":
		message = fmt.Sprintf("the OA's answer has no code in %q", path(r))
	default:
		message += fmt.Sprintf(" with %s=%s", path(r), v.Code)
	}
	if v.Message != "" {
		message += ": " + v.Message
	}
	return message
}

func path(r Result) string {
	if r.DataName == "" {
		return r.CodeName
	}
	return r.DataName + "." + r.CodeName
}
