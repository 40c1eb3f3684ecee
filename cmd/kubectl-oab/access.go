package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// access is a way into the cluster.
type access struct {
	client.WithWatch
	namespace string
	// reach opens the way to a port of a pod. close ends it.
	reach func(ctx context.Context, pod *corev1.Pod, port int) (url string, end func(), err error)
}

// completionTimeout bounds a look-up for the shell.
const completionTimeout = 3 * time.Second

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// connectCluster uses the kubeconfig and the flags, as kubectl does.
func (a *app) connectCluster() (*access, error) {
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(a.rules, &a.overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster: %w; see --kubeconfig and --context", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, err
	}
	return &access{WithWatch: c, namespace: namespace, reach: forwarder(config)}, nil
}

// connector returns the named connector, or the only one in the namespace.
func (x *access) connector(ctx context.Context, name string) (*v1alpha1.OAConnector, error) {
	if name != "" {
		c := new(v1alpha1.OAConnector)
		err := x.Get(ctx, client.ObjectKey{Namespace: x.namespace, Name: name}, c)
		if apierrors.IsNotFound(err) {
			return nil, none("there is no connector %q in namespace %q; kubectl get oac -A lists all", name, x.namespace)
		}
		return c, err
	}
	var all v1alpha1.OAConnectorList
	if err := x.List(ctx, &all, client.InNamespace(x.namespace)); err != nil {
		return nil, err
	}
	switch len(all.Items) {
	case 0:
		return nil, none("there is no connector in namespace %q; give another one with --namespace, kubectl get oac -A lists all", x.namespace)
	case 1:
		return &all.Items[0], nil
	}
	var names []string
	for i := range all.Items {
		names = append(names, all.Items[i].Name)
	}
	slices.Sort(names)
	return nil, usage("there are several connectors in namespace %q: name one of %s", x.namespace, strings.Join(names, ", "))
}

// pods of a component of a connector that run and stay, by name.
func (x *access) pods(ctx context.Context, connector, component string) ([]corev1.Pod, error) {
	var all corev1.PodList
	if err := x.List(ctx, &all, client.InNamespace(x.namespace),
		client.MatchingLabels{v1alpha1.LabelConnector: connector, v1alpha1.LabelComponent: component}); err != nil {
		return nil, err
	}
	running := slices.DeleteFunc(all.Items, func(p corev1.Pod) bool {
		return p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil
	})
	slices.SortFunc(running, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return running, nil
}

// completeConnectors completes the argument at a position with the connectors of the namespace.
func (a *app) completeConnectors(position int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) != position {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.complete(cmd, &v1alpha1.OAConnectorList{})
	}
}

// complete with the names of objects. A shell that cannot reach the cluster completes nothing.
func (a *app) complete(cmd *cobra.Command, list client.ObjectList, options ...client.ListOption) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	x, err := a.connect()
	if err != nil || x.List(ctx, list, append(options, client.InNamespace(x.namespace))...) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	switch l := list.(type) {
	case *v1alpha1.OAConnectorList:
		for i := range l.Items {
			names = append(names, l.Items[i].Name)
		}
	case *v1alpha1.AccountBindingList:
		for i := range l.Items {
			names = append(names, l.Items[i].Name)
		}
	case *metav1.PartialObjectMetadataList: // of what deleted connectors left: the names of these
		for i := range l.Items {
			names = append(names, l.Items[i].Labels[v1alpha1.LabelLeftover])
		}
		slices.Sort(names)
		names = slices.Compact(names)
	case *v1alpha1.ReplayList:
		for i := range l.Items {
			names = append(names, l.Items[i].Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, // no proxy: the way is a tunnel already
		Timeout:   2 * time.Minute,
	}
}

// drop closes what was read.
func drop(c io.Closer) { _ = c.Close() }
