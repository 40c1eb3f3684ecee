package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

// tolerated is how much processor time others may use before the numbers are not called clean, in cores: the kernel's own
// threads (disk, network) are among them.
const tolerated = 0.15

// printer writes tables, for a terminal or as Markdown.
type printer struct {
	out      io.Writer
	markdown bool
	table    *table
}

// table is the one being printed, and what was seen beside it.
type table struct {
	rows    [][]string
	remarks []string
	worst   float64
}

// machine says where the numbers come from.
func (p *printer) machine(l *lab, args []string) {
	p.table = &table{}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	lines := []string{
		fmt.Sprintf("Machine: %s, %d cores, Linux %s, %s", cpuModel(), runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version()),
		fmt.Sprintf("Command: go run ./test/bench %s", strings.Join(args, " ")),
		fmt.Sprintf("Connector: %d calls to the OA at the same time; every event and every record synced to disk (%s)", l.concurrency, fileSystem(l.store)),
		fmt.Sprintf("Each row is the median of %d runs; load average before: %s", l.runs, process.Load()),
	}
	for _, line := range lines {
		if p.markdown {
			line = "- " + strings.TrimSpace(line)
		}
		_, _ = fmt.Fprintln(p.out, strings.TrimSpace(line))
	}
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// fileSystem names the type of the file system of a folder.
func fileSystem(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return "unknown"
	}
	names := map[int64]string{0xEF53: "ext4", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x01021994: "tmpfs", 0x794C7630: "overlay"}
	if name := names[int64(s.Type)]; name != "" { //nolint:unconvert // the type differs between architectures
		return name
	}
	return fmt.Sprintf("file system %#x", s.Type)
}

func (p *printer) heading(title string, columns ...string) {
	if p.markdown {
		title = "## " + title
	}
	_, _ = fmt.Fprintf(p.out, "\n%s\n\n", title)
	p.table.rows, p.table.remarks = [][]string{columns}, nil
	if !p.markdown {
		_, _ = fmt.Fprintf(os.Stderr, "%s …\n", title)
	}
}

func (p *printer) row(cells ...string) {
	p.table.rows = append(p.table.rows, cells)
	_, _ = fmt.Fprintln(os.Stderr, " ", strings.Join(cells, "  ")) // progress
}

// saw notes how much processor time others used during a row, in cores.
func (p *printer) saw(foreign float64) { p.table.worst = max(p.table.worst, foreign) }

func (p *printer) remark(format string, args ...any) {
	p.table.remarks = append(p.table.remarks, fmt.Sprintf(format, args...))
}

// end prints the table.
func (p *printer) end() {
	if p.markdown {
		for i, cells := range p.table.rows {
			_, _ = fmt.Fprintf(p.out, "| %s |\n", strings.Join(cells, " | "))
			if i == 0 {
				_, _ = fmt.Fprintf(p.out, "|%s\n", strings.Repeat("---:|", len(cells)))
			}
		}
	} else {
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, cells := range p.table.rows {
			_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")+"\t")
		}
		_ = w.Flush()
	}
	for _, r := range p.table.remarks {
		_, _ = fmt.Fprintf(p.out, "\n%s\n", r)
	}
}

// verdict says whether the machine was ours.
func (p *printer) verdict() {
	if p.table.worst > tolerated {
		_, _ = fmt.Fprintf(p.out, "\nNOT CLEAN: other processes used up to %.2f cores during a row; load average now %s\n", p.table.worst, process.Load())
		return
	}
	_, _ = fmt.Fprintf(p.out, "\nclean: other processes used at most %.2f cores during any row; load average now %s\n", p.table.worst, process.Load())
}

func ms(ns int64) string { return fmt.Sprintf("%.1f ms", float64(ns)/float64(time.Millisecond)) }

func mib(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
