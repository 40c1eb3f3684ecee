package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// config is the file of --config. What it leaves out keeps its built-in value; a list replaces the built-in list.
type config struct {
	Seeyon seeyon.Options `json:"seeyon"`
	CRM    crm.Options    `json:"crm"`
}

// defaultConfig has the sender and the 20 people of the default workload on both sides.
func defaultConfig() config {
	settings := seeyon.DefaultSettings()
	people := append([]crm.Person{crm.Sender()}, crm.People(20)...)
	c := config{
		Seeyon: seeyon.Options{
			RESTUsers: map[string]string{"fxiaoke": "secret"},
			Apps:      []seeyon.App{{Code: "3004", Name: "纷享销客 CRM"}},
			Bindings:  []seeyon.Binding{},
			Settings:  &settings,
		},
		CRM: crm.Options{People: people},
	}
	for _, p := range people {
		c.Seeyon.People = append(c.Seeyon.People, seeyon.Person{
			LoginName: p.OALogin, Name: p.Name, Code: "E" + p.Account, Mobile: "1380000" + p.Account,
			Email: p.OALogin + "@corp.example",
		})
	}
	return c
}

// loadConfig reads a YAML or JSON file on top of the built-in values; no path means those alone.
func loadConfig(path string) (config, error) {
	c := defaultConfig()
	if path == "" {
		return c, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("--config: %w", err)
	}
	var given struct {
		Seeyon map[string]any `json:"seeyon"`
		CRM    map[string]any `json:"crm"`
	}
	if err := yaml.UnmarshalStrict(raw, &given); err != nil {
		return c, fmt.Errorf("--config %s: %w", path, err)
	}
	// A list or map that the file gives takes the place of the built-in one as a whole.
	for key, clear := range map[string]func(){
		"restUsers": func() { c.Seeyon.RESTUsers = nil },
		"apps":      func() { c.Seeyon.Apps = nil },
		"people":    func() { c.Seeyon.People = nil },
	} {
		if _, ok := given.Seeyon[key]; ok {
			clear()
		}
	}
	if _, ok := given.CRM["people"]; ok {
		c.CRM.People = nil
	}
	if err := yaml.UnmarshalStrict(raw, &c); err != nil {
		return c, fmt.Errorf("--config %s: %w", path, err)
	}
	return c, nil
}
