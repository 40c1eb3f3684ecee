package controllers

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// maxDifferences bounds how many examples of a dry run a status holds, maxRequest the length of each request in bytes.
	maxDifferences = 20
	maxRequest     = 2048
	// maxWould bounds the words about what would happen, maxAccount an id or an account, in bytes.
	maxWould   = 256
	maxAccount = 128
)

// nextReplayStatus is a pure function of what was there and what is seen.
func nextReplayStatus(r *v1alpha1.Replay, before v1alpha1.ReplayStatus, run v1alpha1.ReplayRun, seen observedRun, now time.Time) v1alpha1.ReplayStatus {
	next := *before.DeepCopy()
	cancelled := r.Spec.State == v1alpha1.ReplayCancelled
	idle := !underWay(before)
	if run != before.Run && (!cancelled || !idle) {
		next = v1alpha1.ReplayStatus{Run: run, CompletedGeneration: before.CompletedGeneration}
	}
	next.ObservedGeneration = r.Generation
	if seen.progress != nil {
		count := seen.progress
		next.Matched, next.Queued = ptr.To(count.Matched), ptr.To(count.Queued)
		next.Delivered, next.Skipped, next.Dead = ptr.To(count.Delivered), ptr.To(count.Skipped), ptr.To(count.Dead)
		next.Differences = differences(count.Differences)
	}
	switch {
	case cancelled && (idle || !seen.connector): // the dispatcher never knew of it, or is gone
		complete(&next, r, now, v1alpha1.ReasonCancelled, "cancelled; nothing was under way")
	case seen.progress != nil && seen.progress.Done && cancelled:
		complete(&next, r, now, v1alpha1.ReasonCancelled, "cancelled; "+tally(seen.progress))
	case seen.progress != nil && seen.progress.Done:
		complete(&next, r, now, v1alpha1.ReasonCompleted, doneNote(r, seen.progress))
	default:
		reason, message := progressNote(r, seen)
		next.Conditions = replayConditions(metav1.ConditionFalse, reason, message)
	}
	return next
}

// complete is the durable memory that this generation has run.
func complete(s *v1alpha1.ReplayStatus, r *v1alpha1.Replay, now time.Time, reason, message string) {
	s.CompletedGeneration = r.Generation
	s.CompletionTime = metav1.NewTime(now.Truncate(time.Second))
	s.Conditions = replayConditions(metav1.ConditionTrue, reason, message)
}

// replayConditions: a paused replay is neither reconciling nor stalled, because it is as it was asked to be.
func replayConditions(ready metav1.ConditionStatus, reason, message string) []metav1.Condition {
	reconciling := condition(v1alpha1.ConditionReconciling, metav1.ConditionFalse, reason, "nothing is under way")
	if ready != metav1.ConditionTrue && reason != v1alpha1.ReasonSuspended {
		reconciling = condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, message)
	}
	return []metav1.Condition{
		condition(v1alpha1.ConditionReady, ready, reason, message),
		reconciling,
		condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing needs a change of this object"),
	}
}

func progressNote(r *v1alpha1.Replay, seen observedRun) (reason, message string) {
	name := r.Spec.ConnectorRef.Name
	switch {
	case !seen.connector:
		return v1alpha1.ReasonConnectorNotFound, fmt.Sprintf(
			"spec.connectorRef: there is no connector %q in this namespace; the replay starts when it is there", name)
	case r.Spec.State == v1alpha1.ReplaySuspended:
		return v1alpha1.ReasonSuspended, "paused; set spec.state to Running to let it go on"
	case r.Spec.State == v1alpha1.ReplayCancelled:
		return v1alpha1.ReasonReplaying, "being cancelled: what is already queued goes out"
	case seen.progress == nil:
		return v1alpha1.ReasonReplaying, fmt.Sprintf(
			"waiting for the dispatcher of connector %q to take it up; %d replays of a connector are under way at most", name, bundle.MaxReplays)
	case seen.progress.Message != "":
		return v1alpha1.ReasonReplaying, "it does not go on: " + clip(seen.progress.Message, maxTrouble)
	case r.Spec.Mode == v1alpha1.ReplayDryRun:
		return v1alpha1.ReasonReplaying, "dead letters are being looked at; nothing is sent"
	}
	return v1alpha1.ReasonReplaying, "dead letters are being sent again"
}

func doneNote(r *v1alpha1.Replay, done *report.Replay) string {
	if r.Spec.Mode == v1alpha1.ReplayDryRun {
		return fmt.Sprintf("dry run: %s; nothing was sent, examples are in status.differences",
			count(done.Matched, "dead letter matches", "dead letters match"))
	}
	return tally(done)
}

// tally of a run, such as "240 dead letters matched: 229 delivered, 11 skipped".
func tally(done *report.Replay) string {
	var parts []string
	for _, p := range []struct {
		n    int64
		word string
	}{{done.Delivered, "delivered"}, {done.Skipped, "skipped"}, {done.Dead, "dead again"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	words := count(done.Matched, "dead letter matched", "dead letters matched")
	if len(parts) == 0 {
		return words
	}
	return words + ": " + strings.Join(parts, ", ")
}

func differences(found []report.Difference) []v1alpha1.ReplayDifference {
	var out []v1alpha1.ReplayDifference
	for _, d := range found {
		if len(out) == maxDifferences {
			break
		}
		if d.ItemID == "" || d.Receiver == "" || d.Would == "" { // not what the status' schema takes
			continue
		}
		out = append(out, v1alpha1.ReplayDifference{
			ItemID: clip(d.ItemID, maxAccount), Receiver: clip(d.Receiver, maxAccount), Would: clip(d.Would, maxWould),
			Before: clip(d.Before, maxRequest), After: clip(d.After, maxRequest),
		})
	}
	return out
}

// withoutProgress leaves out what changes with every item.
func withoutProgress(s *v1alpha1.ReplayStatus) *v1alpha1.ReplayStatus {
	c := s.DeepCopy()
	c.Matched, c.Queued, c.Delivered, c.Skipped, c.Dead, c.Differences = nil, nil, nil, nil, nil, nil
	return c
}
