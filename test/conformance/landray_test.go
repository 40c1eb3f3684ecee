package conformance

import (
	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/landray"
)

func landrayREST() target {
	o := landrayOver("REST", v1alpha1.ProtocolREST, "")
	o.push = "/api/sys-notify/"
	o.lies = []lie{
		{"not operated", `{"returnState":0,"message":""}`, v1alpha1.ClassBusinessCode},
		{"the answer has no state", `{"message":"success"}`, v1alpha1.ClassBusinessCode},
		{"an empty body", ``, v1alpha1.ClassServerError},
	}
	return o
}

func landraySOAP() target {
	o := landrayOver("SOAP", v1alpha1.ProtocolWebservice, "-soap")
	o.push = "/sys/webservice/"
	o.lies = append(soapLies("return"), lie{
		"not operated", envelope("return", "<message/><returnState>0</returnState>"), v1alpha1.ClassBusinessCode,
	})
	return o
}

func landrayOver(name string, protocol v1alpha1.Protocol, suffix string) target {
	return target{
		name: "Landray " + name, todo: "landray-todo" + suffix, reminder: "landray-reminder" + suffix,
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type, spec.Protocol = v1alpha1.TypeLandray, protocol
			spec.Landray.AppName = "CRM"
			spec.CredentialsSecretRef.Name = "hq-landray"
		},
		account: map[string]string{v1alpha1.KeyUsername: "fxiaoke", v1alpha1.KeyPassword: secret},
		wrong:   map[string]string{v1alpha1.KeyPassword: wrongSecret},
		open: func() (*system, error) {
			sim, err := landray.New(landray.Options{Users: map[string]string{"fxiaoke": secret}, People: everybody()})
			if err != nil {
				return nil, err
			}
			return boxed(sim), nil
		},
		updates: true, scope: v1alpha1.ClassBusinessCode,
		without: map[string]string{
			"token death": "the OA issues no tokens",
		},
	}
}
