package conformance

import (
	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/weaver"
)

func weaverREST() target {
	o := weaverOver("REST", v1alpha1.ProtocolREST, "")
	o.push, o.batch = "/rest/ofs/", "/rest/ofs/batchReceiveRequestInfoByJson"
	o.lies = []lie{
		{"the answer has no result", `{"message":"ok"}`, v1alpha1.ClassBusinessCode},
		{"an empty list", `[]`, v1alpha1.ClassBusinessCode},
		{"an empty body", ``, v1alpha1.ClassServerError},
	}
	return o
}

func weaverSOAP() target {
	o := weaverOver("SOAP", v1alpha1.ProtocolWebservice, "-soap")
	o.push = "/services/OfsTodoDataWebService"
	o.lies = append(soapLies("ns1:out"), lie{
		"out says failure, escaped and in GBK's own words", envelope("ns1:out", `{&quot;operResult&quot;:&quot;0&quot;,&quot;message&quot;:&quot;x&quot;}`), v1alpha1.ClassBusinessCode,
	})
	return o
}

func weaverOver(name string, protocol v1alpha1.Protocol, suffix string) target {
	registered := []weaver.System{{Code: "fxiaoke", Name: "CRM"}}
	return target{
		name: "Weaver " + name, todo: "weaver-todo" + suffix, reminder: "weaver-reminder" + suffix,
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type, spec.Protocol = v1alpha1.TypeWeaver, protocol
			spec.Weaver.SysCode = "fxiaoke"
		},
		// There is no account: the OA knows the system code, and the network.
		spoil: func(oa *system) error { return oa.simulator.(*weaver.Weaver).SetSystems(nil) },
		mend:  func(oa *system) error { return oa.simulator.(*weaver.Weaver).SetSystems(registered) },
		open: func() (*system, error) {
			sim, err := weaver.New(weaver.Options{Systems: registered, People: everybody()})
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
