package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Code is the outcome of one click. Codes are stable: people read them out on the phone, alerts are built on them.
// docs/reference/sso-errors.md explains each one.
type Code string

// The codes. 1xxx: this click cannot work again; 2xxx: the same click may work in a moment.
const (
	// SignedIn: the person is let in.
	SignedIn Code = "OK"
	// Begun: the browser was sent to the OA. Shown: a page asks the person to do something. Announced: the OA's server said
	// who will come. None of them is an end.
	Begun     Code = "BEGUN"
	Shown     Code = "SHOWN"
	Announced Code = "ANNOUNCED"

	NoTicket    Code = "SSO-1001"
	FlowLost    Code = "SSO-1002"
	TicketSpent Code = "SSO-1003"
	ClockSkew   Code = "SSO-1004"
	Declined    Code = "SSO-1005"
	CodeExpired Code = "SSO-1006"
	NotLinked   Code = "SSO-1101"
	BadLink     Code = "SSO-1201"
	WrongHost   Code = "SSO-1202"
	WrongMethod Code = "SSO-1203"
	TooMany     Code = "SSO-1301"
	OANotAsked  Code = "SSO-2001"
	Unavailable Code = "SSO-2002"
	Busy        Code = "SSO-2003"
	Broken      Code = "SSO-2004"
	Suspended   Code = "SSO-2005"
	OARefusesUs Code = "SSO-2101"
)

// again reports whether the same click may work in a moment.
func (c Code) again() bool { return strings.HasPrefix(string(c), "SSO-2") }

// text is one language of an error page: one plain sentence, and what to do.
type text struct {
	Problem string `json:"problem"`
	Next    string `json:"next"`
}

// explanation is what a code tells the browser and the person in front of it.
type explanation struct {
	status int
	zh, en text
}

const (
	openAgain  = "请回到 OA，重新点开这条待办。"
	openAgainE = "Go back to the OA and open the to-do again."
	askAdmin   = "请联系管理员，并提供下面的代码和追踪号。"
	askAdminE  = "Contact your administrator and give them the code and trace id below."
	tryAgain   = "请稍候片刻，然后刷新本页；如仍不成功，请回到 OA 重新点开。"
	tryAgainE  = "Wait a moment and reload this page; if that does not help, open the to-do again in the OA."
)

// explanations has an entry for each error code. No sentence says more about an account than that it is not linked.
var explanations = map[Code]explanation{
	NoTicket: {http.StatusBadRequest,
		text{"这个链接没有带上登录凭证。", openAgain},
		text{"This link carries no sign-in ticket.", openAgainE}},
	FlowLost: {http.StatusForbidden,
		text{"这次登录已超时，或者是在别的浏览器里开始的。", openAgain},
		text{"This sign-in took too long, or was begun in another browser.", openAgainE}},
	TicketSpent: {http.StatusForbidden,
		text{"这个链接已过期或已经用过。", openAgain},
		text{"This link has expired or was already used.", openAgainE}},
	ClockSkew: {http.StatusForbidden,
		text{"这个链接的时间与现在相差太多。", openAgain + "如仍不成功，请联系管理员。"},
		text{"The time in this link is too far from now.", openAgainE + " If that does not help, contact your administrator."}},
	Declined: {http.StatusForbidden,
		text{"登录已取消，或 OA 不允许您进入这个应用。", openAgain},
		text{"The sign-in was cancelled, or the OA does not let you into this app.", openAgainE}},
	CodeExpired: {http.StatusGone,
		text{"二维码已过期。", "请在电脑上刷新二维码，再扫一次。"},
		text{"The code has expired.", "Refresh the code on the computer and scan it again."}},
	NotLinked: {http.StatusForbidden,
		text{"您的 OA 账号还没有关联到 CRM。", askAdmin},
		text{"Your OA account is not linked to the CRM.", askAdminE}},
	BadLink: {http.StatusNotFound,
		text{"这个链接无效。", openAgain},
		text{"This link is not valid.", openAgainE}},
	WrongHost: {http.StatusMisdirectedRequest,
		text{"这个网址不能用来登录。", openAgain},
		text{"You cannot sign in at this address.", openAgainE}},
	WrongMethod: {http.StatusMethodNotAllowed,
		text{"这种打开方式不受支持。", openAgain},
		text{"This way of opening the link is not supported.", openAgainE}},
	TooMany: {http.StatusTooManyRequests,
		text{"登录失败次数太多，请稍后再试。", "请等几分钟，再回到 OA 重新点开。"},
		text{"Too many failed sign-ins.", "Wait a few minutes, then open it again in the OA."}},
	OANotAsked: {http.StatusBadGateway,
		text{"OA 暂时没有确认您的身份。", tryAgain},
		text{"The OA did not confirm your sign-in.", tryAgainE}},
	Unavailable: {http.StatusServiceUnavailable,
		text{"登录服务暂时不可用。", tryAgain},
		text{"Sign-in is temporarily unavailable.", tryAgainE}},
	Busy: {http.StatusServiceUnavailable,
		text{"现在登录的人太多。", tryAgain},
		text{"Too many people are signing in right now.", tryAgainE}},
	Suspended: {http.StatusServiceUnavailable,
		text{"管理员已暂停从 OA 进入 CRM。", "请稍后再回到 OA 重新点开；如需了解何时恢复，请联系管理员，并提供下面的代码。"},
		text{"Your administrator has suspended the way from the OA into the CRM.",
			"Open it again in the OA later; your administrator knows when, if you give them the code below."}},
	OARefusesUs: {http.StatusBadGateway,
		text{"OA 没有接受本应用的请求。", askAdmin},
		text{"The OA does not accept requests of this app.", askAdminE}},
	Broken: {http.StatusInternalServerError,
		text{"登录时出了意外。", askAdmin},
		text{"Something went wrong while signing you in.", askAdminE}},
}

// Codes returns the codes of the error pages, in their order.
func Codes() []Code { return slices.Sorted(maps.Keys(explanations)) }
