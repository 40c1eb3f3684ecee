package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/explain"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
)

// Languages of an explanation.
const (
	chinese = "zh"
	english = "en"
)

// sides in words.
var sides = map[string]dictionary.Text{
	dictionary.SideOAAdmin:  {EN: "the administrator of the OA", ZH: "OA 管理员"},
	dictionary.SidePlatform: {EN: "whoever applies the connector, its Secrets and templates", ZH: "平台工程师（连接器、Secret、模板）"},
	dictionary.SideCRM:      {EN: "whoever keeps the data in the CRM", ZH: "CRM 数据维护者"},
	dictionary.SidePerson:   {EN: "the person who signs in", ZH: "登录的本人"},
	dictionary.SideNobody:   {EN: "nobody: it passes by itself", ZH: "无需处理，会自行恢复"},
}

// titles of the lines of an explanation.
var titles = map[string]map[string]string{
	english: {"shown": "shown", "cause": "cause", "side": "whose move", "next": "next"},
	chinese: {"shown": "页面提示", "cause": "原因", "side": "谁来处理", "next": "下一步"},
}

func (a *app) newExplainCommand() *cobra.Command {
	var oa, language string
	cmd := &cobra.Command{
		Use:   "explain CODE",
		Short: "Say what a code means, whose move it is, and what to do",
		Long: `Say what a code means, whose move it is, and what to do: an error code of an OA, a code of the sign-in page (SSO-1003),
or a reason of a condition (TokenRejected). It needs no cluster.

The language is that of --lang, or of the locale (LC_ALL, LC_MESSAGES, LANG).`,
		Example: `  kubectl oab explain 60020 --oa WeCom
  kubectl oab explain SSO-1003 --lang zh
  kubectl oab explain TokenRejected --lang zh`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return explain.Codes(oa), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.explain(args[0], oa, language) },
	}
	cmd.Flags().StringVar(&oa, "oa", "", "type of the OA: "+strings.Join(dictionary.OAs(), ", "))
	cmd.Flags().StringVar(&language, "lang", localeLanguage(), "zh or en")
	completeWords(cmd, "oa", dictionary.OAs())
	completeWords(cmd, "lang", []string{chinese, english})
	a.bindFormat(cmd)
	return cmd
}

// negative numbers are codes of several OAs.
var negative = regexp.MustCompile(`^-\d+$`)

// codesLast moves codes such as -1 behind the flags of explain, so that they are not taken for flags.
func codesLast(args []string) []string {
	if len(args) == 0 || args[0] != "explain" || slices.Contains(args, "--") {
		return args
	}
	var flags, codes []string
	for _, arg := range args {
		if negative.MatchString(arg) {
			codes = append(codes, arg)
		} else {
			flags = append(flags, arg)
		}
	}
	if codes == nil {
		return args
	}
	return slices.Concat(flags, []string{"--"}, codes)
}

// localeLanguage is Chinese in a Chinese locale.
func localeLanguage() string {
	if strings.HasPrefix(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "zh") {
		return chinese
	}
	return english
}

func (a *app) explain(code, oa, language string) error {
	if titles[language] == nil {
		return usage("--lang: %q is neither zh nor en", language)
	}
	if oa != "" && explain.OA(oa) == "" {
		return usage("--oa: there is no dictionary of %q; there are those of %s", oa, strings.Join(dictionary.OAs(), ", "))
	}
	found := explain.Find(code, oa)
	if len(found) == 0 {
		return a.unknownCode(code, oa)
	}
	if printed, err := a.document(found); printed {
		return err
	}
	in := func(t dictionary.Text) string {
		if language == chinese {
			return cmp.Or(t.ZH, t.EN)
		}
		return cmp.Or(t.EN, t.ZH)
	}
	width := 0
	for _, t := range titles[language] {
		width = max(width, columns(t))
	}
	var b strings.Builder
	for i, e := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		head := e.Code + " (" + e.Of + ")"
		if e.Class != "" {
			head += ", " + e.Class
		}
		b.WriteString(a.paint(bold, head) + "\n")
		for _, line := range []struct{ title, text string }{{"shown", in(e.Shown)}, {"cause", in(e.Cause)}, {"side", in(sides[e.Side])}, {"next", in(e.Next)}} {
			if line.text != "" {
				title := titles[language][line.title]
				fmt.Fprintf(&b, "  %s%s  %s\n", title, strings.Repeat(" ", width-columns(title)), line.text)
			}
		}
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}

// unknownCode says what may have been meant and what is known.
func (a *app) unknownCode(code, oa string) error {
	what := fmt.Sprintf("%q is no code that is known here", code)
	if oa != "" {
		what = fmt.Sprintf("%q is no code of %s that is known here", code, explain.OA(oa))
	}
	if s := explain.Suggest(code, oa); s != "" {
		what += fmt.Sprintf("; did you mean %s?", s)
	}
	if oa != "" {
		var others []string
		for _, e := range explain.Find(code, "") {
			others = append(others, e.Of)
		}
		if len(others) > 0 {
			what += "; it is one of " + strings.Join(others, ", ")
		}
	}
	return none("%s\nknown are codes of %s, codes SSO-… of the sign-in, and reasons of conditions", what, strings.Join(dictionary.OAs(), ", "))
}
