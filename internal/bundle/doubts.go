package bundle

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// OwnCompany stands for the connector's own company where companies are named. It is no name in spec.sso.companies.
const OwnCompany = "wecom"

// SplitCompany returns the company that a WeCom account names, and the id there. An account without a slash is of the connector's
// own company; the company is empty when nothing stands before the slash.
func SplitCompany(oa string) (company, id string) {
	company, id, found := strings.Cut(oa, "/")
	if !found {
		return OwnCompany, oa
	}
	return company, id
}

// JoinCompany is the inverse of SplitCompany.
func JoinCompany(company, id string) string {
	if company == OwnCompany {
		return id
	}
	return company + "/" + id
}

// Doubt is a pair whose OA account cannot be what was meant, as far as can be told here. It is in use: the OA knows better.
type Doubt struct {
	// Reason is DisplayName, StaleCompanyName or CompanyMissing.
	Reason string
	Pair   v1alpha1.AccountPair
	// Company that the account names, for StaleCompanyName; Name of the one that is probably meant, or empty.
	Company, Name string
	// Connector by whose companies it was judged.
	Connector string
}

// Doubts about the pairs of a connector: of WeCom, whose accounts are internal ids, and may name a company (F186–F188, F190).
// Other OAs have no such rules.
func Doubts(c *v1alpha1.OAConnector, pairs []v1alpha1.AccountPair) (doubts []Doubt) {
	if c.Spec.Type != v1alpha1.TypeWeCom {
		return nil
	}
	for _, p := range pairs {
		company, id := SplitCompany(p.OA)
		d := Doubt{Pair: p, Connector: c.Name}
		known := company == OwnCompany && id == p.OA || slices.ContainsFunc(c.Spec.SSO.Companies, func(s v1alpha1.CompanySSO) bool { return s.Name == company })
		switch {
		case company == "":
			d.Reason = v1alpha1.ReasonCompanyMissing
		case !known:
			d.Reason, d.Company, d.Name = v1alpha1.ReasonStaleCompanyName, company, meant(c, company)
		case strings.ContainsFunc(id, inNames):
			d.Reason = v1alpha1.ReasonDisplayName
		default:
			continue
		}
		doubts = append(doubts, d)
	}
	return doubts
}

// meant is the company whose title, or name in another case, somebody wrote.
func meant(c *v1alpha1.OAConnector, company string) string {
	if strings.EqualFold(company, OwnCompany) || c.Spec.SSO.App.Title == company {
		return OwnCompany
	}
	for _, s := range c.Spec.SSO.Companies {
		if s.Title == company || s.CorpID == company || strings.EqualFold(s.Name, company) {
			return s.Name
		}
	}
	return ""
}

// inNames: ids of WeCom are letters, digits and _ - @ . only; these are of people's names.
func inNames(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo)
}

// Message names the pair, and says what to do.
func (d Doubt) Message() string {
	switch d.Reason {
	case v1alpha1.ReasonCompanyMissing:
		return fmt.Sprintf("CRM account %s: the OA account %q names no company before the slash; write the name of one in spec.sso.companies, or leave the slash out for the connector's own",
			d.Pair.CRM, d.Pair.OA)
	case v1alpha1.ReasonStaleCompanyName:
		return fmt.Sprintf("CRM account %s: the OA account %q names the company %q, which connector %q does not have; %s", d.Pair.CRM, d.Pair.OA, d.Company, d.Connector, d.next())
	}
	return fmt.Sprintf("CRM account %s: the OA account %q looks like a name; WeCom wants the account (帐号) of its contact book, neither the name nor the WeChat id",
		d.Pair.CRM, d.Pair.OA)
}

// next step about a company.
func (d Doubt) next() string {
	name := d.Name
	if name == "" {
		name = "NAME"
	}
	return fmt.Sprintf("kubectl oab bindings rebind %s --from %s --to %s writes another", d.Connector, d.Company, name)
}

// SumUp says how many doubts there are of each kind, those about companies first. The reason is that of the first kind.
func SumUp(doubts []Doubt) (reason, message string) {
	counts := map[Doubt]int{}
	var kinds []Doubt
	for _, d := range doubts {
		d.Pair = v1alpha1.AccountPair{}
		if d.Reason != v1alpha1.ReasonStaleCompanyName {
			d.Connector = ""
		}
		if counts[d]++; counts[d] == 1 {
			kinds = append(kinds, d)
		}
	}
	rank := []string{v1alpha1.ReasonCompanyMissing, v1alpha1.ReasonStaleCompanyName, v1alpha1.ReasonDisplayName}
	slices.SortStableFunc(kinds, func(a, b Doubt) int { return slices.Index(rank, a.Reason) - slices.Index(rank, b.Reason) })
	var parts []string
	for i, k := range kinds {
		if i == shownKinds {
			parts = append(parts, fmt.Sprintf("and %d more companies or reasons", len(kinds)-i))
			break
		}
		parts = append(parts, k.counted(counts[k]))
	}
	return kinds[0].Reason, strings.Join(parts, "; ")
}

// shownKinds bounds how many kinds of doubts are spelled out: every wrong company is one.
const shownKinds = 5

func (d Doubt) counted(n int) string {
	accounts, verb := fmt.Sprintf("%d OA accounts", n), ""
	if n == 1 {
		accounts, verb = "1 OA account", "s"
	}
	switch d.Reason {
	case v1alpha1.ReasonCompanyMissing:
		return fmt.Sprintf("%s name%s no company before the slash: write the name of one in spec.sso.companies", accounts, verb)
	case v1alpha1.ReasonStaleCompanyName:
		return fmt.Sprintf("%s name%s the company %q, which connector %q does not have: %s", accounts, verb, d.Company, d.Connector, d.next())
	}
	return fmt.Sprintf("%s look%s like a name: WeCom wants the account (帐号) of its contact book", accounts, verb)
}
