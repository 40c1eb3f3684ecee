// Package match joins two directories, the people of the CRM and those of the OA, into pairs of accounts. It is pure.
package match

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// Person is an entry of a directory. The keys are normalised; an empty one is not known.
type Person struct {
	Account             string
	Mobile, Email, Code string
}

// column and normal form of each key, and what messages call it.
var keys = map[v1alpha1.MatchKey]struct {
	column, noun string
	normalize    func(string) string
	of           func(*Person) *string
}{
	v1alpha1.MatchMobile:       {"mobile", "mobile number", Mobile, func(p *Person) *string { return &p.Mobile }},
	v1alpha1.MatchEmail:        {"email", "e-mail address", Email, func(p *Person) *string { return &p.Email }},
	v1alpha1.MatchEmployeeCode: {"code", "employee code", Code, func(p *Person) *string { return &p.Code }},
}

// Side is whose directory it is.
type Side string

// The sides.
const (
	CRM Side = "crm"
	OA  Side = "oa"
)

// companyName is the form of a name in spec.sso.companies.
var companyName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// File is a CSV file that is a part of a directory.
type File struct {
	// Name is what messages call it.
	Name string
	Data []byte
}

// Row is a line of a file that is not used.
type Row struct {
	File string
	bundle.RowError
	// Fatal: no line of the file is used.
	Fatal bool
}

// Message names the file, the line and the cause.
func (r Row) Message() string { return fmt.Sprintf("%s, line %d: %s", r.File, r.Line, r.Cause) }

// Read reads a directory: the column account and those of the keys, and the company of people in the OA. Lines that cannot
// be used are left out and reported. The directory is not usable when one of its files is not: the people in it would seem
// to be missing.
func Read(side Side, files []File, by []v1alpha1.MatchKey) (people []Person, rows []Row, usable bool) {
	required, optional := []string{"account"}, []string(nil)
	for _, k := range by {
		required = append(required, keys[k].column)
	}
	if side == OA {
		optional = []string{"company"}
	}
	usable = true
	seen := map[string]Row{}
	for _, f := range files {
		companies := side == OA && hasCompanies(f.Data)
		found, good := bundle.EachRow(f.Data, required, optional, func(line int, values []string) string {
			account, cause := account(values[0], values[len(required):], companies)
			if cause != "" {
				return cause
			}
			if first, twice := seen[account]; twice {
				return fmt.Sprintf("account is the one of %s, line %d; which of them is right?", first.File, first.Line)
			}
			p := Person{Account: account}
			for i, k := range by {
				*keys[k].of(&p) = strings.Clone(keys[k].normalize(values[1+i]))
			}
			seen[account] = Row{File: f.Name, RowError: bundle.RowError{Line: line}}
			people = append(people, p)
			return ""
		})
		usable = usable && good
		for _, r := range found {
			rows = append(rows, Row{File: f.Name, RowError: r, Fatal: !good})
		}
	}
	return people, rows, usable
}

// hasCompanies reports whether the header names the column company.
func hasCompanies(file []byte) bool {
	head, _, _ := strings.Cut(string(file[:min(len(file), maxHeader)]), "\n")
	_, usable := bundle.EachRow([]byte(head), []string{"company"}, nil, func(int, []string) string { return "" })
	return usable
}

// maxHeader bounds where the end of a header line is looked for, in bytes.
const maxHeader = 16 << 10

// account of a row: NAME/ID for the member of a further company. // F187 F188
func account(id string, company []string, companies bool) (account, cause string) {
	if cause := bundle.WrongAccount("account", id); cause != "" {
		return "", cause
	}
	if !companies {
		return strings.Clone(id), ""
	}
	switch name := company[0]; {
	case name == "":
		return "", "company is empty: write its name in spec.sso.companies, or " + bundle.OwnCompany + " for the connector's own company"
	case name == bundle.OwnCompany:
		return strings.Clone(id), ""
	case !companyName.MatchString(name):
		return "", "company is not the name of a company: write the one in spec.sso.companies, " + bundle.OwnCompany +
			" for the connector's own, or leave the column out where there is one company"
	default:
		account = name + "/" + id
		return account, bundle.WrongAccount("account", account)
	}
}
