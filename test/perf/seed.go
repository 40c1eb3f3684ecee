package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// Ten thousand connectors with their children cannot be made through the API in a time that anybody waits for. So one of the
// fleet, as the operator left it, is copied in etcd, byte for byte: everything in it that is its own (names, UIDs, address, digests)
// is replaced by something of the same length. What cannot be known here (digests over UIDs with a key, and over resource versions)
// the operator puts right when it sees the copies for the first time, before anything is measured.

const (
	// registry is where the API server keeps its objects.
	registry = "/registry/"
	// perTransaction bounds the puts of one transaction: etcd takes 128 and 1.5 MiB.
	perTransaction = 40
	// perNamespace connectors are in one namespace.
	perNamespace = 1_000
	// revisionDigits of a bundle's hash stand in a pod's annotation.
	revisionDigits = 12
	// knownNumber is the number of the first copy: those below are the fleet's.
	knownNumber = 100_000
)

// etcdClient speaks etcd's JSON gateway.
type etcdClient struct{ base string }

type keyValue struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

func (e etcdClient) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd %s: status %d: %.300s", path, resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

func (e etcdClient) get(ctx context.Context, key string) ([]byte, error) {
	var out struct {
		KVs []keyValue `json:"kvs"`
	}
	err := e.call(ctx, "/v3/kv/range", map[string]any{"key": []byte(key)}, &out)
	if err == nil && len(out.KVs) != 1 {
		err = fmt.Errorf("etcd has %d values of %s", len(out.KVs), key)
	}
	if err != nil {
		return nil, err
	}
	return out.KVs[0].Value, nil
}

func (e etcdClient) put(ctx context.Context, values []keyValue) error {
	for len(values) > 0 {
		n := min(len(values), perTransaction)
		var puts []any
		for _, v := range values[:n] {
			puts = append(puts, map[string]any{"requestPut": v})
		}
		var out struct {
			Succeeded bool `json:"succeeded"`
		}
		if err := e.call(ctx, "/v3/kv/txn", map[string]any{"success": puts}, &out); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// model is one connector with all that belongs to it, as it is in etcd.
type model struct {
	objects []keyValue
	// uids of the objects, and the digests in them by what they are digests of.
	uids []string
	// address of the pod, document and hash of the bundle.
	address, document, hash string
	// requests are the apply requests of the children, by the digests that they left.
	requests map[string]string
}

// model reads connector number 0 of the fleet.
func (l *lab) model(ctx context.Context, etcd etcdClient) (*model, error) {
	m := &model{requests: map[string]string{}}
	var c v1alpha1.OAConnector
	if err := l.cluster.admin.Get(ctx, client.ObjectKey{Namespace: fleetNamespace, Name: name(0)}, &c); err != nil {
		return nil, err
	}
	m.hash = c.Status.Config.Hash
	where := map[client.Object]string{
		&c: "oabridge.dev/oaconnectors/",
		&v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Name: name(0)}}: "oabridge.dev/accountbindings/",
	}
	for kind, prefix := range map[string]string{
		"v1 ServiceAccount": "serviceaccounts/", "v1 PersistentVolumeClaim": "persistentvolumeclaims/", "v1 ConfigMap": "configmaps/",
		"v1 Service": "services/specs/", "apps/v1 Deployment": "deployments/", "v1 Pod": "pods/", "v1 Secret": "secrets/",
	} {
		version, kind, _ := strings.Cut(kind, " ")
		found := &unstructured.UnstructuredList{}
		found.SetAPIVersion(version)
		found.SetKind(kind + "List")
		if err := l.cluster.admin.List(ctx, found, client.InNamespace(fleetNamespace), client.MatchingLabels{v1alpha1.LabelConnector: name(0)}); err != nil {
			return nil, err
		}
		for i := range found.Items {
			where[&found.Items[i]] = prefix
		}
	}
	if want := 2 + childrenOf + 1; len(where) != want {
		return nil, fmt.Errorf("connector %s has %d objects, not %d", name(0), len(where), want)
	}
	for o, prefix := range where {
		key := registry + prefix + fleetNamespace + "/" + o.GetName()
		value, err := etcd.get(ctx, key)
		if err != nil {
			return nil, err
		}
		m.objects = append(m.objects, keyValue{[]byte(key), value})
		if o.GetUID() == "" {
			if err := l.cluster.admin.Get(ctx, client.ObjectKey{Namespace: fleetNamespace, Name: o.GetName()}, o); err != nil {
				return nil, err
			}
		}
		m.uids = append(m.uids, string(o.GetUID()))
		if u, ok := o.(*unstructured.Unstructured); ok && u.GetKind() == "Pod" {
			m.address, _, _ = unstructured.NestedString(u.Object, "status", "podIP")
		}
	}
	return m, l.learnRequests(ctx, m, &c)
}

// copy returns the objects of connector number n in a namespace.
func (m *model) copy(n int, namespace string) []keyValue {
	replace := []string{
		name(0), name(n), enterprise(0), enterprise(n), fleetNamespace, namespace, m.address, address(n),
	}
	for _, uid := range m.uids {
		replace = append(replace, uid, fmt.Sprintf("%s%012x", uid[:len(uid)-12], n))
	}
	plain := strings.NewReplacer(replace...)
	for old, request := range m.requests {
		replace = append(replace, old, digestOf(plain.Replace(request)))
	}
	hash := bundle.Hash(map[string][]byte{bundle.FileName: []byte(plain.Replace(m.document))})
	replace = append(replace, m.hash, hash, m.hash[:revisionDigits]+"-", hash[:revisionDigits]+"-")
	all := strings.NewReplacer(replace...)
	copies := make([]keyValue, len(m.objects))
	for i, o := range m.objects {
		copies[i] = keyValue{[]byte(all.Replace(string(o.Key))), []byte(all.Replace(string(o.Value)))}
	}
	return copies
}

// seedConnectors puts copies into etcd, in namespaces of their own.
func (l *lab) seedConnectors(ctx context.Context) error {
	etcd := etcdClient{l.cluster.etcd.String()}
	m, err := l.model(ctx, etcd)
	if err != nil {
		return err
	}
	for first := 0; first < l.known; first += perNamespace {
		namespace := fmt.Sprintf("perf-ns-%02d", 1+first/perNamespace)
		if err := l.credentials(ctx, namespace); err != nil {
			return err
		}
		var values []keyValue
		for i := first; i < min(l.known, first+perNamespace); i++ {
			values = append(values, m.copy(knownNumber+i, namespace)...)
		}
		if err := etcd.put(ctx, values); err != nil {
			return err
		}
	}
	return nil
}

// seedForeign puts Secrets of other people into etcd.
func (l *lab) seedForeign(ctx context.Context) error {
	const namespace = "perf-foreign"
	if err := l.cluster.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return err
	}
	one := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name(0)},
		Data:       map[string][]byte{"token": bytes.Repeat([]byte("x"), 1<<10)},
	}
	if err := l.cluster.admin.Create(ctx, one); err != nil {
		return err
	}
	etcd := etcdClient{l.cluster.etcd.String()}
	key, uid := registry+"secrets/"+namespace+"/", string(one.UID)
	value, err := etcd.get(ctx, key+name(0))
	if err != nil {
		return err
	}
	var values []keyValue
	for n := 1; n < l.foreign; n++ {
		r := strings.NewReplacer(name(0), name(n), uid, fmt.Sprintf("%s%012x", uid[:len(uid)-12], n))
		values = append(values, keyValue{[]byte(key + name(n)), []byte(r.Replace(string(value)))})
	}
	return etcd.put(ctx, values)
}

func convert(tree map[string]any, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(tree, into)
}
