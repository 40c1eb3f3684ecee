package landray

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// organisationKeys name a person, or everybody of a department, post or group (LR-DOC §3.4).
var organisationKeys = []string{"Id", "PersonNo", "DeptNo", "PostNo", "GroupNo", "LoginName", "Keyword", "LdapDN"}

// readTargets reads an organisation JSON: one element or a list.
func readTargets(text string) ([]map[string]string, error) {
	var list []map[string]string
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, fmt.Errorf("组织架构JSON格式错误：%s", text)
		}
		return list, nil
	}
	var one map[string]string
	if err := json.Unmarshal([]byte(text), &one); err != nil || one == nil {
		return nil, fmt.Errorf("组织架构JSON格式错误：%s", text)
	}
	return []map[string]string{one}, nil
}

// resolve finds the people of an organisation JSON and tells the elements that nobody answers to.
func (s *Landray) resolve(text string) (found []desk.Person, unknown []string, err error) {
	targets, err := readTargets(text)
	if err != nil {
		return nil, nil, err
	}
	people := s.people.All()
	for _, target := range targets {
		for key, value := range target {
			if !slices.Contains(organisationKeys, key) {
				return nil, nil, fmt.Errorf("组织架构JSON的键%q不是%v之一", key, organisationKeys)
			}
			n := len(found)
			for _, p := range people {
				if is(p, key, value) && !p.OutOfScope {
					found = append(found, p)
				}
			}
			if len(found) == n {
				unknown = append(unknown, key+"="+value)
			}
		}
	}
	return found, unknown, nil
}

func is(p desk.Person, key, value string) bool {
	switch key {
	case "LoginName":
		return p.ID == value
	case "PersonNo":
		return p.Code == value && value != ""
	default:
		return value != "" && p.IDs[key] == value
	}
}

// owners resolves the people whom a call is for.
func (s *Landray) owners(text string) ([]desk.Person, error) {
	found, unknown, err := s.resolve(text)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || len(unknown) > 0 && !s.Settings().SkipUnknownTargets {
		return nil, fmt.Errorf("找不到人员：%s", strings.Join(unknown, ","))
	}
	return found, nil
}
