package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
)

// Every line of a workload names its connector; without a bundle there is nothing to name, and lines come all the same.
func TestLinesNameTheConnector(t *testing.T) {
	dir := t.TempDir()
	lines := func() string {
		var all []string
		log := connectorLog(funcr.NewJSON(func(line string) { all = append(all, line) }, funcr.Options{}), dir)
		log.WithName("oa").Info("the OA is down")
		return strings.Join(all, "\n")
	}
	if got := lines(); strings.Contains(got, "connector") || !strings.Contains(got, "the OA is down") {
		t.Errorf("without a bundle: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle.json"), []byte(`{"format":99,"namespace":"crm","name":"hq"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lines(); !strings.Contains(got, `"namespace":"crm","connector":"hq"`) {
		t.Errorf("with a bundle: %s", got)
	}
}
