package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/explain"
)

// codeSignedIn is the code of a person who was let in.
const codeSignedIn = "OK"

// traceShort is how many characters of a trace id stand on the error page: the last ones.
const traceShort = 12

// signInFilter is what people look for: parameters of the dispatcher, which checks them.
type signInFilter struct {
	accounts, crmAccounts, codes, modes, traces []string

	since, until string
	limit        int
}

func (a *app) newSignInsCommand() *cobra.Command {
	var f signInFilter
	cmd := &cobra.Command{
		Use:   "signins [CONNECTOR]",
		Short: "List who signed in, or was refused and why",
		Example: `  # what a person saw who reads a code and a trace id out on the phone
  kubectl oab signins hq --trace a3ce929d0e0e -o wide

  # who is not bound
  kubectl oab signins --code SSO-1101 --since 24h -o json | jq -r '.[].oaAccount' | sort -u`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.signIns(cmd.Context(), first(args), &f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "account", nil, "account of the person, in the OA or in the CRM; may be repeated, as the others")
	flags.StringSliceVar(&f.crmAccounts, "crm-account", nil, "account of the person in the CRM")
	flags.StringSliceVar(&f.codes, "code", nil, "OK, or the code of the error page, such as SSO-1101")
	flags.StringSliceVar(&f.modes, "mode", nil, "mode of the sign-in, such as App or V5Ticket")
	flags.StringSliceVar(&f.traces, "trace", nil, "trace id, or the end of it that the error page shows")
	flags.StringVar(&f.since, "since", "", "from this time on: how long ago, such as 90m, or a time such as 2026-11-22T09:30:00+08:00")
	flags.StringVar(&f.until, "until", "", "before this time, in the same forms")
	flags.IntVar(&f.limit, "limit", lookup.DefaultLimit, "how many at most; the newest are shown")
	completeWords(cmd, "code", signInCodes())
	completeWords(cmd, "mode", wordsMode)
	a.bindFormat(cmd)
	return cmd
}

// wordsMode are the modes that let people in.
var wordsMode = []string{
	string(v1alpha1.SSOV5Ticket), string(v1alpha1.SSOPortalTicket), string(v1alpha1.SSOSignedLink), string(v1alpha1.SSOApp), string(v1alpha1.SSOOIDC),
	string(v1alpha1.SSOOAuth2), string(v1alpha1.SSOCAS), string(v1alpha1.SSOJWT), string(v1alpha1.SSOCallback),
}

// signInCodes are OK and the codes of the error pages.
func signInCodes() []string {
	return append([]string{codeSignedIn}, slices.DeleteFunc(explain.Codes(""), func(code string) bool { return !strings.HasPrefix(code, "SSO-") })...)
}

func (f *signInFilter) values() url.Values {
	q := url.Values{lookup.ParamLimit: {strconv.Itoa(f.limit)}}
	for name, values := range map[string][]string{
		lookup.ParamAccount: f.accounts, lookup.ParamCRMAccount: f.crmAccounts, lookup.ParamCode: f.codes, lookup.ParamMode: f.modes, lookup.ParamTraceEnd: f.traces,
	} {
		if len(values) > 0 {
			q[name] = values
		}
	}
	for name, value := range map[string]string{lookup.ParamSince: f.since, lookup.ParamUntil: f.until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// mergeSignIns joins the pages of several dispatchers: the newest ones, in order. Dispatchers that share a database answer
// the same.
func mergeSignIns(pages []page[audit.SignIn], limit int) (all []audit.SignIn, more bool) {
	for _, p := range pages {
		all, more = append(all, p.lines...), more || p.more
	}
	slices.SortFunc(all, func(x, y audit.SignIn) int { return cmp.Or(x.At.Compare(y.At), strings.Compare(x.ID, y.ID)) })
	all = slices.CompactFunc(all, func(x, y audit.SignIn) bool { return x.ID == y.ID })
	if limit > 0 && len(all) > limit {
		all, more = all[len(all)-limit:], true
	}
	return all, more
}

func (a *app) signIns(ctx context.Context, connector string, f *signInFilter) error {
	c, pages, err := ask(ctx, a, connector, func(ctx context.Context, c *lookup.Client) (p page[audit.SignIn], err error) {
		p.lines, p.more, err = c.SignIns(ctx, f.values())
		return p, err
	})
	if pages == nil {
		return err
	}
	found, more := mergeSignIns(pages, f.limit)
	if len(found) == 0 && err == nil {
		return none("connector %q has no such sign-ins", c.Name)
	}
	if printed, failed := a.document(found); printed {
		return cmp.Or(failed, err)
	}
	rows := [][]cell{plain("TIME", "AGE", "ACCOUNT", "CODE", "REASON", "MODE", "IP", "TRACE")}
	if a.format == formatWide {
		rows[0] = append(rows[0], plain("PROVIDER", "PAGE", "CLIENT", "USER-AGENT", "DETAIL")...)
	}
	for i := range found {
		rows = append(rows, a.signInRow(&found[i]))
	}
	if failed := a.table(rows); failed != nil {
		return failed
	}
	if more {
		a.older(found[0].At)
	}
	return err
}

func (a *app) signInRow(s *audit.SignIn) []cell {
	trace := s.Trace
	if a.format != formatWide {
		trace = trace[max(0, len(trace)-traceShort):]
	}
	row := plain(a.clock(s.At), a.age(s.At), person(orDash(s.CRMAccount), s.OAAccount), s.Code, orDash(s.Reason), orDash(s.Mode), orDash(s.IP), orDash(trace))
	row[3].paint = red
	if s.Code == codeSignedIn {
		row[3].paint = green
	}
	if a.format != formatWide {
		return row
	}
	where := s.Page
	if s.APIName != "" {
		where = s.APIName + "/" + s.DataID
	}
	return append(row, plain(orDash(s.Provider), orDash(where), orDash(s.Client), orDash(oneLine(s.UserAgent)), oneLine(s.Detail))...)
}

// signInCounts of the last hour, as the dispatchers keep them; empty when nobody came.
func signInCounts(o *overview) string {
	refused := map[string]int64{}
	var all, no int64
	for code, n := range o.LastHour.SignIns {
		if all += n; code != codeSignedIn {
			refused[code], no = n, no+n
		}
	}
	if all == 0 {
		return ""
	}
	out := fmt.Sprintf("last hour: signed in %d   refused %d", all-no, no)
	if no > 0 {
		out += " (" + counts(refused) + ")"
	}
	return out + fmt.Sprintf("   kubectl oab signins %s -n %s", o.Connector, o.Namespace)
}
