package conformance

import (
	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/yunzhijia"
)

func yunzhijiaREST() target {
	return target{
		name: "Yunzhijia REST", todo: "yunzhijia-todo", reminder: "yunzhijia-reminder",
		connector: func(spec *v1alpha1.OAConnectorSpec, _ string) {
			spec.Type = v1alpha1.TypeYunzhijia
			spec.Yunzhijia.AppID = "500723908"
			spec.CredentialsSecretRef.Name = "hq-yunzhijia"
		},
		account: map[string]string{v1alpha1.KeyAppSecret: secret},
		wrong:   map[string]string{v1alpha1.KeyAppSecret: wrongSecret},
		open: func() (*system, error) {
			sim, err := yunzhijia.New(yunzhijia.Options{
				EID: "10001", Apps: []yunzhijia.App{{ID: "500723908", Secret: secret, Name: "CRM"}}, People: everybody(),
			})
			if err != nil {
				return nil, err
			}
			return boxed(sim), nil
		},
		push: "/gateway/newtodo/", updates: false, scope: v1alpha1.ClassReceiverUnknown,
		lies: []lie{
			{"a bad parameter with errorCode 0", `{"error":"","data":"param error:'sourceId' is null.","errorCode":0,"success":"false"}`, v1alpha1.ClassBusinessCode},
			{"errorCode 200 and success false", `{"error":"x","data":{},"errorCode":200,"success":false}`, v1alpha1.ClassBusinessCode},
			{"some receivers left out", `{"error":"","data":["lisi"],"errorCode":501,"success":"true"}`, v1alpha1.ClassReceiverUnknown},
			{"the answer has no code", `{"success":"true"}`, v1alpha1.ClassBusinessCode},
		},
	}
}
