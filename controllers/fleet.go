package controllers

import (
	"fmt"
	"slices"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/slo"
)

// fleet is what the replicas of a dispatcher say together.
type fleet struct {
	// report joins theirs: counts are sums, because each partition of the queue is counted by the replica that serves it.
	// nil when none has reported.
	report *report.Report
	// unserved of the partitions are served by no replica that reports; the sums then lack them.
	unserved, partitions int
}

// joinReports of the pods of a dispatcher. With an embedded queue there is one that counts. With NATS, a pod that is about
// to end counts as long as it serves a partition that nobody has taken over.
func joinReports(c *v1alpha1.OAConnector, pods []observedPod) fleet {
	f := fleet{partitions: bundle.Partitions(c)}
	nats := c.Spec.Dispatcher.Queue.Type == v1alpha1.QueueNATS
	served := map[int]bool{}
	var counted []observedPod
	for _, leaving := range []bool{false, true} {
		for _, p := range pods {
			if p.report == nil || p.leaving != leaving || (!nats && (leaving || len(counted) > 0)) {
				continue
			}
			fresh := 0
			for _, partition := range partitionsOf(p.report) {
				if !served[partition] {
					served[partition] = true
					fresh++
				}
			}
			if !leaving || fresh > 0 {
				counted = append(counted, p)
			}
		}
	}
	if len(counted) == 0 {
		return f
	}
	if nats {
		f.unserved = max(0, f.partitions-len(served))
	}
	f.report = joined(counted, nats)
	return f
}

func partitionsOf(r *report.Report) []int {
	if r.Store == nil {
		return nil
	}
	return r.Store.Partitions
}

// joined makes one report of several.
func joined(pods []observedPod, nats bool) *report.Report {
	out := &report.Report{Component: v1alpha1.ComponentDispatcher, Config: pods[0].report.Config, Replays: map[string]report.Replay{}, Trials: map[string]report.Trial{}}
	var owners []*report.Report
	for _, p := range pods {
		if p.report.Config.Hash != out.Config.Hash {
			out.Config = report.Config{} // they do not agree
		}
		if p.report.Delivery != nil {
			if out.Delivery == nil {
				out.Delivery = &report.Delivery{HeldReasons: map[string]int64{}}
			}
			addDelivery(out.Delivery, p.report.Delivery)
		}
		if p.report.SLO != nil {
			if out.SLO == nil {
				out.SLO = &slo.Figures{}
			}
			out.SLO.Add(p.report.SLO)
		}
		if r := p.report.Revoke; r != nil && (!nats || len(partitionsOf(p.report)) > 0) {
			if out.Revoke == nil {
				out.Revoke = &report.Revoke{Done: true}
			}
			out.Revoke.Done = out.Revoke.Done && r.Done
		}
		if n := p.report.Notifications; n != nil {
			out.Notifications = joinNotifications(out.Notifications, n)
		}
		joinTrials(out.Trials, p.report.Trials)
		if !nats || len(partitionsOf(p.report)) > 0 {
			owners = append(owners, p.report)
		}
	}
	out.OA, out.Store = joinOA(pods), joinStore(pods)
	for _, owner := range owners {
		for id := range owner.Replays {
			out.Replays[id] = joinReplay(id, owners)
		}
	}
	return out
}

func addDelivery(sum, d *report.Delivery) {
	sum.Pending += d.Pending
	sum.Retrying += d.Retrying
	sum.Held += d.Held
	sum.Dead += d.Dead
	sum.Delivered += d.Delivered
	sum.Skipped += d.Skipped
	sum.Lost += d.Lost
	for reason, n := range d.HeldReasons {
		sum.HeldReasons[reason] += n
	}
	if d.OldestTime != nil && (sum.OldestTime == nil || d.OldestTime.Before(*sum.OldestTime)) {
		sum.OldestTime = d.OldestTime
	}
	if d.LastFailure != nil && (sum.LastFailure == nil || d.LastFailure.Time.After(sum.LastFailure.Time)) {
		sum.LastFailure = d.LastFailure
	}
}

// joinOA: one replica that cannot reach the OA is trouble, even if the others can. One that has not asked yet is none.
func joinOA(pods []observedPod) *report.OA {
	rank := map[string]int{"True": 1, "False": 2}
	var worst *report.OA
	var of string
	agree := true
	for _, p := range pods {
		oa := p.report.OA
		if oa == nil {
			continue
		}
		if worst != nil && oa.State != worst.State {
			agree = false
		}
		if worst == nil || rank[oa.State] > rank[worst.State] {
			worst, of = oa, p.name
		}
	}
	if worst == nil || agree || worst.State != "False" {
		return worst
	}
	named := *worst
	named.Message = fmt.Sprintf("pod %s: %s", of, worst.Message)
	return &named
}

// joinStore names the first trouble, and whose it is when the others have none.
func joinStore(pods []observedPod) *report.Store {
	var out *report.Store
	troubled, fine := "", 0
	for _, p := range pods {
		s := p.report.Store
		if s == nil {
			continue
		}
		if out == nil {
			out = &report.Store{}
		}
		out.Partitions = append(out.Partitions, s.Partitions...)
		if out.Records == "" && s.Records != "" {
			out.Records = fmt.Sprintf("pod %s: %s", p.name, s.Records)
		}
		switch {
		case s.Reason == "" && s.Problem == "":
			fine++
		case troubled == "":
			troubled = p.name
			out.Reason, out.Problem = s.Reason, s.Problem
		}
	}
	if troubled != "" && fine > 0 && out.Problem != "" {
		out.Problem = fmt.Sprintf("pod %s: %s", troubled, out.Problem)
	}
	if out != nil {
		slices.Sort(out.Partitions)
	}
	return out
}

func joinNotifications(a, b *report.Notifications) *report.Notifications {
	if a == nil {
		return b
	}
	out := *a
	if out.Problem == "" {
		out.Problem = b.Problem
	}
	out.LastSent = later(a.LastSent, b.LastSent)
	return &out
}

func later(a, b *time.Time) *time.Time {
	if a == nil || (b != nil && b.After(*a)) {
		return b
	}
	return a
}

// joinReplay sums what each owner did for its own partitions; the whole is done when all of them are.
func joinReplay(id string, owners []*report.Report) report.Replay {
	sum := report.Replay{Done: true}
	for _, o := range owners {
		r, known := o.Replays[id]
		sum.Done = sum.Done && known && r.Done
		sum.Matched += r.Matched
		sum.Queued += r.Queued
		sum.Delivered += r.Delivered
		sum.Skipped += r.Skipped
		sum.Dead += r.Dead
		if sum.Message == "" {
			sum.Message = r.Message
		}
		sum.Differences = append(sum.Differences, r.Differences...)
	}
	return sum
}

func (f fleet) unservedNote() string {
	return fmt.Sprintf("%d of %s of the queue %s served by no dispatcher, and their items wait; another replica takes over within seconds",
		f.unserved, count(int64(f.partitions), "partition", "partitions"), isOrAre(f.unserved))
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
