package scenario

import (
	"slices"
	"strings"
)

// Placeholder is one entry of the dictionary: a field of a CRM item that templates may use. The numbers are those of the
// CRM's own console. Its help pages show them in use but never list them, so some meanings are inferred (F31).
type Placeholder struct {
	// ID without the hash sign, e.g. F001.
	ID string
	// ZH and EN say what the value is.
	ZH, EN string
	// Example of a value as it goes out.
	Example string
	// Source is the field of the event that the value comes from (docs/reference/events.md).
	Source string
	// Evidence is where the meaning comes from.
	Evidence string
	// Inferred is true when the CRM's pages use the placeholder without saying what it is.
	Inferred bool
}

var dictionary = []Placeholder{
	{"F001", "接收人的 OA 账号", "OA account of the receiver", "lisi",
		"receivers[].account, mapped by the account bindings", "value of thirdReceiverId, noneBindingReceiver and openId", false},
	{"F009", "创建时间", "when the item was created, written in the template's dateFormat and timeZone", "2026-11-22 09:30",
		"createdAt", "value of creationDate", false},
	{"F012", "待办 ID", "id of the to-do or reminder; the OA recognises the item by it", "T-0001",
		"id", "value of taskId and sourceId", false},
	{"F015", "业务记录 ID", "id of the CRM record behind the item", "5f3c2ab1",
		"object.id", "path part after the object's apiName ({dataId})", false},
	{"F028", "企业账号(ei)", "enterprise id of the CRM", "714439",
		"enterpriseID, or else the connector's spec.enterpriseID", "third path part of the Yunzhijia link, where the Seeyon link has {ei}", true},
	{"F037", "业务对象 apiName", "API name of the CRM object behind the item", "QuoteObj",
		"object.apiName", "path part {apiName}", false},
	{"F049", "发起人的 OA 账号", "OA account of the sender; empty when the sender is not bound", "zhangsan",
		"sender.account, mapped by the account bindings", "value of thirdSenderId and senderId", false},
	{"F053", "标题的最后一段", "last part of the title: what exactly it is about", "QT-2026-0001",
		"detail", "last part of the Seeyon title", true},
	{"F054", "提交人姓名", "display name of the sender", "张三",
		"sender.name", "value of senderName; “提交人:#F054”", false},
	{"F055", "待办标题/业务类型", "heading: the type of business", "报价单审批",
		"heading", "title of the Yunzhijia to-do", true},
	{"F056", "标题的中间一段", "middle of the title: what happened", "提交",
		"subject", "itemtitle of the Yunzhijia to-do, middle of the Seeyon title", true},
}

// Dictionary returns all placeholders, sorted by ID.
func Dictionary() []Placeholder { return slices.Clone(dictionary) }

// dateField is the placeholder whose value is a time.
const dateField = "F009"

var known = func() map[string]bool {
	m := make(map[string]bool, len(dictionary))
	for _, p := range dictionary {
		m[p.ID] = true
	}
	return m
}()

// unknownPlaceholder says what is wrong with an id (without the hash sign) that is not in the dictionary.
func unknownPlaceholder(id string) string {
	msg := `unknown placeholder "#` + id + `"`
	if s := suggestPlaceholder(id); s != "" {
		msg += " (did you mean #" + s + "?)"
	} else {
		msg += "; the dictionary of placeholders lists all of them"
	}
	return msg + `; if it is meant as plain text, write "##` + id + `"`
}

// suggestPlaceholder returns the placeholder that was probably meant, or "". Letters that look like digits count as
// those digits.
func suggestPlaceholder(id string) string {
	looks := strings.NewReplacer("O", "0", "Q", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "B", "8").Replace(strings.ToUpper(id))
	ids := make([]string, len(dictionary))
	for i, p := range dictionary {
		ids[i] = p.ID
	}
	return Suggest(looks, ids)
}

// maxTypos is how many edits a suggestion may be away.
const maxTypos = 2

// Suggest returns the candidate closest to word, or "" when none is close.
func Suggest(word string, candidates []string) string {
	best, distance := "", maxTypos+1
	for _, c := range candidates {
		if d := editDistance(word, c); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
