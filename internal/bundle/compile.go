package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Input of Compile.
type Input struct {
	Connector *v1alpha1.OAConnector
	// Templates by the name that templateRef uses; nil or missing means that there is no such template.
	Templates map[string]*v1alpha1.ScenarioTemplate
	// Sets are the AccountBindings that the connector selects, in any order.
	Sets []AccountSet
	// Previous is the live bundle, or nil. A scenario whose template is gone or no longer valid is taken from it.
	Previous *Bundle
	// ProofsURL is where the dispatcher of the connector remembers used proofs.
	ProofsURL string
	// Promoted are the trials (Trial) that the dispatcher has promoted.
	Promoted map[string]bool
	// Replays of the connector that are not finished, in the order of their creation; at most MaxReplays are taken.
	Replays []Replay
}

// Output of Compile.
type Output struct {
	Bundle *Bundle
	// Files of the bundle directory by name: bundle.json and the account shards.
	Files map[string][]byte
	// Hash stands for Files.
	Hash string
	// Pairs in use.
	Pairs int
	// Conflicts are pairs that are not in use.
	Conflicts []Conflict
	// Doubts are pairs in use whose OA account cannot be what was meant.
	Doubts []Doubt
}

// Problem is one thing that is wrong with the configuration of a connector.
type Problem struct {
	// Reason is a condition reason of api/v1alpha1.
	Reason string
	// Field of the connector, e.g. spec.scenarios[0].templateRef.
	Field string
	// Message says what is wrong and what to do.
	Message string
	// Fatal problems leave no output; what is live stays live. After others the output is good, but not all of what
	// the objects say.
	Fatal bool
}

func (p Problem) String() string { return p.Field + ": " + p.Message }

// Compile makes the bundle of a connector. It is pure: the same input gives the same bytes. The output is nil when one of
// the problems is fatal.
func Compile(in Input) (*Output, []Problem) {
	spec := in.Connector.Spec
	if n := rows(in.Sets); n > MaxPairs {
		return nil, []Problem{{v1alpha1.ReasonBundleTooLarge, "spec.accounts.selector",
			fmt.Sprintf("the selected AccountBindings have %d pairs, a connector takes at most %d; select fewer", n, MaxPairs), true}}
	}
	b := &Bundle{
		Format:       Format,
		Namespace:    in.Connector.Namespace,
		Name:         in.Connector.Name,
		Type:         string(spec.Type),
		EnterpriseID: spec.EnterpriseID,
		DataCenterID: spec.DataCenterID,
		Revocable:    spec.OnDelete.Policy == v1alpha1.DeleteRevoke,
		Suspended:    Suspended(in.Connector),
		OA:           compileOA(spec),
		Rollout:      compileShare(spec.Rollout.RolloutShare),
		Delivery:     compileDelivery(spec.Delivery),
		SLO:          Objective(spec.SLO),
		Source:       compileSource(spec.Source),
		SSO:          compileSSO(spec.SSO, in.ProofsURL),
		Records:      compileRecords(spec.Dispatcher.Records),
		CRM:          compileCRM(spec.Source.CRM),
		Replays:      in.Replays[:min(len(in.Replays), MaxReplays)],
	}
	var problems, found []Problem
	b.Scenarios, problems = compileScenarios(in)
	b.Canary, b.Stable = compileCanary(in, b.Scenarios)
	b.Queue, found = compileQueue(spec.Dispatcher.Queue)
	problems = append(problems, found...)
	b.Notifications, found = compileNotifications(spec)
	problems = append(problems, found...)

	pairs, conflicts := Merge(in.Sets)
	shards, files, err := makeShards(pairs, unserved(pairs, conflicts))
	if err != nil {
		problems = append(problems, Problem{v1alpha1.ReasonBundleTooLarge, "spec.accounts.selector", err.Error(), true})
	}
	b.Accounts = Accounts{Unbound: string(or(spec.Accounts.Unbound, DefaultUnbound)), Shards: shards}

	document := marshal(b)
	if len(document) > MaxDocumentSize {
		problems = append(problems, Problem{v1alpha1.ReasonBundleTooLarge, "spec.scenarios",
			fmt.Sprintf("the compiled configuration has %d bytes, at most %d fit; use fewer or shorter templates", len(document), MaxDocumentSize), true})
	}
	for _, p := range problems {
		if p.Fatal {
			return nil, problems
		}
	}
	if files == nil {
		files = map[string][]byte{}
	}
	files[FileName] = document
	return &Output{Bundle: b, Files: files, Hash: Hash(files), Pairs: len(pairs), Conflicts: conflicts, Doubts: Doubts(in.Connector, pairs)}, problems
}

// marshal writes canonical JSON for machines that people can read in a ConfigMap.
func marshal(b *Bundle) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(b); err != nil {
		panic("bundle: a Bundle is always JSON: " + err.Error())
	}
	return out.Bytes()
}
