//go:build !linux

package main

// forbidDumps does nothing: workloads run on Linux.
func forbidDumps() error { return nil }
