package main

import "slices"

// quantiles of values that are not 0; the order of values changes. Without values they are 0.
func quantiles(values []int64, at ...float64) []int64 {
	values = slices.DeleteFunc(values, func(v int64) bool { return v == 0 })
	slices.Sort(values)
	out := make([]int64, len(at))
	for i, q := range at {
		if len(values) > 0 {
			out[i] = values[min(int(q*float64(len(values))), len(values)-1)]
		}
	}
	return out
}
