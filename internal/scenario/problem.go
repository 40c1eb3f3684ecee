package scenario

import (
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Problem is one thing that is wrong with a template or with the parameters that a connector gives it.
type Problem struct {
	// Reason is a condition reason of api/v1alpha1.
	Reason string
	// Field below the template's spec (actions.create.body) or, for a connector's parameters, below the scenario
	// reference (parameters.ei).
	Field string
	// Message says what is wrong and what to do.
	Message string
}

func (p Problem) String() string { return p.Field + ": " + p.Message }

// InvalidError says everything that is wrong with a definition.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "; ")
}

const (
	reasonTemplate    = v1alpha1.ReasonTemplateInvalid
	reasonBody        = v1alpha1.ReasonBodyInvalid
	reasonPlaceholder = v1alpha1.ReasonUnknownPlaceholder
	reasonParameter   = v1alpha1.ReasonParameterInvalid
	reasonTests       = v1alpha1.ReasonTestsFailed
)

// fieldBelow joins a field and a path in it: body and a[0] to body.a[0], body and [0] to body[0].
func fieldBelow(field, path string) string {
	if path == "" || path[0] == '[' {
		return field + path
	}
	return field + "." + path
}
