package main

import (
	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/scenario"
)

func (a *app) newPlaceholdersCommand() *cobra.Command {
	var search, language string
	cmd := &cobra.Command{
		Use:   "placeholders",
		Short: "List what a template may use: placeholders, values of the moment, values of the connector",
		Long: `List what a template may use beside its own parameters: the placeholders of the CRM (#F001), values that are known only
when an item goes out (${item.version}), and values of the connector (${connector.ssoURL}). It needs no cluster.`,
		Example: `  kubectl oab placeholders -s receiver
  kubectl oab placeholders -s 创建时间`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.placeholders(search, language) },
	}
	cmd.Flags().StringVarP(&search, "search", "s", "", "only those with this text in their id, meaning, example or source")
	cmd.Flags().StringVar(&language, "lang", localeLanguage(), "zh or en; -o wide shows both")
	completeWords(cmd, "lang", []string{chinese, english})
	a.bindFormat(cmd)
	return cmd
}

func (a *app) placeholders(search, language string) error {
	if titles[language] == nil {
		return usage("--lang: %q is neither zh nor en", language)
	}
	var found []scenario.Value
	for _, v := range scenario.Values() {
		if v.Matches(search) {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return none("nothing that a template may use has %q in it; without -s all are listed", search)
	}
	if printed, err := a.document(found); printed {
		return err
	}
	rows := [][]cell{plain("ID", "EXAMPLE", "MEANING")}
	if a.format == formatWide {
		rows = [][]cell{plain("ID", "EXAMPLE", "FROM", "含义", "MEANING")}
	}
	for _, v := range found {
		meaning := v.EN
		if language == chinese {
			meaning = v.ZH
		}
		row := plain(v.Spelled, v.Example, meaning)
		if a.format == formatWide {
			row = plain(v.Spelled, v.Example, v.Source, v.ZH, v.EN)
		}
		row[0].paint = bold
		rows = append(rows, row)
	}
	return a.table(rows)
}
