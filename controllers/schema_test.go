package controllers_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// What the API refuses at once, with the sentence that a person reads after kubectl apply.
func TestTheAPIRefusesMistakes(t *testing.T) {
	w := newWorld(t)
	cases := []struct {
		name string
		// path below spec, or metadata.name, and the value that is put there; nil removes the field.
		path    string
		value   any
		message string
	}{
		{"another scheme", "endpoint.url", "ftp://oa.example", "url must be an absolute http or https URL"},
		{"no scheme", "endpoint.url", "oa.example:8080", "url must be an absolute http or https URL"},
		{"a password in the URL", "endpoint.url", "http://me:secret@oa.example", "put credentials into credentialsSecretRef"},
		{"a secret in the query", "endpoint.url", "http://oa.example/?appId=1&secret=x", "put credentials into credentialsSecretRef"}, // F57
		{"a script instead of an address", "endpoint.script", "return 'http://oa.example'", "unknown field"},                          // F38
		{"a placeholder that nobody replaced", "endpoint.url", "http://{domain}:8080", "url must be an absolute http or https URL"},   // F56
		{"an enterprise that nobody entered", "enterpriseID", "{ei}", "should match"},                                                 // F56
		{"no timeout at all", "endpoint.connectTimeout", "0s", "connectTimeout must be between 100ms and 2m"},
		{"an egress range", "endpoint.egressIPs", []any{"203.0.113.0/24"}, "must be an IP address such as 203.0.113.7"},
		{"a range that is none", "endpoint.allowedCIDRs", []any{"10.0.0.0"}, "must be a CIDR such as 127.0.0.0/8"},
		{"localhost", "sso.host", "localhost", "localhost, .local names and IP addresses are refused"},                    // F174
		{"a name of one network", "sso.host", "crm.local", "localhost, .local names and IP addresses are refused"},        // F174
		{"an address", "sso.host", "10.1.2.3", "localhost, .local names and IP addresses are refused"},                    // F174
		{"a host that nobody entered", "sso.host", "{domain}", "host must be a full DNS name without scheme and port"},    // F56
		{"a home without a scheme", "sso.crmLogin.url", "crm.example/login", "url must be an absolute http or https URL"}, // F178
		{"a sign-in that does not exist", "sso.mode", "Password", `Unsupported value: "Password"`},                        // F104
		{"a host with a port", "sso.host", "sso.example:8443", "host must be a full DNS name without scheme and port"},
		{"no host", "sso.host", nil, "host is needed unless mode is None"},
		{"no way into the CRM", "sso.crmLogin", nil, "spec.sso.crmLogin is needed unless spec.sso.mode is None"},
		{"a Seeyon ticket for a mode that has none", "sso.mode", "App", "mode App is for the types Yunzhijia, WeLink, WeCom, DingTalk and Feishu"},
		{"a mode without its block", "sso.mode", "OIDC", "the block oidc belongs to mode OIDC, which needs it"},
		{"a mode without its secret", "sso.mode", "SignedLink", "this mode needs secretRef"},
		{"a code to scan without a browser sign-in", "sso.qr", "Enabled", "qr needs a mode in which a browser can sign in by itself"},
		{"a skew without end", "sso.maxSkew", "1h", "maxSkew must be between 10s and 15m"},
		{"a provider without its client", "sso.crmLogin.type", "OpenIDProvider", "the block openID belongs to type OpenIDProvider"},
		{"a trusted proxy that is no range", "sso.trustedProxies", []any{"10.0.0.1"}, "must be a CIDR such as 10.0.0.0/8"},
		{"a frame of anybody", "sso.frameAncestors", []any{"https://*.example"}, "should match"},
		{"a domain file elsewhere", "sso.domainFiles", []any{map[string]any{"name": "../x.txt", "content": "x"}}, "should match"},
		{"a console domain with a scheme", "sso.consoleDomains", map[string]any{"trusted": "https://sso.example"}, "entered without http:// or https://"},
		{"companies of another OA", "sso.companies", []any{map[string]any{"name": "aa", "corpID": "ww1", "agentID": int64(1), "secretRef": map[string]any{"name": "s"}}},
			"spec.sso.companies is for type WeCom"},
		{"CRM to OA", "sso.direction", "CRMToOA", "unknown field"},
		{"a class without an Ingress", "sso.exposure", map[string]any{"type": "None", "className": "nginx"}, "className and tls belong to type Ingress"},
		{"two sources of a header", "headers", []any{map[string]any{
			"name": "X", "value": "a", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "s", "key": "k"}},
		}}, "set exactly one of value and valueFrom"},
		{"no source of a header", "headers", []any{map[string]any{"name": "X"}}, "set exactly one of value and valueFrom"},
		{"a header of the protocol", "headers", []any{map[string]any{"name": "Content-Length", "value": "1"}}, "this header is set by OA Bridge itself"},
		{"a line break in a header", "headers", []any{map[string]any{"name": "X", "value": "a\nb"}}, "a header value must not hold line breaks"},
		{"anonymous events", "source", map[string]any{}, "unauthenticated events are never accepted"},
		{"a list that anybody reads", "seeyon", map[string]any{"registerCode": "3004", "mode": "Pull"}, "mode Pull and Both need the block pull"},
		{"a list that nobody reads", "seeyon", map[string]any{"registerCode": "3004", "pull": map[string]any{"tokenSecretRef": map[string]any{"name": "s"}}},
			"mode Pull and Both need the block pull (at least tokenSecretRef), and Push may not have it"},
		{"a canary of nobody", "rollout", map[string]any{"canary": map[string]any{"percent": int64(0)}}, "a canary needs people, or a percent above 0"},
		{"a share of more than all", "rollout", map[string]any{"percent": int64(101)}, "should be less than or equal to 100"},
		{"no vendor block", "seeyon", nil, "type Seeyon needs the block spec.seeyon"},
		{"an unknown OA", "type", "Lotus", `Unsupported value: "Lotus"`},
		{"an element of XML in JSON", "result", map[string]any{"xmlJsonField": "out"}, "xmlJsonField is only for protocol Webservice"},
		{"no scenario", "scenarios", []any{}, "should have at least 1 items"},
		{"a tiny volume", "dispatcher", map[string]any{"storage": map[string]any{"size": "1Mi"}}, "size must be a quantity of at least 64Mi"},
		{"a request above the limit", "dispatcher", map[string]any{"resources": map[string]any{"memoryRequest": "1Gi", "memoryLimit": "512Mi"}},
			"memoryRequest must not exceed memoryLimit"},
		{"an age without end", "delivery.maxAge", "8760h", "maxAge must be between 10s and 720h"},
		{"an unknown class of errors", "delivery.retry", map[string]any{"classes": []any{"Weather"}}, `Unsupported value: "Weather"`},
		{"history and a policy for finished items", "delivery.catchUp", map[string]any{"policy": "EveryState", "finished": "Skip"},
			"finished belongs to policy LatestState"},
		{"a promise of everything", "slo", map[string]any{"objective": "100"}, "should match"},
		{"a promise in words", "slo", map[string]any{"objective": "all"}, "should match"},
		{"a promise of next to nothing", "slo", map[string]any{"objective": "0.9"}, "objective must be a percentage of at least 1 and below 100"},
		{"a promise without haste", "slo", map[string]any{"within": "48h"}, "within must be between 100ms and 24h"},
		{"a collector that is none", "observability", map[string]any{"tracing": map[string]any{"endpoint": "otel-collector:4318"}}, "endpoint must be an absolute http or https URL"},
		{"a collector with a password", "observability", map[string]any{"tracing": map[string]any{"endpoint": "http://me:secret@otel"}}, "put credentials into headersSecretRef"},
		{"more than all traces", "observability", map[string]any{"tracing": map[string]any{"endpoint": "http://otel", "samplingRatio": "1.5"}}, "should match"},
		{"profiles for everybody", "observability", map[string]any{"profiling": map[string]any{}}, "tokenSecretRef"},
		{"a batch without end", "delivery.batchSize", int64(101), "should be less than or equal to 100"},
		{"a callback without the CRM", "source.callback", callback("Todo", "updated"), "callback needs crm"},
		{"a reminder that ends", "source", map[string]any{"crm": crmInterface(), "callback": callback("Reminder", "completed")},
			"only a Todo has other actions than created"},
		{"an unknown action", "source", map[string]any{"crm": crmInterface(), "callback": callback("Todo", "renamed")},
			"each event type maps to created, updated, completed or deleted"},
		{"an item for nobody", "source", map[string]any{"crm": crmInterface(), "callback": without(callback("Todo", "created"), "receivers")},
			"fields must name receivers"},
		{"a state that is nowhere", "source", map[string]any{"crm": crmInterface(), "callback": after(callback("Todo", "created"), "update/done", "completed")},
			"an event type with a state, such as update/done, needs fields.state"},
		{"an open interface on another scheme", "source.crm", with(crmInterface(), "url", "ftp://open.fxiaoke.com"), "url must be an absolute http or https URL"},
		{"a message through no CRM", "notifications", channels(map[string]any{"name": "im", "type": "CRM"}), "needs spec.source.crm"},
		{"a webhook without an address", "notifications", channels(map[string]any{"name": "hook", "type": "Webhook"}), "secretRef belongs to type Webhook, which needs it"},
		{"a webhook with recipients", "notifications", channels(map[string]any{
			"name": "hook", "type": "Webhook", "secretRef": map[string]any{"name": "s"}, "recipients": []any{"crm-admins"},
		}), "recipients belong to type CRM"},
		{"ranges for a message", "notifications", channels(map[string]any{
			"name": "im", "type": "CRM", "allowedCIDRs": []any{"127.0.0.0/8"},
		}), "allowedCIDRs belong to type Webhook"},
		{"a hasty window", "notifications", with(channels(map[string]any{
			"name": "hook", "type": "Webhook", "secretRef": map[string]any{"name": "s"},
		}), "window", "5s"), "window must be between 1m and 24h"},
		{"a cluster without the block", "dispatcher", map[string]any{"queue": map[string]any{"type": "NATS"}}, "the block nats belongs to type NATS, which needs it"},
		{"the block without a cluster", "dispatcher", map[string]any{"queue": map[string]any{"type": "Embedded", "nats": map[string]any{"urls": []any{"nats://n"}}}},
			"the block nats belongs to type NATS"},
		{"two replicas of one volume", "dispatcher", map[string]any{"replicas": int64(2)}, "more than one replica needs queue.type NATS"},
		{"more replicas than partitions", "dispatcher", with(nats("partitions", int64(2)), "replicas", int64(3)), "replicas must not exceed queue.nats.partitions"},
		{"more replicas than partitions by default", "dispatcher", with(nats("maxBytes", "1Gi"), "replicas", int64(5)), "replicas must not exceed queue.nats.partitions"},
		{"one copy", "dispatcher", nats("streamReplicas", int64(1)), "a single copy is not durable"},
		{"an even number of copies", "dispatcher", nats("streamReplicas", int64(4)), "streamReplicas must be 3 or 5"},
		{"a server that is none", "dispatcher", nats("urls", []any{"http://nats.infra"}), "must be a URL of a NATS server"},
		{"a server with a password", "dispatcher", nats("urls", []any{"nats://me:secret@nats.infra"}), "put credentials into credentialsSecretRef"},
		{"two kinds of connection", "dispatcher", nats("urls", []any{"nats://a:4222", "wss://b"}), "ws and wss cannot be mixed"},
		{"a tiny cluster", "dispatcher", nats("maxBytes", "1Mi"), "maxBytes must be a quantity of at least 64Mi"},
		{"a class for no volume", "dispatcher", with(nats("maxBytes", "1Gi"), "storage", map[string]any{"className": "fast"}), "storage.className belongs to queue.type Embedded"},
		{"records for ever", "dispatcher", map[string]any{"records": map[string]any{"maxAge": "87600h"}}, "maxAge must be between 1h and 8760h"},
		{"a long name", "metadata.name", strings.Repeat("a", 41), "may have at most 40 characters"},
		{"a name that no Service can have", "metadata.name", "1st.hq", "must start with a letter"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(sampleConnector(t))
			g.Expect(err).NotTo(HaveOccurred())
			path := strings.Split(c.path, ".")
			if path[0] != "metadata" {
				path = append([]string{"spec"}, path...)
			}
			if c.value == nil {
				unstructured.RemoveNestedField(content, path...)
			} else {
				g.Expect(unstructured.SetNestedField(content, c.value, path...)).To(Succeed())
			}
			delete(content, "status")
			u := &unstructured.Unstructured{Object: content}
			u.SetNamespace(w.ns)
			err = admin.Create(t.Context(), u, client.DryRunAll, client.FieldValidation("Strict"))
			g.Expect(err).To(MatchError(ContainSubstring(c.message)))
		})
	}
}

// nats is spec.dispatcher with a queue in a NATS cluster and one more field of it.
func nats(field string, value any) map[string]any {
	return map[string]any{"queue": map[string]any{"type": "NATS", "nats": with(map[string]any{"urls": []any{"nats://nats.infra"}}, field, value)}}
}

func with(object map[string]any, field string, value any) map[string]any {
	object[field] = value
	return object
}

func channels(list ...any) map[string]any { return map[string]any{"channels": list} }

func crmInterface() map[string]any {
	return map[string]any{
		"type": "Fxiaoke", "corpID": "FSCID_1", "openUserID": "FSUID_1", "credentialsSecretRef": map[string]any{"name": "hq-crm"},
	}
}

func callback(kind, action string) map[string]any {
	return map[string]any{
		"secretRef": map[string]any{"name": "hq-callback"}, "enterpriseAccount": "71570",
		"rules": []any{map[string]any{
			"apiName": "ApprovalTaskObj", "kind": kind, "actions": map[string]any{"add": action},
			"fields": map[string]any{"receivers": "candidate_ids", "subject": "name"},
		}},
	}
}

// without a field of the item of the first rule.
func without(callback map[string]any, field string) map[string]any {
	unstructured.RemoveNestedField(callback["rules"].([]any)[0].(map[string]any), "fields", field)
	return callback
}

// after an event type the first rule does one more thing.
func after(callback map[string]any, event, action string) map[string]any {
	callback["rules"].([]any)[0].(map[string]any)["actions"].(map[string]any)[event] = action
	return callback
}

// What cannot be changed is refused, and never silently ignored.
func TestTheAPIRefusesChangesThatCannotBeMade(t *testing.T) {
	w := newWorld(t)
	w.connector(func(c *v1alpha1.OAConnector) {
		c.Spec.Dispatcher.Storage = v1alpha1.Storage{Size: "2Gi", ClassName: "fast"}
	})
	cases := []struct {
		name    string
		edit    func(*v1alpha1.OAConnector)
		message string
	}{
		{"a smaller volume", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher.Storage.Size = "1Gi" }, "size may grow but not shrink"},
		{"another storage class", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher.Storage.ClassName = "slow" }, "className is immutable"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			connector := get(w, "hq", &v1alpha1.OAConnector{})
			base := connector.DeepCopy()
			c.edit(connector)
			NewWithT(t).Expect(admin.Patch(t.Context(), connector, client.MergeFrom(base), client.DryRunAll)).To(MatchError(ContainSubstring(c.message)))
		})
	}
	bigger := get(w, "hq", &v1alpha1.OAConnector{})
	base := bigger.DeepCopy()
	bigger.Spec.Dispatcher.Storage.Size = "4Gi"
	w.Expect(admin.Patch(t.Context(), bigger, client.MergeFrom(base), client.DryRunAll)).To(Succeed())
}

func TestTheAPIRefusesMistakesInBindingsAndTemplates(t *testing.T) {
	w := newWorld(t)
	both := &v1alpha1.AccountBinding{}
	both.Name, both.Namespace = "both", w.ns
	both.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1", OA: "a"}}
	both.Spec.AccountsFrom.ConfigMapKeyRef.Name = "file"
	w.Expect(admin.Create(t.Context(), both)).To(MatchError(ContainSubstring("set exactly one of accounts, accountsFrom and match")))

	twice := &v1alpha1.AccountBinding{}
	twice.Name, twice.Namespace = "twice", w.ns
	twice.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1", OA: "a"}, {CRM: "1", OA: "b"}}
	w.Expect(admin.Create(t.Context(), twice)).To(MatchError(ContainSubstring("Duplicate value")))

	outside := localTemplate(t, "outside")
	outside.Namespace = w.ns
	outside.Spec.Actions.Create.Path = "//evil.example/seeyon"
	w.Expect(admin.Create(t.Context(), outside)).To(MatchError(ContainSubstring("path must start with exactly one slash")))

	reminder := localTemplate(t, "reminder")
	reminder.Namespace = w.ns
	reminder.Spec.Kind = v1alpha1.KindReminder
	w.Expect(admin.Create(t.Context(), reminder)).To(MatchError(ContainSubstring("only a Todo has other actions than create")))
}
