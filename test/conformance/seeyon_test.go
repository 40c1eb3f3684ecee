package conformance

import (
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

func seeyonREST() target {
	return target{
		name: "Seeyon REST", todo: "seeyon-todo", reminder: "seeyon-reminder",
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type = v1alpha1.TypeSeeyon
			spec.Seeyon.RegisterCode = "3004"
			spec.CredentialsSecretRef.Name = "hq-seeyon"
		},
		account: map[string]string{v1alpha1.KeyUsername: "fxiaoke", v1alpha1.KeyPassword: secret},
		wrong:   map[string]string{v1alpha1.KeyPassword: wrongSecret},
		open:    openSeeyon, push: "/seeyon/rest/thirdpartyPending/", batch: "/seeyon/rest/thirdpartyPending/receive/pendings",
		updates: true, scope: v1alpha1.ClassBusinessCode,
		lies: []lie{
			{"success is missing", `{}`, v1alpha1.ClassBusinessCode},
			{"success is null", `{"success":null,"errorMsgs":[]}`, v1alpha1.ClassBusinessCode},
			{"an empty body", ``, v1alpha1.ClassServerError},
		},
	}
}

// openSeeyon makes an OA in which everybody is bound, except the outsider, whom it does not know.
func openSeeyon() (*system, error) {
	o := seeyon.Options{RESTUsers: map[string]string{"fxiaoke": secret}, Apps: []seeyon.App{{Code: "3004", Name: "CRM"}}}
	for _, p := range everybody() {
		if !p.OutOfScope {
			o.People = append(o.People, seeyon.Person{LoginName: p.ID, Name: p.Name, Code: p.Code, Mobile: p.Mobile, Email: p.Email})
			o.Bindings = append(o.Bindings, seeyon.Binding{RegisterCode: "3004", ThirdUserID: p.ID, LoginName: p.ID})
		}
	}
	sim, err := seeyon.New(o)
	if err != nil {
		return nil, err
	}
	return &system{sim, func(task string) []inbox.Item {
		return slices.Concat(seeyonItems(sim, task), seeyonMessages(sim, task))
	}}, nil
}

func seeyonItems(sim *seeyon.Seeyon, task string) []inbox.Item {
	var out []inbox.Item
	for _, i := range sim.Items() {
		if i.TaskID == task {
			out = append(out, inbox.Item{Person: i.LoginName, Revived: i.Revived, Content: inbox.Content{
				TaskID: task, Kind: inbox.ToDo, Title: i.Title, URL: i.URL, MobileURL: i.H5URL,
				State: map[string]inbox.State{seeyon.StateOpen: inbox.Open, seeyon.StateDone: inbox.Done, seeyon.StateRevoked: inbox.Gone}[i.State],
			}})
		}
	}
	return out
}

func seeyonMessages(sim *seeyon.Seeyon, task string) []inbox.Item {
	var out []inbox.Item
	for _, m := range sim.Messages() {
		if m.ID == task {
			out = append(out, inbox.Item{Person: m.LoginName, Content: inbox.Content{TaskID: task, Kind: inbox.Notice, Title: m.Content, URL: m.URL, State: inbox.Open}})
		}
	}
	return out
}
