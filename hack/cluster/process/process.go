// Package process starts programs that outlive the tool, and ends them later without ever hitting another program that
// got the same process id.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a running program. Start is the clock tick since boot at which it began: together with the id it is unique.
type Process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Start runs the command in a session of its own, with its output in the log file.
func Start(name, log string, env []string, argv ...string) (Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return Process{}, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = filepath.Dir(log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Process{}, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // so that an early end shows as an end and not as a zombie
	start, err := startOf(cmd.Process.Pid)
	if err != nil {
		return Process{}, fmt.Errorf("%s ended at once; its log is %s", name, log)
	}
	return Process{Name: name, PID: cmd.Process.Pid, Start: start}, nil
}

// Alive tells whether this very process still runs.
func (p Process) Alive() bool {
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// Kill ends the process, if it is still this one, and waits until it is gone.
func (p Process) Kill() error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end %s (process %d): %w", p.Name, p.PID, err)
	}
	for deadline := time.Now().Add(10 * time.Second); p.Alive(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s (process %d) does not end", p.Name, p.PID)
		}
	}
	return nil
}

// Matching finds the processes of a program that have the text in their command line.
func Matching(program, text string) []Process {
	const kernelKeeps = 15 // bytes of a program's name
	program = program[:min(len(program), kernelKeeps)]
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []Process
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(raw, []byte(text)) {
			continue
		}
		if p, ok := ByID(filepath.Base(filepath.Dir(path))); ok && p.Name == program {
			found = append(found, p)
		}
	}
	return found
}

// ByID gives the process that has this id now.
func ByID(id string) (Process, bool) {
	pid, err := strconv.Atoi(id)
	if err != nil {
		return Process{}, false
	}
	start, err := startOf(pid)
	if err != nil {
		return Process{}, false
	}
	name, _ := os.ReadFile(filepath.Join("/proc", id, "comm"))
	return Process{Name: strings.TrimSpace(string(name)), PID: pid, Start: start}, true
}

func startOf(pid int) (uint64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStart(string(raw))
}

// parseStart reads the 22nd field of /proc/PID/stat. The second is the program's name, which may itself hold spaces and
// parentheses, so counting begins after the last one.
func parseStart(stat string) (uint64, error) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, fmt.Errorf("unexpected process state %q", stat)
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("unexpected process state %q", stat)
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, errors.New("ended")
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// Tail is the end of a log file, for error messages.
func Tail(path string, lines int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
