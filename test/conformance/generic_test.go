package conformance

import (
	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/generic"
)

func genericREST() target {
	o := genericOver("REST", v1alpha1.ProtocolREST, "")
	o.push, o.batch = "/rest/transmit/fxiaoke/", "/rest/transmit/fxiaoke/batch/create"
	o.lies = []lie{
		{"the answer has no code", `{"message":"ok"}`, v1alpha1.ClassBusinessCode},
		{"the code is null", `{"code":null}`, v1alpha1.ClassBusinessCode},
		{"the code is false", `{"code":false}`, v1alpha1.ClassBusinessCode},
		{"an empty body", ``, v1alpha1.ClassServerError},
	}
	return o
}

func genericSOAP() target {
	o := genericOver("SOAP", v1alpha1.ProtocolWebservice, "-soap")
	o.push, o.lies = "/services/TodoService", soapLies("ns1:out")
	return o
}

func genericOver(name string, protocol v1alpha1.Protocol, suffix string) target {
	return target{
		name: "Generic " + name, todo: "generic-todo" + suffix, reminder: "generic-reminder" + suffix,
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type, spec.Protocol = v1alpha1.TypeGeneric, protocol
			spec.Generic.Authentication = v1alpha1.GenericAuthentication{Type: v1alpha1.GenericToken, TokenRequest: v1alpha1.TokenRequest{Path: "/token"}}
			spec.CredentialsSecretRef.Name = "hq-oa"
		},
		account: map[string]string{v1alpha1.KeyUsername: "fxiaoke", v1alpha1.KeyPassword: secret},
		wrong:   map[string]string{v1alpha1.KeyPassword: wrongSecret},
		open: func() (*system, error) {
			sim, err := generic.New(generic.Options{
				People: everybody(), Auth: generic.Auth{Type: "token", User: "fxiaoke", Password: secret, Place: "bearer", TokenPath: "/token"},
			})
			if err != nil {
				return nil, err
			}
			return boxed(sim), nil
		},
		updates: true, scope: v1alpha1.ClassBusinessCode,
	}
}
