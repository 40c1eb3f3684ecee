package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Helm runs helm in the operator's namespace and returns what it printed.
func (s *Stage) Helm(ctx context.Context, args ...string) (string, error) {
	program := os.Getenv("OABRIDGE_HELM")
	if program == "" {
		return "", errors.New("OABRIDGE_HELM is not set: run this through make helm-e2e")
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"--namespace", OperatorNamespace}, args...)...)
	cmd.Dir = s.Root
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// HelmImage are the arguments that give the chart an image.
func HelmImage(image string) []string {
	repository, tag := split(image)
	return []string{"--set", "image.repository=" + repository, "--set", "image.tag=" + tag}
}
