package main

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// short runs are part of `make e2e`; they need no cluster.
func short(t *testing.T) config {
	t.Helper()
	if os.Getenv("OABRIDGE_E2E") == "" {
		t.Skip("runs with `make e2e`")
	}
	return config{events: 3000, rate: 300, havoc: 30 * time.Second, bin: os.Getenv("OABRIDGE_BIN"), out: "../../out"}
}

func show(t *testing.T, out *bytes.Buffer, good bool, err error) {
	t.Helper()
	t.Log(out)
	if err != nil || !good {
		t.Error("the promise is broken", err)
	}
}

// 3,000 events while the dispatcher is killed, the OA fails in every way and the disk fills up: nothing is lost, nothing
// out of order, nothing twice.
func TestShortChaos(t *testing.T) {
	c := short(t)
	c.complete()
	t.Log("seed", c.seed)
	var out bytes.Buffer
	good, err := chaos(t.Context(), c, &out)
	show(t, &out, good, err)
}

// 1,500 events over three dispatchers and a cluster of three NATS servers, of which owners and servers are killed in turn.
func TestShortChaosNATS(t *testing.T) {
	c := short(t)
	c.nats, c.replicas, c.events, c.rate = true, 3, 1500, 150
	c.complete()
	t.Log("seed", c.seed)
	var out bytes.Buffer
	good, err := chaos(t.Context(), c, &out)
	show(t, &out, good, err)
}

// 2,000 changes of 400 to-dos while the OA is down end in at most 400 pushes and the CRM's state.
func TestShortOutage(t *testing.T) {
	c := short(t)
	c.outage, c.events, c.items, c.rate, c.hold = true, 2000, 400, 0, 2*time.Second
	c.complete()
	t.Log("seed", c.seed)
	var out bytes.Buffer
	good, err := outage(t.Context(), c, &out)
	show(t, &out, good, err)
}
