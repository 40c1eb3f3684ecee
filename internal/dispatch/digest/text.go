package digest

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// words of one language.
type words struct {
	title, titleUnbound, window, groups, newest, more, unbound, person, dead string
	kinds, reasons                                                           map[string]string
}

var chinese = words{
	title:        "【OA Bridge】连接器 %s：%d 条推送失败，不再重试",
	titleUnbound: "【OA Bridge】连接器 %s：有人未绑定 OA 账号",
	window:       "时段：%s",
	groups:       "按原因：",
	newest:       "最新：",
	more:         "  另有 %d 条",
	unbound:      "%d 人未绑定 OA 账号，%d 条待办或提醒等待绑定后发送：%s",
	person:       "%s（%d 条，%s）",
	dead:         "查看全部：%s",
	kinds:        map[string]string{"Todo": "待办", "Reminder": "提醒", "Subscription": "订阅", "Alert": "预警"},
	reasons: map[string]string{
		"Network": "网络不通", "Timeout": "OA 超时", "ServerError": "OA 内部错误", "RateLimited": "OA 限流", "AuthExpired": "OA 认证失败",
		"BusinessCode": "OA 拒绝", "Internal": "请求无法生成", "Expired": "超过时限仍未送达", "Unreadable": "存储数据无法读取",
		"Unbound": "未绑定", "BindingConflict": "绑定冲突", "RevisionGone": "模板版本已失效", "NotFoundAtOA": "OA 中找不到该条",
	},
}

var english = words{
	title:        "[OA Bridge] connector %s: %d given up, not tried again",
	titleUnbound: "[OA Bridge] connector %s: people without an OA account",
	window:       "Time: %s",
	groups:       "By reason:",
	newest:       "Newest:",
	more:         "  and %d more",
	unbound:      "People to bind to an OA account: %d. Items that wait for it: %d. %s",
	person:       "%s (%d, %s)",
	dead:         "See all: %s",
	kinds:        map[string]string{"Todo": "to-do", "Reminder": "reminder", "Subscription": "subscription", "Alert": "alert"},
	reasons: map[string]string{
		"Network": "no connection", "Timeout": "the OA did not answer in time", "ServerError": "error inside the OA", "RateLimited": "limited by the OA",
		"AuthExpired": "account not accepted by the OA", "BusinessCode": "refused by the OA", "Internal": "the request cannot be made",
		"Expired": "too old", "Unreadable": "cannot be read from the store", "Unbound": "not bound", "BindingConflict": "bindings in conflict",
		"RevisionGone": "the template revision is gone", "NotFoundAtOA": "accepted by the OA and not found there",
	},
}

// Text is the digest for people, in Chinese and in English. It names items, people and reasons, and no titles.
func (d *Digest) Text() string {
	var b strings.Builder
	d.write(&b, chinese)
	b.WriteString("————\n")
	d.write(&b, english)
	return strings.TrimRight(b.String(), "\n")
}

func (d *Digest) write(b *strings.Builder, w words) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(b, format+"\n", args...) }
	name := d.Connector.Namespace + "/" + d.Connector.Name
	if d.GivenUp > 0 {
		line(w.title, name, d.GivenUp)
	} else {
		line(w.titleUnbound, name)
	}
	line(w.window, d.window())
	if d.GivenUp > 0 {
		b.WriteString(w.groups + "\n")
		for _, g := range d.Groups {
			example := ""
			if g.Example != "" {
				example = " — " + g.Example
			}
			line("· %s %s: %d%s", w.kind(g.Kind), w.reason(g.Reason), g.Count, example)
		}
		b.WriteString(w.newest + "\n")
		for _, i := range d.Items {
			line("· %s %s %s → %s: %s", i.At.In(d.location()).Format(time.TimeOnly), w.kind(i.Kind), i.ItemID, i.Receiver, w.reason(i.Reason))
		}
		if more := d.GivenUp - int64(len(d.Items)); more > 0 {
			line(w.more, more)
		}
	}
	if d.Unbound.People > 0 {
		var people []string
		for _, p := range d.Unbound.List {
			people = append(people, fmt.Sprintf(w.person, p.Account, p.Items, w.reason(p.Reason)))
		}
		if d.Unbound.People > len(people) {
			people = append(people, "…")
		}
		line(w.unbound, d.Unbound.People, d.Unbound.Items, strings.Join(people, ", "))
	}
	if d.GivenUp > 0 {
		line(w.dead, fmt.Sprintf("kubectl oab dead %s -n %s", d.Connector.Name, d.Connector.Namespace))
	}
}

func (d *Digest) location() *time.Location {
	if d.zone == nil {
		return time.UTC
	}
	return d.zone
}

func (d *Digest) window() string {
	from, to := d.From.In(d.location()), d.To.In(d.location())
	end := to.Format("15:04 -07:00")
	if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
		end = to.Format("2006-01-02 15:04 -07:00")
	}
	return from.Format("2006-01-02 15:04") + " – " + end
}

func (w words) kind(kind string) string { return cmp.Or(w.kinds[kind], kind, "?") }

// reason keeps the word of the records beside the words of the language, so that it can be looked for.
func (w words) reason(reason string) string {
	if text := w.reasons[reason]; text != "" {
		return text + " (" + reason + ")"
	}
	return reason
}
