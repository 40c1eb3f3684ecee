package landray

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// pageSize is the number of rows when a call does not say (derived).
const pageSize = 15

// doc is one row of getTodo (LR-DOC §3.3).
type doc struct {
	ID          string `json:"id"`
	Subject     string `json:"subject"`
	Type        string `json:"type"`
	Key         string `json:"key"`
	Param1      string `json:"param1"`
	Param2      string `json:"param2"`
	AppName     string `json:"appName"`
	ModelName   string `json:"modelName"`
	ModuleName  string `json:"moduleName"`
	ModelID     string `json:"modelId"`
	CreateTime  string `json:"createTime"`
	Creator     string `json:"creator"`
	CreatorName string `json:"creatorName"`
	Level       string `json:"level"`
	Link        string `json:"link"`
	MobileLink  string `json:"mobileLink"`
	PadLink     string `json:"padLink"`
}

func newDoc(i inbox.Item) doc {
	f := func(name string) string {
		text, _ := i.Fields[name].(string)
		return text
	}
	return doc{
		ID: i.ID, Subject: i.Title, Type: f("type"), Key: f("key"), Param1: f("param1"), Param2: f("param2"), AppName: f("appName"),
		ModelName: f("modelName"), ModuleName: f("appName"), ModelID: f("modelId"), CreateTime: f("createTime"), Creator: f("docCreator"),
		CreatorName: i.Sender, Level: f("level"), Link: i.URL, MobileLink: i.MobileURL, PadLink: f("padLink"),
	}
}

// wanted says whether an item is of a type of getTodo: −1 all done, 0 all open, 1 2 3 open of that type, 4 handled, 5 read,
// 13 open of type 1 or 3 (LR-DOC).
func wanted(i *inbox.Item, kind string) bool {
	own, _ := i.Fields["type"].(string)
	open, done := i.State == inbox.Open, i.State == inbox.Done
	switch kind {
	case "-1":
		return done
	case "1", "2", "3":
		return open && own == kind
	case "4":
		return done && own == typeApprove
	case "5":
		return done && own == typeRead
	case "13":
		return open && (own == typeApprove || own == typeSuspended)
	default:
		return open
	}
}

// list answers getTodo: a page of the people's items, as JSON text in the message.
func (s *Landray) list(v values) result {
	owners, err := s.owners(v["targets"])
	if err != nil {
		return fail(err)
	}
	fits, err := condition(v["otherCond"])
	if err != nil {
		return fail(err)
	}
	size, page := positive(v["rowSize"], pageSize), positive(v["pageNo"], 1)
	docs := []doc{}
	for _, p := range owners {
		for _, i := range s.box.Where(func(i *inbox.Item) bool { return i.Person == p.ID && wanted(i, v["type"]) }) {
			if d := newDoc(i); fits(d) {
				docs = append(docs, d)
			}
		}
	}
	count := len(docs)
	from := min((page-1)*size, count)
	docs = docs[from:min(from+size, count)]
	if len(docs) == 0 {
		return result{succeeded, text(map[string]string{"errorPage": "true", "message": "没有符合条件的记录"})}
	}
	return result{succeeded, text(map[string]any{
		"pageCount": (count + size - 1) / size, "pageno": page, "count": count, "docs": docs,
	})}
}

// condition reads otherCond. Its shape is not public: a list of objects whose members must equal those of a row (derived).
func condition(raw string) (func(doc) bool, error) {
	if raw == "" {
		return func(doc) bool { return true }, nil
	}
	var list []map[string]string
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		return nil, fmt.Errorf("otherCond不是JSON数组：%s", raw)
	}
	return func(d doc) bool {
		var row map[string]string
		_ = json.Unmarshal([]byte(text(d)), &row) // a doc holds nothing but strings
		for _, c := range list {
			for name, value := range c {
				if row[name] != value {
					return false
				}
			}
		}
		return true
	}, nil
}

// count answers getTodoCount with text such as [{"0":13},{"1":2}].
func (s *Landray) count(v values) result {
	owners, err := s.owners(v["target"])
	if err == nil && len(owners) != 1 {
		err = fmt.Errorf("target必须是一个人")
	}
	if err != nil {
		return fail(err)
	}
	types := []struct {
		Type json.Number `json:"type"`
	}{{"0"}}
	if v["types"] != "" {
		if err := json.Unmarshal([]byte(v["types"]), &types); err != nil {
			return fail(fmt.Errorf("types格式错误：%s", v["types"]))
		}
	}
	counts := []map[string]int{}
	for _, t := range types {
		n := len(s.box.Where(func(i *inbox.Item) bool { return i.Person == owners[0].ID && wanted(i, t.Type.String()) }))
		counts = append(counts, map[string]int{t.Type.String(): n})
	}
	return result{succeeded, text(counts)}
}

func positive(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
