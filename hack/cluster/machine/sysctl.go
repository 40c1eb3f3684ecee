package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// sysctls that the cluster changes: the first one here, the others in the kubelet.
var sysctls = []string{
	"net/ipv4/ip_forward",
	"vm/overcommit_memory", "vm/panic_on_oom",
	"kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// Sysctls reads what the cluster may change.
func Sysctls() map[string]string {
	values := map[string]string{}
	for _, name := range sysctls {
		if raw, err := os.ReadFile(filepath.Join("/proc/sys", name)); err == nil {
			values[name] = strings.TrimSpace(string(raw))
		}
	}
	return values
}

// Forward lets the machine pass packets between pods.
func Forward() error { return RestoreSysctls(map[string]string{"net/ipv4/ip_forward": "1"}) }

// RestoreSysctls writes the values that differ.
func RestoreSysctls(values map[string]string) error {
	var failed []error
	now := Sysctls()
	for name, value := range values {
		if now[name] != value {
			failed = append(failed, os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644))
		}
	}
	return errors.Join(failed...)
}
