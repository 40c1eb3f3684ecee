// Package fromsample is the command that makes the skeleton of a template from a sample request.
package fromsample

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/sample"
)

var oaTypes = []v1alpha1.OAType{
	v1alpha1.TypeSeeyon, v1alpha1.TypeWeaver, v1alpha1.TypeLandray, v1alpha1.TypeYunzhijia, v1alpha1.TypeWeLink,
	v1alpha1.TypeWeCom, v1alpha1.TypeDingTalk, v1alpha1.TypeFeishu, v1alpha1.TypeGeneric,
}

// NewCommand turns a sample into a template. program is how the command line begins, usage makes an error one of use.
func NewCommand(program string, usage func(error) error) *cobra.Command {
	var (
		o            sample.Options
		y            = sample.YAML{Name: "my-todo", Kind: v1alpha1.KindTodo}
		oa, kind, to string
		path         string
	)
	cmd := &cobra.Command{
		Use:   "from-sample FILE",
		Short: "Make the skeleton of a ScenarioTemplate from a sample request",
		Long: `Make the skeleton of a ScenarioTemplate from a sample: the JSON body or the SOAP envelope of a request, or a WSDL.

The names on the left stay as they are. Values on the right become placeholders where the name is a known one (docs/cli.md
lists them); the others stay as the sample has them, and are listed in a comment. Read every line before you use it.

FILE may be - for the standard input. --to xml turns a JSON sample into a SOAP envelope.`,
		Example: strings.ReplaceAll(`  PROGRAM template from-sample --type Weaver sample.json
  curl -s 'http://oa.example/services/OfsTodoDataWebService?wsdl' |
    PROGRAM template from-sample --type Weaver --operation receiveTodoRequestByJson -
  PROGRAM template from-sample --to xml --root sendTodo --xml-namespace urn:todo sample.json`, "PROGRAM", program),
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usage(fmt.Errorf("name one file, or %s for the standard input", manifest.Stdin))
			case to != "" && to != "xml":
				return usage(fmt.Errorf("--to is %q: only xml is known", to))
			case !slices.Contains(v1alpha1.ItemKinds, v1alpha1.ItemKind(kind)):
				return usage(fmt.Errorf("--kind is %q: use Todo, Reminder, Subscription or Alert", kind))
			case !slices.Contains(oaTypes, v1alpha1.OAType(oa)):
				return usage(fmt.Errorf("there is no type %s: use one of %v", oa, oaTypes))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readSample(cmd, args[0])
			if err != nil {
				return usage(err)
			}
			o.Type, o.ToXML = v1alpha1.OAType(oa), to == "xml"
			y.Type, y.Kind, y.Path = o.Type, v1alpha1.ItemKind(kind), path
			skeleton, err := sample.Make(text, o)
			if err != nil {
				return err
			}
			document, err := y.Write(skeleton)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), document)
			return usage(err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&y.Name, "name", y.Name, "name of the template")
	f.StringVarP(&y.Namespace, "namespace", "n", "", "namespace of the template")
	f.StringVar(&oa, "type", string(v1alpha1.TypeGeneric), "type of the OA, as in spec.type")
	f.StringVar(&kind, "kind", string(v1alpha1.KindTodo), "Todo, Reminder, Subscription or Alert")
	f.StringVar(&path, "path", "", "path of the call below the OA's address")
	f.StringVar(&to, "to", "", "xml turns a JSON sample into a SOAP 1.1 envelope")
	f.StringVar(&o.Root, "root", "request", "with --to xml: name of the element in the SOAP body")
	f.StringVar(&o.Namespace, "xml-namespace", "", "with --to xml: namespace of that element")
	f.StringVar(&o.Operation, "operation", "", "operation of a WSDL")
	return cmd
}

func readSample(cmd *cobra.Command, file string) (string, error) {
	in := cmd.InOrStdin()
	if file != manifest.Stdin {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	var text strings.Builder
	_, err := io.Copy(&text, io.LimitReader(in, sample.MaxSize+1))
	return text.String(), err
}
