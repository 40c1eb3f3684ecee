package offline

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/config"
)

// schemas of the kinds, read once.
var schemas = sync.OnceValues(loadSchemas)

// kindSchema checks objects of a kind as the API server does.
type kindSchema struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

func loadSchemas() (map[string]*kindSchema, error) {
	files, err := fs.Glob(config.Files, "crd/bases/*.yaml")
	if err != nil {
		return nil, err
	}
	found := map[string]*kindSchema{}
	for _, file := range files {
		data, err := config.Files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, version := range crd.Spec.Versions {
			if version.Name != v1alpha1.GroupVersion.Version {
				continue
			}
			if found[crd.Spec.Names.Kind], err = newKindSchema(version.Schema.OpenAPIV3Schema); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return found, nil
}

func newKindSchema(external *apiextensionsv1.JSONSchemaProps) (*kindSchema, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	return &kindSchema{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// check returns what the API server would say to the object, and gives it the defaults of the schema. What has unknown
// fields or wrong types is not checked further.
func (s *kindSchema) check(ctx context.Context, tree map[string]any) field.ErrorList {
	var problems field.ErrorList
	unknown := pruning.PruneWithOptions(runtime.DeepCopyJSONValue(tree), s.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	slices.Sort(unknown)
	for _, f := range unknown {
		problems = append(problems, field.Invalid(field.NewPath(f), nil, "unknown field"))
	}
	if len(problems) > 0 {
		return problems
	}
	defaulting.Default(tree, s.structural)
	problems = checkName(tree)
	problems = append(problems, validation.ValidateCustomResource(nil, tree, s.validator)...)
	problems = append(problems, listtype.ValidateListSetsAndMaps(nil, s.structural, tree)...)
	if len(problems) > 0 {
		return problems
	}
	problems, _ = s.rules.Validate(ctx, nil, s.structural, tree, nil, celconfig.RuntimeCELCostBudget)
	return problems
}

func checkName(tree map[string]any) field.ErrorList {
	metadata, _ := tree["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	path := field.NewPath("metadata", "name")
	if name == "" {
		return field.ErrorList{field.Required(path, "name the object")}
	}
	var problems field.ErrorList
	for _, message := range utilvalidation.IsDNS1123Subdomain(name) {
		problems = append(problems, field.Invalid(path, name, message))
	}
	return problems
}
