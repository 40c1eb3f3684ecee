package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

// errPartly marks an answer that lacks what some dispatchers know.
type partly struct{ failed int }

func (p *partly) Error() string {
	if p.failed == 1 {
		return "a dispatcher did not answer: the answer lacks its part of the queue"
	}
	return fmt.Sprintf("%d dispatchers did not answer: the answer lacks their parts of the queue", p.failed)
}

// dispatchers returns the running dispatchers of the connector with that name, or of the only one.
func (x *access) dispatchers(ctx context.Context, name string) (*v1alpha1.OAConnector, []corev1.Pod, error) {
	c, err := x.connector(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	pods, err := x.pods(ctx, c.Name, v1alpha1.ComponentDispatcher)
	if err != nil {
		return nil, nil, err
	}
	if len(pods) == 0 {
		return nil, nil, fmt.Errorf("no dispatcher of connector %q runs, so nobody can be asked; kubectl -n %s describe oac %s says why", c.Name, c.Namespace, c.Name)
	}
	return c, pods, nil
}

// each asks all pods at once on one of their ports. What a pod did not answer is said; the error is about the question
// itself, or partly, or the failure when no pod answered.
func each[T any](ctx context.Context, a *app, x *access, pods []corev1.Pod, port int, ask func(ctx context.Context, url string) (T, error)) ([]T, error) {
	answers, errs := make([]T, len(pods)), make([]error, len(pods))
	var all sync.WaitGroup
	for i := range pods {
		all.Go(func() {
			url, end, err := x.reach(ctx, &pods[i], port)
			if err != nil {
				errs[i] = err
				return
			}
			defer end()
			answers[i], errs[i] = ask(ctx, url)
		})
	}
	all.Wait()
	var good []T
	for i, err := range errs {
		switch {
		case err == nil:
			good = append(good, answers[i])
		case lookup.BadQuery(err):
			return nil, usage("%w", err)
		case len(pods) > 1:
			a.say("pod %s: %v", pods[i].Name, err)
		}
	}
	switch failed := len(pods) - len(good); {
	case len(good) == 0:
		return nil, errs[0]
	case failed > 0:
		return good, &partly{failed: failed}
	}
	return good, nil
}

// ask asks the dispatchers of the connector with that name, or of the only one. Answers are nil when there is none.
func ask[T any](ctx context.Context, a *app, connector string, question func(context.Context, *lookup.Client) (T, error)) (*v1alpha1.OAConnector, []T, error) {
	x, err := a.connect()
	if err != nil {
		return nil, nil, err
	}
	c, pods, err := x.dispatchers(ctx, connector)
	if err != nil {
		return nil, nil, err
	}
	answers, err := look(ctx, a, x, pods, question)
	return c, answers, err
}

// older says how to see what a list left out. at is the time of its first line.
func (a *app) older(at time.Time) {
	a.say("there are older ones: raise --limit, or give --until %s", at.Format(time.RFC3339Nano))
}

// look asks the dispatchers on their local port.
func look[T any](ctx context.Context, a *app, x *access, pods []corev1.Pod, ask func(context.Context, *lookup.Client) (T, error)) ([]T, error) {
	http := newHTTPClient()
	return each(ctx, a, x, pods, bundle.PortLocal, func(ctx context.Context, url string) (T, error) {
		return ask(ctx, &lookup.Client{URL: url, HTTP: http})
	})
}
