package controllers

import (
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What the API allows in an Event, in bytes; a note may have 1 KiB.
const (
	maxNote   = 1000
	maxAction = 128
)

// tell makes an Event of o. The library for Events takes two of one reason for the same, drops the words of the second one and
// counts on for minutes, unless their actions differ: so an action is what an Event is about.
func tell(recorder events.EventRecorder, o client.Object, kind, reason, about, note string) {
	recorder.Eventf(o, nil, kind, reason, clip(about, maxAction), "%s", clip(note, maxNote))
}
