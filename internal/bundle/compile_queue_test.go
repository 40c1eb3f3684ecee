package bundle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// The queue, the index of the records, the CRM's interface and those who are told, each with what a person leaves out.
func TestCompileQueueAndCRM(t *testing.T) {
	in := input(t)
	s := &in.Connector.Spec
	s.Dispatcher.Queue = v1alpha1.Queue{Type: v1alpha1.QueueNATS, NATS: v1alpha1.NATSQueue{URLs: []string{"tls://nats.infra:4222"}}}
	s.Source.CRM = v1alpha1.CRMInterface{Type: v1alpha1.CRMFxiaoke, CorpID: "FSCID_1", OpenUserID: "FSUID_1",
		Roles: []v1alpha1.CRMRole{{Name: "crm-admins", OpenUserIDs: []string{"FSUID_2", "FSUID_3"}}}}
	s.Source.Callback = v1alpha1.Callback{SecretRef: v1alpha1.SecretReference{Name: "cb"}, EnterpriseAccount: "71570",
		Rules: []v1alpha1.CallbackRule{{APIName: "ApprovalTaskObj", Kind: v1alpha1.KindTodo,
			Actions: map[string]string{"add": "created"}, Fields: map[string]string{"receivers": "candidate_ids"}}}}
	s.Notifications.Channels = []v1alpha1.Channel{
		{Name: "hook", Type: v1alpha1.ChannelWebhook, SecretRef: v1alpha1.SecretReference{Name: "hook"}},
		{Name: "im", Type: v1alpha1.ChannelCRM},
	}
	b := compile(t, in).Bundle
	queue := bundle.Queue{Type: "NATS", URLs: []string{"tls://nats.infra:4222"}, StreamReplicas: 3, Partitions: 4, MaxBytes: 1 << 30}
	if diff := cmp.Diff(queue, b.Queue); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bundle.Records{MaxAge: bundle.Duration(720 * time.Hour)}, b.Records); diff != "" {
		t.Error(diff)
	}
	crm := &bundle.CRM{Type: "Fxiaoke", URL: "https://open.fxiaoke.com", CorpID: "FSCID_1", User: "FSUID_1",
		Roles: map[string][]string{"crm-admins": {"FSUID_2", "FSUID_3"}}}
	if diff := cmp.Diff(crm, b.CRM); diff != "" {
		t.Error(diff)
	}
	callback := &bundle.Callback{EnterpriseAccount: "71570", Rules: []bundle.CallbackRule{{APIName: "ApprovalTaskObj", Kind: "Todo",
		Actions: map[string]string{"add": "created"}, Fields: map[string]string{"receivers": "candidate_ids"}}}}
	if diff := cmp.Diff(callback, b.Source.Callback); diff != "" {
		t.Error(diff)
	}
	told := &bundle.Notifications{Window: bundle.Duration(10 * time.Minute), Channels: []bundle.Channel{ // F65 F66
		{Name: "hook", Type: "Webhook", Secret: "channel-0"},
		{Name: "im", Type: "CRM", Recipients: []string{"crm-admins", "integration-admins"}},
	}}
	if diff := cmp.Diff(told, b.Notifications); diff != "" {
		t.Error(diff)
	}

	s.Dispatcher.Queue.NATS = v1alpha1.NATSQueue{URLs: []string{"ws://a"}, CredentialsSecretRef: v1alpha1.SecretReference{Name: "c"},
		CASecretRef: v1alpha1.SecretReference{Name: "ca"}, StreamReplicas: 5, Partitions: 7, MaxBytes: "2G",
		AllowedCIDRs: []string{"127.0.0.0/8"}}
	s.Dispatcher.Records = v1alpha1.Records{MaxAge: metav1.Duration{Duration: time.Hour}, IndexSecretRef: v1alpha1.SecretReference{Name: "pg"},
		AllowedCIDRs: []string{"127.0.0.1/32"}}
	b = compile(t, in).Bundle
	queue = bundle.Queue{Type: "NATS", URLs: []string{"ws://a"}, Credentials: true, CustomCA: true, AllowedCIDRs: []string{"127.0.0.0/8"}, StreamReplicas: 5, Partitions: 7, MaxBytes: 2e9}
	if diff := cmp.Diff(queue, b.Queue); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bundle.Records{MaxAge: bundle.Duration(time.Hour), Postgres: true, AllowedCIDRs: []string{"127.0.0.1/32"}}, b.Records); diff != "" {
		t.Error(diff)
	}
	if n := bundle.Partitions(in.Connector); n != 7 {
		t.Errorf("%d partitions", n)
	}
}

// A channel that reaches nobody is said, and stops no delivery. // F65
func TestRecipientsThatLeadToNobody(t *testing.T) {
	roles := []v1alpha1.CRMRole{{Name: "integration-admins", OpenUserIDs: []string{"FSUID_2"}}}
	for name, c := range map[string]struct {
		roles      []v1alpha1.CRMRole
		recipients []string
		message    string
	}{
		"default with one of the roles": {roles, nil, ""},
		"a person":                      {nil, []string{"user:FSUID_9"}, ""},
		"default without roles":         {nil, nil, "nobody holds the roles crm-admins and integration-admins; list their people in spec.source.crm.roles, or name recipients"},
		"a role that is not there":      {roles, []string{"integration-admins", "crm-admin"}, "nobody holds the role crm-admin; list its people"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			in.Connector.Spec.Source.CRM.Roles = c.roles
			in.Connector.Spec.Notifications.Channels = []v1alpha1.Channel{{Name: "im", Type: v1alpha1.ChannelCRM, Recipients: c.recipients}}
			out, problems := bundle.Compile(in)
			if out == nil || (len(problems) > 0) != (c.message != "") {
				t.Fatalf("output %v, problems %v", out != nil, problems)
			}
			if len(problems) > 0 && (problems[0].Field != "spec.notifications.channels[0].recipients" || !strings.HasPrefix(problems[0].Message, c.message)) {
				t.Errorf("got %s", problems[0])
			}
		})
	}
}

// Replays go out with the configuration; more than fit wait for their turn.
func TestReplaysInTheBundle(t *testing.T) {
	since := metav1.Date(2026, 11, 22, 9, 30, 0, 0, time.FixedZone("", 8*3600))
	r := &v1alpha1.Replay{}
	r.Name, r.UID = "after-outage", "0b1c"
	r.Spec = v1alpha1.ReplaySpec{Mode: v1alpha1.ReplayDryRun, State: v1alpha1.ReplaySuspended, PerSecond: 5,
		Filter: v1alpha1.ReplayFilter{Classes: []string{"BusinessCode"}, Kinds: []v1alpha1.ItemKind{v1alpha1.KindTodo}, Since: since}}
	want := bundle.Replay{ID: "0b1c/3", Name: "after-outage", Template: "Current", DryRun: true, Suspended: true, PerSecond: 5,
		Filter: bundle.ReplayFilter{Classes: []string{"BusinessCode"}, Kinds: []string{"Todo"}, Since: time.Date(2026, 11, 22, 1, 30, 0, 0, time.UTC)}}
	if diff := cmp.Diff(want, bundle.NewReplay(r, 3)); diff != "" {
		t.Error(diff)
	}
	in := input(t)
	for i := range bundle.MaxReplays + 2 {
		in.Replays = append(in.Replays, bundle.Replay{ID: fmt.Sprint(i)})
	}
	b := compile(t, in).Bundle
	if len(b.Replays) != bundle.MaxReplays || b.Replays[0].ID != "0" {
		t.Errorf("%d replays, the first is %s", len(b.Replays), b.Replays[0].ID)
	}
}
