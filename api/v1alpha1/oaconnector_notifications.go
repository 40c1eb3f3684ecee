package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Roles that a channel of type CRM tells when it names no recipients. Who holds them is in spec.source.crm.roles.
const (
	RoleCRMAdmins         = "crm-admins"
	RoleIntegrationAdmins = "integration-admins"
)

// RecipientUser begins a recipient that is one person: user:<openUserId>.
const RecipientUser = "user:"

// Notifications says who is told about items that were given up, in one message for each window.
type Notifications struct {
	// window in which failures are gathered into one message. Nothing is sent when there were none.
	// +optional
	// +default="10m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="window must be between 1m and 24h"
	Window metav1.Duration `json:"window,omitempty,omitzero"`
	// channels are told, each independently of the others.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Channels []Channel `json:"channels,omitempty"`
}

// ChannelType is a way of telling somebody.
// +kubebuilder:validation:Enum=CRM;Webhook
type ChannelType string

// Values of ChannelType.
const (
	// ChannelCRM is a message of the CRM's service account to people of the CRM.
	ChannelCRM ChannelType = "CRM"
	// ChannelWebhook is an HTTP POST.
	ChannelWebhook ChannelType = "Webhook"
)

// Channel is one way of telling somebody.
// +kubebuilder:validation:XValidation:rule="(self.type == 'Webhook') == has(self.secretRef)",message="secretRef belongs to type Webhook, which needs it: the Secret has the key url"
// +kubebuilder:validation:XValidation:rule="self.type == 'CRM' || !has(self.recipients)",message="recipients belong to type CRM; a webhook decides itself whom it tells"
// +kubebuilder:validation:XValidation:rule="self.type == 'Webhook' || !has(self.allowedCIDRs)",message="allowedCIDRs belong to type Webhook; those of the CRM are spec.source.crm.allowedCIDRs"
type Channel struct {
	// name of the channel.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// type of the channel.
	// +required
	Type ChannelType `json:"type,omitempty"`
	// recipients are roles of spec.source.crm.roles, or people as user:<openUserId>. Default: crm-admins and
	// integration-admins.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=160
	// +kubebuilder:validation:items:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?|user:[A-Za-z0-9_.-]+)$`
	Recipients []string `json:"recipients,omitempty"`
	// secretRef names the Secret with the key url and, optionally, signing-key (and, while it is being replaced,
	// signing-key.next): a Standard Webhooks secret with which each message is signed.
	// +optional
	SecretRef SecretReference `json:"secretRef,omitempty,omitzero"`
	// allowedCIDRs opens address ranges that are refused otherwise: loopback, link-local and cloud metadata addresses.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 127.0.0.0/8"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}
