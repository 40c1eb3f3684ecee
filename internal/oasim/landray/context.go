package landray

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// values is a context object: what one call says, whichever protocol it came by. Numbers are kept as their text.
type values map[string]string

// dateForm is yyyy-MM-dd HH:mm:ss (LR-DOC).
const dateForm = "2006-01-02 15:04:05"

// contexts are the fields of each operation; a star marks those that must be there (LR-DOC §3.2).
var contexts = map[string]string{
	"sendTodo": "appName modelName* modelId* subject* link* mobileLink padLink type* key param1 param2 targets* createTime* docCreator level " +
		"extendContent others",
	"deleteTodo":   "appName modelName* modelId* optType* key param1 param2 type targets others",
	"setTodoDone":  "appName modelName* modelId* optType* key param1 param2 type targets others",
	"updateTodo":   "appName modelName* modelId* key param1 param2 subject* link* mobileLink padLink type* level* extendContent others",
	"getTodo":      "targets* type otherCond rowSize pageNo",
	"getTodoCount": "target* types",
}

// check says what is wrong with the context of an operation.
func (v values) check(operation string, s Settings) error {
	var names []string
	for field := range strings.FieldsSeq(contexts[operation]) {
		name, required := strings.CutSuffix(field, "*")
		names = append(names, name)
		links := s.RequireMobileLinks && (name == "mobileLink" || name == "padLink")
		if (required || links) && strings.TrimSpace(v[name]) == "" {
			return fmt.Errorf("%s不能为空", name)
		}
	}
	for name := range v {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s: 未知参数", name)
		}
	}
	for name, allowed := range map[string][]string{
		"type": typesOf(operation), "level": {"1", "2", "3"}, "optType": {optAll, optNamed},
	} {
		if given := v[name]; given != "" && !slices.Contains(allowed, given) {
			return fmt.Errorf("%s: %q不是%v之一", name, given, allowed)
		}
	}
	if v["createTime"] != "" {
		if _, err := time.Parse(dateForm, v["createTime"]); err != nil {
			return fmt.Errorf("createTime: %q不是yyyy-MM-dd HH:mm:ss", v["createTime"])
		}
	}
	return nil
}

func typesOf(operation string) []string {
	switch operation {
	case "sendTodo", "updateTodo":
		return []string{typeApprove, typeRead}
	case "getTodo":
		return []string{"-1", "0", "1", "2", "3", "4", "5", "13"}
	default:
		return []string{typeApprove, typeRead, typeSuspended}
	}
}

// readJSON reads a JSON context. Everything is text or a number: an object where JSON text must be is refused (LR-DOC).
func readJSON(body []byte) (values, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil || object == nil {
		return nil, fmt.Errorf("参数不是JSON对象")
	}
	v := values{}
	for name, value := range object {
		switch value := value.(type) {
		case string:
			v[name] = value
		case json.Number:
			v[name] = value.String()
		case nil:
		default:
			return v, fmt.Errorf("%s: 必须是字符串", name)
		}
	}
	return v, nil
}

// readElement reads the context object of a SOAP call.
func readElement(arg0 *soap.Element) (values, error) {
	v := values{}
	for _, e := range arg0.Children {
		if len(e.Children) > 0 {
			return v, fmt.Errorf("%s: 必须是字符串", e.Name)
		}
		v[e.Name] = e.Text
	}
	return v, nil
}
