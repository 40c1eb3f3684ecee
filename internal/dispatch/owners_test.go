package dispatch

import (
	"fmt"
	"testing"
)

// Every replica has its share of the partitions, whatever the names, and few move when one comes or goes.
func TestShareOut(t *testing.T) {
	for replicas := 1; replicas <= 8; replicas++ {
		for _, partitions := range []int{1, 4, 8, 64} {
			var members []string
			for i := range replicas {
				members = append(members, fmt.Sprintf("hq-dispatcher-7d9f-%d", i))
			}
			count := map[string]int{}
			before := shareOut(members, partitions)
			for _, m := range before {
				count[m]++
			}
			most := (partitions + replicas - 1) / replicas
			for m, n := range count {
				if n > most {
					t.Errorf("%d replicas, %d partitions: %s has %d", replicas, partitions, m, n)
				}
			}
			if partitions >= 8 && partitions%replicas == 0 && len(count) != replicas {
				t.Errorf("%d replicas, %d partitions: only %d have work", replicas, partitions, len(count))
			}
			moved := 0
			for p, m := range shareOut(append(members, "hq-dispatcher-7d9f-new"), partitions) {
				if m != before[p] && m != "hq-dispatcher-7d9f-new" {
					moved++
				}
			}
			if moved > partitions/2 {
				t.Errorf("%d replicas, %d partitions: %d move between replicas that stay", replicas, partitions, moved)
			}
		}
	}
}
