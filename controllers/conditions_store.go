package controllers

import (
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// storeWords say, for each reason that a dispatcher gives for trouble with its queue, what it means and what to do next.
var storeWords = map[string]struct{ what, next string }{
	v1alpha1.ReasonStoreFull: {
		"the queue is full",
		"see why items wait (OAReachable, held items), or raise spec.dispatcher.storage.size, with NATS spec.dispatcher.queue.nats.maxBytes",
	},
	v1alpha1.ReasonStoreBroken: {
		"the queue's files are damaged",
		"the dispatcher goes on with what can be read; if this stays, its log names the file: restore the volume",
	},
	v1alpha1.ReasonStoreReadOnly: {
		"the queue volume takes no writes",
		"look at the node and the storage behind the volume claim; the dispatcher goes on by itself when writes work again",
	},
	v1alpha1.ReasonStoreSlow: {
		"the queue volume is slow to sync",
		"events are taken as fast as it can; use a faster storage class",
	},
	v1alpha1.ReasonQueueUnreachable: {
		"the NATS cluster cannot be reached",
		"check spec.dispatcher.queue.nats (urls, credentialsSecretRef, caSecretRef) and the network between the pods and NATS",
	},
	v1alpha1.ReasonQueueNotDurable: {
		"the NATS cluster would not keep what is accepted",
		"give it JetStream with file storage on at least spec.dispatcher.queue.nats.streamReplicas servers",
	},
	v1alpha1.ReasonQueueForbidden: {
		"the NATS account may not do what the dispatcher needs",
		"allow it JetStream streams, consumers and key-value buckets, or correct spec.dispatcher.queue.nats.credentialsSecretRef",
	},
}

// brokenReasons leave the dispatcher without a queue: nothing is taken and nothing goes out. The others slow it down or pass
// by themselves.
var brokenReasons = []string{
	v1alpha1.ReasonStoreBroken, v1alpha1.ReasonStoreReadOnly,
	v1alpha1.ReasonQueueUnreachable, v1alpha1.ReasonQueueNotDurable, v1alpha1.ReasonQueueForbidden,
}

// storeTrouble is the reason and the sentence for a queue that is not as it should be, or nothing.
func (f fleet) storeTrouble() (reason, message string) {
	if f.report == nil || f.report.Store == nil {
		return "", ""
	}
	s := f.report.Store
	words, known := storeWords[s.Reason]
	message = words.what
	if s.Problem != "" {
		message = "no events are taken now: " + clip(s.Problem, maxTrouble)
	}
	switch {
	case known:
		return s.Reason, join(message, words.next)
	case message != "":
		return v1alpha1.ReasonUnavailable, message
	}
	return "", ""
}

// brokenQueue is the same when the dispatcher cannot work at all without it.
func (f fleet) brokenQueue() (reason, message string) {
	if reason, message = f.storeTrouble(); slices.Contains(brokenReasons, reason) {
		return reason, message
	}
	return "", ""
}
