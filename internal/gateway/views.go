package gateway

import (
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"

	"github.com/oabridge/oabridge/internal/oa"
)

// choice is one company to choose.
type choice struct {
	Title, Link string
	Last        bool
}

// chooserPage lists the companies (F189). Each is the same link with the company in its query, so it works without script.
func chooserPage(v *visit) *view {
	last := ""
	if c := v.request.CookiesNamed(v.cookieName(cookieCompany)); len(c) == 1 {
		last = c[0].Value
	}
	var list []choice
	for _, p := range v.signIn.Providers {
		query := url.Values{paramCompany: {p.Name}}
		if v.route.query.Get(paramWeb) != "" {
			query.Set(paramWeb, "1")
		}
		if request := v.route.query.Get(paramRequest); request != "" {
			query.Set(paramRequest, request)
		}
		list = append(list, choice{Title: p.Title, Link: v.route.path + "?" + query.Encode(), Last: p.Name == last})
	}
	return &view{name: "choose.html", title: "选择企业 · Choose your company", data: map[string]any{"Companies": list}}
}

// codePage shows a QR code that leads to link.
func codePage(v *visit, link, number string) (*view, error) {
	c, err := qr.Encode(link, qr.M)
	if err != nil {
		return nil, err
	}
	const (
		border = 4 // modules, as the standard wants
		module = 4 // pixels: whole ones, so that all squares are equally large
	)
	var path strings.Builder
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				path.WriteString("M" + strconv.Itoa(x+border) + " " + strconv.Itoa(y+border) + "h1v1h-1z")
			}
		}
	}
	again := v.route.path
	query := url.Values{}
	if company := v.route.query.Get(paramCompany); company != "" {
		query.Set(paramCompany, company)
	}
	if len(query) > 0 {
		again += "?" + query.Encode()
	}
	query.Set(paramWeb, "1")
	return &view{
		name: "code.html", title: "扫码登录 · Sign in with a code", script: codeJS, connect: true,
		data: map[string]any{
			"Size": c.Size + 2*border, "Pixels": module * (c.Size + 2*border), "Path": path.String(), "Number": number, "Poll": v.prefix + pathPoll, "Again": again,
			"Web": v.route.path + "?" + query.Encode(),
		},
	}, nil
}

// confirmPage is shown where the OA sent the phone back, with a code in the address that is used up.
func confirmPage(v *visit, approval, number string) *view {
	return &view{name: "confirm.html", title: "确认登录 · Confirm", form: true, script: tidyJS,
		data: map[string]any{"Approval": approval, "Number": number, "Action": v.prefix + pathConfirm}}
}

func confirmedPage() *view {
	return &view{name: "confirmed.html", title: "登录成功 · Signed in"}
}

func pollPage(p polled) *view { return &view{json: p} }

// scriptPage asks the OA's app for a code and goes on with it. The values are attributes, so the script itself is constant.
func scriptPage(s oa.Script, f oa.Flow) *view {
	return &view{
		name: "script.html", title: "正在登录 · Signing in", library: s.Library,
		script: strings.Replace(scriptJS, "/*CALL*/", s.Call, 1),
		data:   map[string]any{"ClientID": s.ClientID, "State": f.State, "Return": f.RedirectURI},
	}
}
