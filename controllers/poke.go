package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

const (
	// pokeFirst is how long a pod may take to report new configuration before it is poked again, in which time a kubelet
	// has seen the change that it may have missed at the first poke. It doubles with every poke up to pokeMax.
	pokeFirst = 2 * time.Second
	pokeMax   = time.Minute
)

// poker changes an annotation of running pods, upon which the kubelet refreshes their volumes at once instead of at its
// next sync, which may be more than a minute away.
type poker struct {
	client client.Client

	mu    sync.Mutex
	pokes map[types.NamespacedName]map[types.UID]poke
}

type poke struct {
	revision string
	times    int
	at       time.Time
	// twice: the Secrets changed. Nobody reports them, so the second poke is sent whatever the pod says.
	twice bool
}

func newPoker(c client.Client) *poker {
	return &poker{client: c, pokes: map[types.NamespacedName]map[types.UID]poke{}}
}

// refresh pokes pod where needed. heard says that there is a report of it, live that it has the wanted bundle. The result is
// when to look again, 0 for never.
func (p *poker) refresh(ctx context.Context, connector types.NamespacedName, pod *corev1.Pod, revision revision, heard, live bool, now time.Time) (time.Duration, error) {
	last := p.last(connector, pod.UID)
	seen := pod.Annotations[v1alpha1.AnnotationConfigRevision]
	next := poke{revision: revision.String(), at: now}
	switch {
	case last.revision == next.revision:
		if live && (!last.twice || last.times > 1) {
			return 0, nil
		}
		pause := min(pokeFirst<<min(last.times-1, 8), pokeMax)
		if wait := last.at.Add(pause).Sub(now); wait > 0 {
			return wait, nil
		}
		next.times, next.twice = last.times+1, last.twice
	case strings.HasPrefix(seen+".", next.revision+"."):
		// Poked before this process started. A pod that is live needs nothing more, and one that does not answer says when it does.
		if live || !heard {
			return 0, nil
		}
		next.times = pokesOf(seen) + 1
	default:
		next.times, next.twice = 1, !sameSecrets(seen, revision)
	}
	value := next.revision
	if next.times > 1 {
		value = fmt.Sprintf("%s.%d", value, next.times-1)
	}
	base := pod.DeepCopy()
	patched := pod.DeepCopy()
	if patched.Annotations == nil {
		patched.Annotations = map[string]string{}
	}
	patched.Annotations[v1alpha1.AnnotationConfigRevision] = value
	if err := p.client.Patch(ctx, patched, client.MergeFrom(base), connectorManager); err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pokes[connector] == nil {
		p.pokes[connector] = map[types.UID]poke{}
	}
	p.pokes[connector][pod.UID] = next
	if live && !next.twice {
		return 0, nil
	}
	return pokeFirst, nil
}

func (p *poker) last(connector types.NamespacedName, pod types.UID) poke {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pokes[connector][pod]
}

// keep drops what is known about pods of the connector that are gone.
func (p *poker) keep(connector types.NamespacedName, pods []corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.pokes[connector]
	maps.DeleteFunc(known, func(uid types.UID, _ poke) bool {
		return !slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return pod.UID == uid })
	})
	if len(known) == 0 {
		delete(p.pokes, connector)
	}
}

func (p *poker) forget(connector types.NamespacedName) { p.keep(connector, nil) }

// revision of all that a pod mounts.
type revision struct{ bundle, secrets string }

// shownHash is how much of a bundle's hash goes into an annotation.
const shownHash = 12

func (r revision) String() string { return r.bundle[:min(len(r.bundle), shownHash)] + "-" + r.secrets }

// sameSecrets is also true for a pod that was never poked: it has just mounted what there is.
func sameSecrets(annotation string, r revision) bool {
	if annotation == "" {
		return true
	}
	_, secrets, _ := strings.Cut(annotation, "-")
	secrets, _, _ = strings.Cut(secrets, ".")
	return secrets == r.secrets
}

func pokesOf(annotation string) int {
	_, suffix, found := strings.Cut(annotation, ".")
	if !found {
		return 1
	}
	n, _ := strconv.Atoi(suffix)
	return max(n, 0) + 1
}

// refreshPods pokes the running pods of the connector after their configuration was written.
func (c *ConnectorReconciler) refreshPods(ctx context.Context, r *round) error {
	key := client.ObjectKeyFromObject(r.connector)
	c.poke.keep(key, r.pods)
	if r.hash == "" || r.unheard {
		return nil
	}
	for i := range r.pods {
		pod := &r.pods[i]
		if pod.Status.Phase != corev1.PodRunning || !pod.DeletionTimestamp.IsZero() {
			continue
		}
		report, ok := c.options.Reports.Latest(pod.UID)
		live := ok && report.Config.Hash == r.hash
		again, err := c.poke.refresh(ctx, key, pod, revision{r.hash, r.secrets}, ok, live, r.now)
		if err != nil {
			return fmt.Errorf("refresh pod %s: %w", pod.Name, err)
		}
		r.again(again)
	}
	return nil
}
