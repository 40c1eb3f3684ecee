// Package conformance runs one suite over every type of OA and each protocol that it speaks. Each case goes the whole way:
// connector and presets → compile → bundle → dispatcher → driver → real HTTP → simulator, and ends at what the people of the
// OA see and at what the dispatcher wrote down. `make conformance` prints the table.
package conformance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oabridge/oabridge/internal/tracing"
	"github.com/oabridge/oabridge/internal/tracing/collector"
)

// targets are all types and protocols. Each is described in a file of its own.
var targets = []func() target{
	seeyonREST, weaverREST, weaverSOAP, landrayREST, landraySOAP, yunzhijiaREST, genericREST, genericSOAP,
	welinkREST, wecomREST, dingtalkREST, feishuREST,
}

// results of the run, by target and case.
var results = struct {
	sync.Mutex
	cells map[string]map[string]string
	notes []string
}{cells: map[string]map[string]string{}}

const (
	passed  = "ok"
	failed  = "FAIL"
	without = "-"
)

func TestMain(m *testing.M) {
	code := m.Run()
	printTable()
	os.Exit(code)
}

func TestConformance(t *testing.T) {
	traces := collector.Start(t)
	t.Setenv(tracing.EnvEndpoint, traces.URL)
	for _, describe := range targets {
		o := describe()
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, o, traces)
			for _, c := range cases {
				if why := o.without[c.name]; why != "" {
					note(o.name, c.name, without, fmt.Sprintf("%s, %s: %s", o.name, c.name, why))
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					defer func() {
						if t.Failed() {
							note(o.name, c.name, failed, "")
							return
						}
						note(o.name, c.name, passed, "")
					}()
					c.run(&run{T: t, stage: s, task: "T-" + strings.ReplaceAll(c.name, " ", "-")})
				})
			}
		})
	}
}

func note(target, name, result, text string) {
	results.Lock()
	defer results.Unlock()
	if results.cells[target] == nil {
		results.cells[target] = map[string]string{}
	}
	results.cells[target][name] = result
	if text != "" {
		results.notes = append(results.notes, text)
	}
}

// printTable shows type × case, what the cases prove, and the sum. A part of the suite (go test -run) has a part of the
// table.
func printTable() {
	results.Lock()
	defer results.Unlock()
	sum := map[string]int{}
	header := fmt.Sprintf("%-16s", "")
	for i := range cases {
		header += fmt.Sprintf(" %4d", i+1)
	}
	fmt.Println(header)
	for _, describe := range targets {
		o := describe()
		row := fmt.Sprintf("%-16s", o.name)
		for _, c := range cases {
			result := results.cells[o.name][c.name]
			sum[result]++
			row += fmt.Sprintf(" %4s", result)
		}
		fmt.Println(row)
	}
	fmt.Println()
	for i, c := range cases {
		fmt.Printf("%4d  %-18s %s\n", i+1, c.name, strings.Join(c.rules, " "))
	}
	slices.Sort(results.notes)
	if len(results.notes) > 0 {
		fmt.Printf("\n%s does not exist there:\n", without)
	}
	for _, n := range results.notes {
		fmt.Println("  " + n)
	}
	fmt.Printf("\nconformance: %d passed, %d failed\n", sum[passed], sum[failed])
}
