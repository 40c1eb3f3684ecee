package stage

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
)

// Crowd is the namespace of many small connectors of one kind.
const Crowd = "crowd"

// gatewayEvery is how many connectors of the crowd there are for each one with a gateway: a node takes 110 pods.
const gatewayEvery = 10

// ApplyCrowd puts n connectors on the cluster with one server-side apply. What a version says of retries and of people is
// in no other version.
func (s *Stage) ApplyCrowd(ctx context.Context, n int, version int) error {
	labels := map[string]string{"oa": Crowd}
	binding := &v1alpha1.AccountBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AccountBinding"},
		ObjectMeta: metav1.ObjectMeta{Namespace: Crowd, Name: "people", Labels: labels},
	}
	for _, p := range crm.People(10 + version) {
		binding.Spec.Accounts = append(binding.Spec.Accounts, v1alpha1.AccountPair{CRM: p.Account, OA: p.OALogin})
	}
	list := []client.Object{
		restricted(Crowd), binding,
		credentials(Crowd, "events", map[string]string{v1alpha1.KeySigning: SigningKey}),
		credentials(Crowd, "login", map[string]string{v1alpha1.KeyPrivate: string(s.keys.Login)}),
		credentials(Crowd, "link", map[string]string{v1alpha1.KeyLink: "weaver-link-2026-trial"}),
		typed(tlsSecret(Crowd, "tls", s.keys)),
	}
	for i := range n {
		oac := &v1alpha1.OAConnector{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "OAConnector"},
			ObjectMeta: metav1.ObjectMeta{Namespace: Crowd, Name: fmt.Sprintf("c%03d", i)},
		}
		spec := &oac.Spec
		spec.Type, spec.EnterpriseID, spec.Weaver.SysCode = v1alpha1.TypeWeaver, "714439", oac.Name
		spec.Endpoint.URL = inside("weaver")
		spec.Scenarios = []v1alpha1.ScenarioReference{{TemplateRef: v1alpha1.TemplateReference{Name: "weaver-todo"}}}
		spec.Accounts.Selector = metav1.LabelSelector{MatchLabels: labels}
		spec.Delivery.BackoffMax.Duration = time.Minute + time.Duration(version)*time.Second
		spec.Source.SigningSecretRef.Name = "events"
		spec.OnDelete.Policy = v1alpha1.DeleteDrain // nothing is left: it has to end by itself
		spec.Dispatcher.Resources = v1alpha1.Resources{CPURequest: "1m", MemoryRequest: "32Mi"}
		if i%gatewayEvery == 0 {
			spec.SSO.Mode, spec.SSO.Host, spec.SSO.Replicas = v1alpha1.SSOSignedLink, oac.Name+"-"+HostSSO, 1
			spec.SSO.SecretRef.Name = "link"
			spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, TLS: v1alpha1.IngressTLS{SecretName: "tls"}}
			spec.SSO.CRMLogin = v1alpha1.CRMLogin{Type: v1alpha1.LoginSignedJWT, URL: CRM("/login"), KeySecretRef: v1alpha1.SecretReference{Name: "login"}}
		}
		list = append(list, oac)
	}
	return s.applyAll(ctx, list)
}

// CrowdReady is nil when n connectors are ready for their present generation.
func (s *Stage) CrowdReady(ctx context.Context, n int) error { return s.allReady(ctx, Crowd, n) }
