package weaver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fields is one item of a request: all values are strings (WV-BLOG).
type fields map[string]string

var (
	known = []string{
		"syscode", "flowid", "requestname", "workflowname", "nodename", "pcurl", "appurl", "isremark", "viewtype", "creator",
		"createdatetime", "receiver", "receivedatetime", "receivets", "userid",
	}
	required = []string{
		"syscode", "flowid", "requestname", "workflowname", "nodename", "isremark", "viewtype", "creator", "createdatetime",
		"receiver", "receivedatetime",
	}
	remarks = []string{remarkToDo, remarkHandled, remarkClosed, remarkCopy}
)

// The values of isremark (WV-BLOG).
const (
	remarkToDo    = "0"
	remarkHandled = "2"
	remarkClosed  = "4"
	remarkCopy    = "8"
)

const dateForm = "2006-01-02 15:04:05"

// readObject takes one JSON object apart.
func readObject(raw json.RawMessage) (fields, error) {
	var values map[string]any
	if err := json.Unmarshal(raw, &values); err != nil || values == nil {
		return nil, fmt.Errorf("参数不是JSON对象")
	}
	f := fields{}
	for name, value := range values {
		text, ok := value.(string)
		switch {
		case !slices.Contains(known, name):
			return f, fmt.Errorf("%s: 未知参数", name)
		case !ok:
			return f, fmt.Errorf("%s: 必须是字符串", name)
		}
		f[name] = text
	}
	return f, nil
}

// check judges the values of an item that is written.
func (f fields) check(s Settings) error {
	for _, name := range required {
		if strings.TrimSpace(f[name]) == "" {
			return fmt.Errorf("%s不能为空", name)
		}
	}
	if s.RequireLinks && f["pcurl"] == "" {
		return fmt.Errorf("pcurl不能为空")
	}
	if !slices.Contains(remarks, f["isremark"]) {
		return fmt.Errorf("isremark: %q不是%v之一", f["isremark"], remarks)
	}
	if v := f["viewtype"]; v != "0" && v != "1" {
		return fmt.Errorf("viewtype: %q不是0或1", v)
	}
	for _, name := range []string{"createdatetime", "receivedatetime"} {
		if _, err := time.Parse(dateForm, f[name]); err != nil {
			return fmt.Errorf("%s: %q不是yyyy-MM-dd HH:mm:ss", name, f[name])
		}
	}
	_, err := f.version()
	return err
}

// version is receivets: milliseconds, as a string. 0: none was given.
func (f fields) version() (int64, error) {
	if f["receivets"] == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(f["receivets"], 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("receivets: %q不是毫秒时间戳", f["receivets"])
	}
	return n, nil
}

// lenient turns text in single quotes into JSON, as the product's parser accepts it (WV-SOAP).
func lenient(text string) string {
	if json.Valid([]byte(text)) {
		return text
	}
	var b strings.Builder
	var quote, escaped rune
	for _, r := range text {
		switch {
		case escaped != 0:
			escaped = 0
			if r != '\'' {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
		case r == '\\' && quote != 0:
			escaped = r
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
			b.WriteByte('"')
		case r == quote:
			quote = 0
			b.WriteByte('"')
		case r == '"':
			b.WriteString(`\"`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
