// Package changes turns informers into one signal. In a cluster of one node it is simplest, and fast enough, to look
// at everything again whenever anything changed.
package changes

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/client-go/tools/cache"
)

// settle is how long a burst of events (a rollout, say) is collected before it is acted on.
const settle = 50 * time.Millisecond

// retry is how long to wait after a failure when nothing else happens.
const retry = 2 * time.Second

// Loop calls act once now and then after every change that one of the informers saw, until ctx ends. The informers
// must have been started. When act fails it is called again.
func Loop(ctx context.Context, act func(context.Context) error, informers ...cache.SharedIndexInformer) error {
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	notify := func() {
		select {
		case changed <- struct{}{}:
		default: // a look is due anyway
		}
	}
	synced := make([]cache.InformerSynced, 0, len(informers))
	for _, informer := range informers {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { notify() },
			UpdateFunc: func(any, any) { notify() },
			DeleteFunc: func(any) { notify() },
		}); err != nil {
			return err
		}
		synced = append(synced, informer.HasSynced)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil // ctx ended
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		time.Sleep(settle)
		if err := act(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("will try again", "error", err)
			time.AfterFunc(retry, notify)
		}
	}
}
