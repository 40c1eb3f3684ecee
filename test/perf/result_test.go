package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// Every measure has a range for both kinds of run that can hold its goal's neighbourhood, and a name of its own.
func TestRanges(t *testing.T) {
	g := NewWithT(t)
	full, err := loadRanges(false)
	g.Expect(err).NotTo(HaveOccurred())
	quick, err := loadRanges(true)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(full).To(HaveLen(12))
	names := map[string]bool{}
	for i, m := range full {
		g.Expect(names[m.Name]).To(BeFalse(), m.Name)
		names[m.Name] = true
		g.Expect(m.Title).NotTo(BeEmpty())
		g.Expect(m.Why).NotTo(BeEmpty(), "%s: where its range comes from", m.Name)
		g.Expect(m.Goal).To(BeNumerically("<=", m.Range.Ceiling), "%s: a value at its goal is in range", m.Name)
		g.Expect(quick[i].Range).To(Equal(m.Quick))
	}
}

func found(values ...value) *lab {
	return &lab{values: values, load: startLoadMeter()}
}

// A value above its goal is shown, one out of its range fails the run, and so does one that nobody wanted.
func TestVerdicts(t *testing.T) {
	g := NewWithT(t)
	measures := []measure{
		{Name: "a", Title: "first", Unit: "s", Goal: 1, Range: bounds{Floor: 0.1, Ceiling: 2}},
		{Name: "b", Title: "second", Goal: 0, Range: bounds{}},
		{Name: "c", Title: "left out", Goal: 0, Range: bounds{}},
	}
	r, err := found(value{"a", 1.5, "slow"}, value{"b", 0, "none"}).result(measures, []string{"-quick"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.outOfRange()).To(BeFalse())
	var text strings.Builder
	g.Expect(r.print(&text, "text")).To(Succeed())
	g.Expect(text.String()).To(And(
		ContainSubstring("Command: go run ./test/perf -quick"), ContainSubstring("Load average"),
		MatchRegexp(`first +1\.5 s +≤ 1 s +no +slow`), MatchRegexp(`second +0 +≤ 0 +yes +none`),
		HaveSuffix("perf: 1 of 2 within goal\n")))
	text.Reset()
	g.Expect(r.print(&text, "json")).To(Succeed())
	g.Expect(text.String()).To(ContainSubstring(`"value": 1.5`))

	for name, v := range map[string]value{"too slow": {"a", 2.5, ""}, "measured badly": {"a", 0, ""}} {
		r, err := found(v).result(measures, nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.outOfRange()).To(BeTrue(), name)
		g.Expect(r.Rows[0].verdict()).To(Equal("OUT OF RANGE (0.1 to 2)"))
	}
	_, err = found(value{"z", 1, ""}).result(measures, nil)
	g.Expect(err).To(MatchError("ranges.yaml has no measure z"))
}

// Only numbers of a machine that did nothing else get into a document.
func TestDocsAreWrittenOnAQuietMachineOnly(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "performance.md")
	g.Expect(os.WriteFile(path, []byte("before\n"+blockBegin+"old\n"+blockEnd+"\nafter\n"), 0o600)).To(Succeed())
	r := &result{Machine: "small", Command: "go run ./test/perf", Foreign: 1.2, Rows: []row{{measure: measure{Title: "first"}, Within: true, InRange: true}}}
	g.Expect(r.writeDocs(path)).To(MatchError(ContainSubstring("others used 1.20 cores")))
	r.Foreign = 0.01
	g.Expect(r.writeDocs(path)).To(Succeed())
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(HavePrefix("before\n"+blockBegin+"- Machine: small\n"), ContainSubstring("| first | 0 | ≤ 0 | yes |"),
		HaveSuffix(blockEnd+"\nafter\n"), Not(ContainSubstring("old"))))
}

func TestFlagsThatCannotBe(t *testing.T) {
	for args, says := range map[string]string{
		"-only fast":                      `there is no section "fast"`,
		"-o yaml":                         `-o is "yaml"`,
		"-docs performance.md -quick":     "-docs needs the whole run",
		"-docs performance.md -known 500": "-docs needs the whole run",
	} {
		_, err := parse(strings.Fields(args))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)), args)
	}
}

// Addresses and names can stand in each other's place, byte for byte.
func TestCopiesHaveTheSameLength(t *testing.T) {
	g := NewWithT(t)
	m := &model{
		uids: []string{"3f0c9a52-8d0e-4f6a-9d55-0123456789ab"}, address: address(1), document: `{"name":"` + name(0) + `"}`,
		hash: "0123456789abcdef", requests: map[string]string{digestOf("x"): "request of " + name(0)},
		objects: []keyValue{{[]byte("/registry/pods/" + fleetNamespace + "/" + name(0)),
			[]byte(strings.Join([]string{name(0), enterprise(0), address(1), "3f0c9a52-8d0e-4f6a-9d55-0123456789ab", digestOf("x"), "0123456789abcdef", "0123456789ab-00112233"}, " "))}},
	}
	seen := map[string]bool{}
	for _, n := range []int{knownNumber, knownNumber + 1, 2*knownNumber + 9_999} {
		c := m.copy(n, "perf-ns-07")[0]
		g.Expect(c.Value).To(HaveLen(len(m.objects[0].Value)))
		g.Expect(string(c.Key)).To(Equal("/registry/pods/perf-ns-07/" + name(n)))
		g.Expect(string(c.Value)).To(And(ContainSubstring(name(n)), ContainSubstring(address(n)), ContainSubstring(digestOf("request of "+name(n))), HaveSuffix("-00112233")))
		for _, old := range []string{name(0), address(1), "0123456789ab", digestOf("x")} {
			g.Expect(string(c.Value)).NotTo(ContainSubstring(" " + old + " "))
		}
		g.Expect(seen[string(c.Value)]).To(BeFalse())
		seen[string(c.Value)] = true
	}
}

func TestQuantile(t *testing.T) {
	g := NewWithT(t)
	g.Expect(quantile(nil, 0.5)).To(BeZero())
	values := []time.Duration{5, 1, 4, 2, 3}
	g.Expect(quantile(values, 0.5)).To(Equal(time.Duration(3)))
	g.Expect(quantile(values, 0.99)).To(Equal(time.Duration(5)))
}

// A pod was heard when it is asked again: the first answer has come then. A new manager has heard nobody.
func TestHeard(t *testing.T) {
	g := NewWithT(t)
	first, second := &pod{}, &pod{}
	s := &standIn{pods: map[string]*pod{address(1): first, address(2): second}}
	first.asked.Add(2)
	second.asked.Add(1)
	g.Expect(s.heard()).To(Equal(1))
	second.asked.Add(1)
	g.Expect(s.heard()).To(Equal(2))
	s.forgetAsked()
	g.Expect(s.heard()).To(BeZero())
}
