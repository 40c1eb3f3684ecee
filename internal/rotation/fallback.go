package rotation

import "context"

// Fallback returns another value after the other side refused one, if there is one that is accepted or, where there is no
// proof without a real call, may be tried. Call Worked when it did its work.
func (r *Rotation[T]) Fallback(ctx context.Context, refused T, why string) (other T, ok bool) {
	others, done := r.others(refused, why)
	if done {
		return others[0].value, true
	}
	for _, c := range others {
		verdict := Unknown
		if r.c.Prove != nil {
			verdict = r.prove(ctx, c)
		}
		if verdict == Accepted || verdict == Unknown && ctx.Err() == nil {
			return c.value, true
		}
	}
	return other, false
}

// instead lists the values of the Secret beside one that may be tried. There are two when that one has left the Secret meanwhile.
// Nothing is noted.
func (r *Rotation[T]) instead(than T) (list []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look() != nil {
		return nil
	}
	for _, c := range r.beside(than) {
		list = append(list, c.value)
	}
	return list
}

// beside lists the values of the Secret beside one that may be tried, the next one first. The lock is held.
func (r *Rotation[T]) beside(v T) (list []*candidate[T]) {
	for _, c := range []*candidate[T]{r.next, r.current} {
		if c != nil && !c.value.Equal(v) && (c.refusals < freeAttempts || !r.c.Now().Before(c.again)) {
			list = append(list, c)
		}
	}
	return list
}

// others lists the values that may be tried in place of a refused one, and notes the refusal when there are some. done is
// true when one of them is in use already, because somebody else came first.
func (r *Rotation[T]) others(refused T, why string) (list []*candidate[T], done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look() != nil {
		return nil, false
	}
	if r.used != nil && r.used.accepted && !r.used.value.Equal(refused) {
		return []*candidate[T]{r.used}, true
	}
	list = r.beside(refused)
	// Many calls may be refused with one value: the first one counts.
	if c := r.find(refused); c != nil && len(list) > 0 && (c.accepted || c.refusals == 0) {
		c.note(Refused, why, r.c.Now())
	}
	return list, false
}
