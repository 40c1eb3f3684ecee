package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

// filter is what people look for: parameters of the dispatcher, which checks them.
type filter struct {
	items, receivers, kinds, scenarios, outcomes, reasons, classes, events, traces, replays []string

	since, until string
	limit        int
}

// Words that the shell completes.
var (
	wordsKind    = []string{"Todo", "Reminder", "Subscription", "Alert"}
	wordsOutcome = []string{"Delivered", "Retrying", "Held", "Dead", "Skipped"}
	wordsClass   = []string{"Network", "Timeout", "ServerError", "RateLimited", "AuthExpired", "BusinessCode", "ReceiverUnknown", "Internal"}
	wordsReason  = append([]string{"Expired", "Unreadable", "RevisionGone", "Unbound", "BindingConflict"}, wordsClass...)
)

// bindSelection makes the flags that a replay has too.
func (f *filter) bindSelection(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.items, "item", nil, "id that the CRM gave the to-do or reminder; may be repeated, as the others")
	flags.StringSliceVar(&f.receivers, "receiver", nil, "account of the person, in the CRM or in the OA")
	flags.StringSliceVar(&f.kinds, "kind", nil, "Todo, Reminder, Subscription or Alert")
	flags.StringSliceVar(&f.reasons, "reason", nil, "why it was given up, held or skipped, such as Expired or Unbound")
	flags.StringSliceVar(&f.classes, "class", nil, "class of the failure, such as BusinessCode or Timeout")
	flags.StringVar(&f.since, "since", "", "from this time on: how long ago, such as 90m, or a time such as 2026-11-22T09:30:00+08:00")
	flags.StringVar(&f.until, "until", "", "before this time, in the same forms")
	completeWords(cmd, "kind", wordsKind)
	completeWords(cmd, "reason", wordsReason)
	completeWords(cmd, "class", wordsClass)
}

// bind makes the flags of a look-up.
func (f *filter) bind(cmd *cobra.Command) {
	f.bindSelection(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.scenarios, "scenario", nil, "name of a scenario of the connector (spec.scenarios)")
	flags.StringSliceVar(&f.events, "event", nil, "id of the event")
	flags.StringSliceVar(&f.traces, "trace", nil, "W3C trace id of the event, 32 hex digits")
	flags.StringSliceVar(&f.replays, "replay", nil, "id of the replay that sent it: <uid>/<generation>")
	flags.IntVar(&f.limit, "limit", lookup.DefaultLimit, "how many at most; the newest are shown")
}

func (f *filter) values() url.Values {
	q := url.Values{}
	for name, values := range map[string][]string{
		lookup.ParamItem: f.items, lookup.ParamReceiver: f.receivers, lookup.ParamKind: f.kinds, lookup.ParamScenario: f.scenarios, lookup.ParamOutcome: f.outcomes,
		lookup.ParamReason: f.reasons, lookup.ParamClass: f.classes, lookup.ParamEvent: f.events, lookup.ParamTrace: f.traces, lookup.ParamReplay: f.replays,
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
	if f.limit != 0 {
		q.Set(lookup.ParamLimit, strconv.Itoa(f.limit))
	}
	return q
}

// completeWords completes a flag with fixed words.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("kubectl-oab: " + err.Error())
	}
}
