package crm

import "fmt"

// Person is somebody with a CRM account. OALogin is who they are in the OA, for configurations that want both sides.
type Person struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	OALogin string `json:"oaLogin,omitempty"`
	// Unbound marks the person who shall have no binding.
	Unbound bool `json:"unbound,omitempty"`
}

func (p Person) ref() Account { return Account{p.Account, p.Name} }

const (
	senderAccount = 1000
	firstAccount  = 1001
	maxPeople     = 10_000
)

var names = []struct{ name, login string }{
	{"李娜", "lina"}, {"王芳", "wangfang"}, {"刘洋", "liuyang"}, {"陈静", "chenjing"}, {"杨帆", "yangfan"},
	{"赵磊", "zhaolei"}, {"黄敏", "huangmin"}, {"周杰", "zhoujie"}, {"吴倩", "wuqian"}, {"徐强", "xuqiang"},
	{"孙悦", "sunyue"}, {"马超", "machao"}, {"朱琳", "zhulin"}, {"胡军", "hujun"}, {"郭婷", "guoting"},
	{"何勇", "heyong"}, {"高洁", "gaojie"}, {"林峰", "linfeng"}, {"罗丹", "luodan"}, {"郑爽", "zhengshuang"},
}

// Sender is the person whom all generated to-dos come from.
func Sender() Person {
	return Person{Account: fmt.Sprint(senderAccount), Name: "张伟", OALogin: "zhangwei"}
}

// People returns the first n people: accounts 1001, 1002 and so on. The last of them is the one without a binding.
func People(n int) []Person {
	out := make([]Person, n)
	for i := range out {
		account := fmt.Sprint(firstAccount + i)
		out[i] = Person{Account: account, Name: "员工" + account, OALogin: "u" + account, Unbound: i == n-1}
		if i < len(names) {
			out[i].Name, out[i].OALogin = names[i].name, names[i].login
		}
	}
	return out
}
