package bundle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// compileCRM returns nil when the dispatcher never asks the CRM.
func compileCRM(c v1alpha1.CRMInterface) *CRM {
	if c.Type == "" {
		return nil
	}
	out := &CRM{
		Type:         string(c.Type),
		URL:          strings.TrimRight(or(c.URL, DefaultCRMURL), "/"),
		CorpID:       c.CorpID,
		User:         c.OpenUserID,
		AllowedCIDRs: c.AllowedCIDRs,
	}
	if len(c.Roles) > 0 {
		out.Roles = map[string][]string{}
		for _, role := range c.Roles {
			out.Roles[role.Name] = slices.Clone(role.OpenUserIDs)
		}
	}
	return out
}

func compileSource(s v1alpha1.Source) Source {
	out := Source{Signing: s.SigningSecretRef.Name != "", Token: s.TokenSecretRef.Name != ""}
	if s.Callback.SecretRef.Name == "" {
		return out
	}
	out.Callback = &Callback{EnterpriseAccount: s.Callback.EnterpriseAccount}
	for _, r := range s.Callback.Rules {
		out.Callback.Rules = append(out.Callback.Rules,
			CallbackRule{APIName: r.APIName, Kind: string(r.Kind), Actions: r.Actions, Fields: r.Fields})
	}
	return out
}

// compileNotifications returns nil when nobody is told. A channel that reaches nobody is a problem, and no reason to stop
// the deliveries.
func compileNotifications(spec v1alpha1.OAConnectorSpec) (*Notifications, []Problem) {
	if len(spec.Notifications.Channels) == 0 {
		return nil, nil
	}
	out := &Notifications{Window: durationOr(spec.Notifications.Window.Duration, DefaultWindow)}
	var problems []Problem
	for i, c := range spec.Notifications.Channels {
		channel := Channel{Name: c.Name, Type: string(c.Type)}
		if c.Type == v1alpha1.ChannelWebhook {
			channel.Secret, channel.AllowedCIDRs = ChannelSlot(i), c.AllowedCIDRs
		} else {
			channel.Recipients = c.Recipients
			if len(channel.Recipients) == 0 {
				channel.Recipients = DefaultRecipients
			}
			if cause := unreachable(c.Recipients, spec.Source.CRM.Roles); cause != "" {
				problems = append(problems, Problem{v1alpha1.ReasonSpecInvalid,
					fmt.Sprintf("spec.notifications.channels[%d].recipients", i), cause, false})
			}
		}
		out.Channels = append(out.Channels, channel)
	}
	return out, problems
}

// unreachable says which of the recipients lead to nobody, or nothing. Of the default ones it is enough that one leads to
// somebody: an enterprise may have only one of the two roles.
func unreachable(recipients []string, roles []v1alpha1.CRMRole) string {
	known := func(name string) bool {
		return slices.ContainsFunc(roles, func(r v1alpha1.CRMRole) bool { return r.Name == name })
	}
	if len(recipients) == 0 && !slices.ContainsFunc(DefaultRecipients, known) {
		return fmt.Sprintf("nobody holds the roles %s; list their people in spec.source.crm.roles, or name recipients",
			strings.Join(DefaultRecipients, " and "))
	}
	for _, r := range recipients {
		if !strings.HasPrefix(r, v1alpha1.RecipientUser) && !known(r) {
			return fmt.Sprintf("nobody holds the role %s; list its people in spec.source.crm.roles, or write %s<openUserId> for a person",
				r, v1alpha1.RecipientUser)
		}
	}
	return ""
}

// ChannelSlot is the folder below the secrets directory of the notification channel with an index.
func ChannelSlot(index int) string { return SlotChannel + strconv.Itoa(index) }
