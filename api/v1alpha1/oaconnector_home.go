package v1alpha1

// HomePage is where the home entry of the app leads in the CRM (F115).
// +kubebuilder:validation:MinProperties=1
type HomePage struct {
	// path of the CRM's page, with a query if it needs one, such as /crm/board?tab=quotes. It has no scheme and no host: it
	// travels as target.path in what the CRM's login gets, and the CRM opens it on its own host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/([A-Za-z0-9._~-]+/?)*(\?[A-Za-z0-9._~=&/-]*)?$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|/)[.]{1,2}(/|[?]|$)')",message="path must not have the parts . and .."
	Path string `json:"path,omitempty"`
	// mobilePath is the same for phones. Default: path.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/([A-Za-z0-9._~-]+/?)*(\?[A-Za-z0-9._~=&/-]*)?$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|/)[.]{1,2}(/|[?]|$)')",message="mobilePath must not have the parts . and .."
	MobilePath string `json:"mobilePath,omitempty"`
}
