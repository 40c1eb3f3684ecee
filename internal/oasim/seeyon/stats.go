package seeyon

// Stats counts what the OA holds and what was written to it.
type Stats struct {
	Distinct int `json:"distinct"` // items ever taken: open + done + deleted
	Open     int `json:"open"`
	Done     int `json:"done"`
	Deleted  int `json:"deleted"`
	// Revived sums how often a finished or revoked item was opened again: zombies.
	Revived int `json:"revived"`
	// Duplicates counts items that show a person the same task a second time.
	Duplicates int `json:"duplicates"`
	writeCounts
}

type writeCounts struct {
	Creates   int `json:"creates"`   // items accepted by receive or receive/pendings
	Recreates int `json:"recreates"` // those of them that were known before
	Updates   int `json:"updates"`   // items changed by updatePendingState
	Repeats   int `json:"repeats"`   // writes that changed nothing: redeliveries
}

func (b *itemBox) stats() Stats {
	b.mu.RLock()
	defer b.mu.RUnlock()
	st := Stats{Distinct: len(b.order), writeCounts: b.count}
	seen := map[itemKey]bool{}
	for _, item := range b.order {
		switch item.State {
		case StateOpen:
			st.Open++
		case StateDone:
			st.Done++
		default:
			st.Deleted++
		}
		st.Revived += item.Revived
		person := itemKey{item.RegisterCode, item.TaskID, item.LoginName}
		if seen[person] {
			st.Duplicates++
		}
		seen[person] = true
	}
	return st
}
