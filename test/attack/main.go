// Command attack runs every attack that OA Bridge must withstand against every sign-in mode and every login issuer, over
// real HTTP, and prints what became of them. It fails when a single one is let in, or an honest person is not.
package main

import (
	"fmt"
	"os"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

func main() {
	t, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
	t.write(os.Stdout)
	if len(t.let) > 0 {
		os.Exit(1)
	}
}

// run attacks everything.
func run() (*tally, error) {
	t := newTally()
	for _, m := range modes() {
		if err := attackMode(t, m); err != nil {
			return nil, err
		}
	}
	return t, attackIssuers(t)
}

// trustEverybody lets each browser of the attacks say where it is, so that they are not all locked out as one.
var trustEverybody = []string{"127.0.0.0/8"}

func attackMode(t *tally, m mode) error {
	open := func(trusted []string) *lab {
		return &lab{mode: m, tally: t, world: start(func(c *v1alpha1.OAConnector, w *world) {
			m.spec(c, w)
			c.Spec.SSO.TrustedProxies = trusted
		})}
	}
	l := open(trustEverybody)
	defer l.end()
	if err := l.works(); err != nil {
		return err
	}
	for _, attack := range []func(){
		l.replay, l.race, l.forged, l.times, l.unsigned, l.split, l.paths, l.redirects, l.strangers, l.states, l.fixation, l.keys,
		l.outage, l.closed, l.removed, l.leaks, l.lockOut,
	} {
		attack()
	}
	if err := l.works(); err != nil {
		return fmt.Errorf("after the attacks: %w", err)
	}
	// With the defaults, nobody's headers are believed.
	d := open(nil)
	defer d.end()
	d.smuggled()
	return nil
}
