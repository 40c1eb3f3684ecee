package workload

import (
	"path"
	"slices"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// slot is a folder below the secrets directory and what lies in it. Every source is optional: a Secret that was deleted
// or lacks a key never keeps a pod from starting; the workload and the connector's status say what is missing.
type slot struct {
	name    string
	sources []secretFile
}

// secretFile is one key of a Secret and the file that it becomes.
type secretFile struct{ secret, key, file string }

func keys(secret string, names ...string) []secretFile {
	var files []secretFile
	for _, name := range names {
		files = append(files, secretFile{secret: secret, key: name, file: name})
	}
	return files
}

func rotated(key string) []string { return []string{key, key + v1alpha1.SuffixNext} }

// volume groups the files by Secret, in the order given.
func (s slot) volume() *corev1ac.VolumeApplyConfiguration {
	projected := corev1ac.ProjectedVolumeSource().WithDefaultMode(secretMode)
	var current *corev1ac.SecretProjectionApplyConfiguration
	for _, f := range s.sources {
		if current == nil || *current.Name != f.secret {
			current = corev1ac.SecretProjection().WithName(f.secret).WithOptional(true)
			projected.WithSources(corev1ac.VolumeProjection().WithSecret(current))
		}
		current.WithItems(corev1ac.KeyToPath().WithKey(f.key).WithPath(f.file))
	}
	return corev1ac.Volume().WithName("secret-" + s.name).WithProjected(projected)
}

func (s slot) mount() *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().
		WithName("secret-" + s.name).
		WithMountPath(path.Join(bundle.DirSecrets, s.name)).
		WithReadOnly(true)
}

// dispatcherSlots: the dispatcher talks to the OA, the CRM and its queue, takes events and tells people.
func dispatcherSlots(in Input) []slot {
	spec := in.Connector.Spec
	slots := append(credentialSlots(&spec), sharedSlots(in)...)
	if name := spec.Source.SigningSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotSigning, keys(name, rotated(v1alpha1.KeySigning)...)})
	}
	if name := spec.Source.TokenSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotToken, keys(name, rotated(v1alpha1.KeyToken)...)})
	}
	if bundle.Pulled(&spec) {
		slots = append(slots, slot{bundle.SlotPull, keys(spec.Seeyon.Pull.TokenSecretRef.Name, rotated(v1alpha1.KeyToken)...)})
	}
	slots = append(slots, crmSlots(spec.Source)...)
	slots = append(slots, queueSlots(spec.Dispatcher)...)
	for i, c := range spec.Notifications.Channels {
		if name := c.SecretRef.Name; name != "" {
			slots = append(slots, slot{bundle.ChannelSlot(i), keys(name, append([]string{v1alpha1.KeyURL}, rotated(v1alpha1.KeySigning)...)...)})
		}
	}
	return slots
}

// credentialSlots is the OA account, where there is one.
func credentialSlots(spec *v1alpha1.OAConnectorSpec) []slot {
	if names := slices.Concat(bundle.CredentialKeys(spec)); len(names) > 0 && spec.CredentialsSecretRef.Name != "" {
		return []slot{{bundle.SlotCredentials, keys(spec.CredentialsSecretRef.Name, names...)}}
	}
	return nil
}

func crmSlots(source v1alpha1.Source) []slot {
	var slots []slot
	if name := source.CRM.CredentialsSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotCRM,
			keys(name, slices.Concat(bundle.CRMKeys())...)})
	}
	if name := source.Callback.SecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotCallback, keys(name, rotated(v1alpha1.KeyEncodingAES)...)})
	}
	return slots
}

func queueSlots(d v1alpha1.Dispatcher) []slot {
	var slots []slot
	if name := d.Queue.NATS.CredentialsSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotNATS,
			keys(name, v1alpha1.KeyCreds, v1alpha1.KeyToken, v1alpha1.KeyUsername, v1alpha1.KeyPassword)})
	}
	if name := d.Queue.NATS.CASecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotNATSCA, keys(name, v1alpha1.KeyCA)})
	}
	if name := d.Records.IndexSecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotIndex, keys(name, v1alpha1.KeyURL)})
	}
	return slots
}

// gatewaySlots: the gateway asks the OA about proofs, with an account only where the sign-in is that of the OA's own apps,
// and vouches for people towards the CRM.
func gatewaySlots(in Input) []slot {
	spec := in.Connector.Spec
	slots := sharedSlots(in)
	if spec.SSO.Mode == v1alpha1.SSOApp {
		slots = append(credentialSlots(&spec), slots...)
	}
	required, optional := bundle.LoginKeys(spec.SSO.CRMLogin)
	slots = append(slots, slot{bundle.SlotLogin, keys(spec.SSO.CRMLogin.KeySecretRef.Name, slices.Concat(required, optional)...)})
	if names := slices.Concat(bundle.SSOKeys(spec.SSO)); len(names) > 0 && spec.SSO.SecretRef.Name != "" {
		slots = append(slots, slot{bundle.SlotSSO, keys(spec.SSO.SecretRef.Name, names...)})
	}
	for i, c := range spec.SSO.Companies {
		slots = append(slots, slot{bundle.CompanySlot(i), keys(c.SecretRef.Name, rotated(v1alpha1.KeyAppSecret)...)})
	}
	return slots
}

func sharedSlots(in Input) []slot {
	slots := []slot{{bundle.SlotPeer, keys(PeerName(in.Connector.Name), v1alpha1.KeyToken)}}
	if name := in.Connector.Spec.Endpoint.CASecretRef.Name; name != "" {
		slots = append(slots, slot{bundle.SlotCA, keys(name, v1alpha1.KeyCA)})
	}
	if headers := headerFiles(in); len(headers) > 0 {
		slots = append(slots, slot{bundle.SlotHeaders, headers})
	}
	return append(slots, observabilitySlots(in.Connector.Spec.Observability)...)
}

// headerFiles takes the file of each header from the bundle, which is where the workloads look it up.
func headerFiles(in Input) []secretFile {
	files := map[string]string{}
	for _, h := range in.Bundle.OA.Headers {
		if h.SecretFile != "" {
			files[h.Name] = path.Base(h.SecretFile)
		}
	}
	var out []secretFile
	for _, h := range in.Connector.Spec.Headers {
		ref := h.ValueFrom.SecretKeyRef
		if file, ok := files[h.Name]; ok && ref.Name != "" {
			out = append(out, secretFile{secret: ref.Name, key: ref.Key, file: file},
				secretFile{secret: ref.Name, key: ref.Key + v1alpha1.SuffixNext, file: file + v1alpha1.SuffixNext})
		}
	}
	return out
}
