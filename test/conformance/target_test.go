package conformance

import (
	"net/http"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// target is one type of OA over one protocol.
type target struct {
	// name of the row, such as Weaver SOAP.
	name string
	// todo and reminder are the presets.
	todo, reminder string
	// connector writes what only this OA needs into a spec that has type, protocol and vendor block still to be set. url is
	// where the simulator serves.
	connector func(spec *v1alpha1.OAConnectorSpec, url string)
	// account and wrong are the keys of the credentials Secret: as they should be, and as the OA does not accept them.
	account, wrong map[string]string
	// spoil and mend take the permission of the connector away at the OA and give it back, where there is no account.
	spoil, mend func(oa *system) error
	// binding is the OA account of a person of the simulator, where that is not the person's ID.
	binding func(person string) string
	// open makes the OA with the people of everybody.
	open func() (*system, error)
	// push is the path, or the beginning of it, of what creates a to-do; for the scripts of faults.
	push string
	// batch is the path of the call for several items; empty when items go alone.
	batch string
	// matter is the id under which the OA knows a to-do of the receiver, where that is not the CRM's.
	matter func(task string) string
	// updates is false when the OA knows no way to change an open item.
	updates bool
	// lies are answers with HTTP 200 that are no success, beside a web page and the OA's refusal, which all have.
	lies []lie
	// scope is the class of a push to somebody who is not in the OA, or may not see the app.
	scope v1alpha1.ErrorClass
	// without names the cases that do not exist for this OA, and why.
	without map[string]string
}

// lie is an answer with HTTP 200 which says less than it seems to.
type lie struct {
	name, body string
	// class of the attempt. An item whose class is tried again arrives in the end.
	class v1alpha1.ErrorClass
}

// system is a running simulator.
type system struct {
	simulator
	// items are those of a matter of the CRM, of all people; messages too.
	items func(task string) []inbox.Item
}

type simulator interface {
	http.Handler
	Faults() *fault.Set
	Journal() *journal.Journal
	Close()
}

// boxed is a simulator with the common inbox. Presets put a prefix before the ids of reminders where the OA keeps them with
// the to-dos.
func boxed(sim interface {
	simulator
	Inbox() *inbox.Box
}) *system {
	return &system{sim, func(task string) []inbox.Item {
		return sim.Inbox().Where(func(i *inbox.Item) bool { return i.TaskID == task || i.TaskID == "reminder-"+task })
	}}
}

// The people of every OA. The outsider is not in the OA, or may not see the app.
const (
	sender   = "zhangsan"
	receiver = "lisi"
	another  = "wangwu"
	outsider = "qianqi"
)

func everybody() []desk.Person {
	return []desk.Person{
		{ID: sender, Name: "张三", Code: "E1000", Mobile: "13800001000", Email: "zhangsan@corp.example"},
		{ID: receiver, Name: "李四", Code: "E1002", Mobile: "13800001002", Email: "lisi@corp.example"},
		{ID: another, Name: "王五", Code: "E1003", Mobile: "13800001003", Email: "wangwu@corp.example"},
		{ID: outsider, Name: "钱七", Code: "E1004", Mobile: "13800001004", Email: "qianqi@corp.example", OutOfScope: true},
	}
}

// pairs are CRM accounts and people. 1999 is bound to nobody.
var pairs = map[string]string{"1000": sender, "1002": receiver, "1003": another, "1004": outsider}

const unbound = "1999"

// secret is the password of every account. It must not be seen anywhere.
const secret = "canary-secret-0123456789"

// wrongSecret is not accepted.
const wrongSecret = "canary-wrong-0123456789"
