package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// forbidDumps keeps the memory of the process, which holds secrets, out of core files and away from other processes of the
// same user.
func forbidDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("core files cannot be turned off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("the process cannot be kept from being dumped: %w", err)
	}
	return nil
}
