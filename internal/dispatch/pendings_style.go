package dispatch

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
)

// pullStyle is how Seeyon asks (F88): what its console calls URL, interface, or built-in.
type pullStyle string

const (
	// styleNone: a path at which nobody asks.
	styleNone pullStyle = "-"
	// styleAny answers the styles URL and Interface.
	styleAny       pullStyle = ""
	styleURL                 = pullStyle(v1alpha1.SeeyonPullURL)
	styleInterface           = pullStyle(v1alpha1.SeeyonPullInterface)
	styleBuiltIn             = pullStyle(v1alpha1.SeeyonPullBuiltIn)
)

// style in which questions at a path are answered. Without a configuration, or when items are pushed, the usual path says so.
func (v *live) style(path string) pullStyle {
	at, style := bundle.PathPendings, styleAny
	if v != nil && v.bundle.OA.Seeyon != nil && v.bundle.OA.Seeyon.Pull != nil {
		pull := v.bundle.OA.Seeyon.Pull
		style = pullStyle(pull.Style)
		if pull.Path != "" {
			at = pull.Path
		}
	}
	if path != at {
		return styleNone
	}
	return style
}

func (s pullStyle) methods() []string {
	switch s {
	case styleURL:
		return []string{http.MethodGet}
	case styleInterface:
		return []string{http.MethodPost}
	}
	return []string{http.MethodGet, http.MethodPost}
}

// question reads the query of a GET, or the JSON body of a POST. The built-in style has the names of the vendor's provider,
// pull(thirdAccountList, registerCode) [SEED3], and one answer without pages.
func (s pullStyle) question(r *http.Request) (q pendingsQuestion, problem *crm.Problem) {
	if s == styleBuiltIn {
		q, problem = builtInQuestion(r)
	} else {
		q, problem = pagedQuestion(r)
	}
	if problem != nil {
		return q, problem
	}
	switch n := len(q.Accounts); {
	case q.Limit < 0 || q.Limit > maxPendings:
		problem = crm.NewProblem(http.StatusBadRequest, "limit: must be from 1 to %d", maxPendings)
	case n > maxPendingAccounts:
		problem = crm.NewProblem(http.StatusBadRequest, "accounts: %d are too many, ask for at most %d at once", n, maxPendingAccounts)
	}
	return q, problem
}

func pagedQuestion(r *http.Request) (q pendingsQuestion, problem *crm.Problem) {
	if r.Method == http.MethodPost {
		if problem := readJSON(r, &q, `{"registerCode": "3004", "accounts": ["lisi"]}`); problem != nil {
			return q, problem
		}
	} else {
		values := r.URL.Query()
		q = pendingsQuestion{RegisterCode: values.Get("registerCode"), Accounts: values["account"], After: values.Get("after")}
		if text := values.Get("limit"); text != "" {
			var err error
			if q.Limit, err = strconv.Atoi(text); err != nil {
				q.Limit = -1
			}
		}
	}
	if q.Limit == 0 {
		q.Limit = defaultPendings
	}
	return q, nil
}

func builtInQuestion(r *http.Request) (q pendingsQuestion, problem *crm.Problem) {
	var asked struct {
		RegisterCode     string   `json:"registerCode"`
		ThirdAccountList []string `json:"thirdAccountList"`
	}
	if r.Method == http.MethodPost {
		if problem := readJSON(r, &asked, `{"registerCode": "3004", "thirdAccountList": ["lisi"]}`); problem != nil {
			return q, problem
		}
	} else {
		asked.RegisterCode = r.URL.Query().Get("registerCode")
		for _, list := range r.URL.Query()["thirdAccountList"] {
			asked.ThirdAccountList = append(asked.ThirdAccountList, strings.Split(list, ",")...)
		}
	}
	return pendingsQuestion{RegisterCode: asked.RegisterCode, Accounts: asked.ThirdAccountList, Limit: maxPendings}, nil
}

func readJSON(r *http.Request, into any, example string) *crm.Problem {
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxPendingRequest)).Decode(into); err != nil {
		return crm.NewProblem(http.StatusBadRequest, `the body must be JSON such as %s, of at most %d bytes`, example, maxPendingRequest)
	}
	return nil
}
