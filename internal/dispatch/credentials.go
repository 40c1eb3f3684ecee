package dispatch

import (
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/rotation"
)

// rotators are what the dispatcher shows to the OA and to the CRM.
func (d *Dispatcher) rotators() (out []rotation.Rotator) {
	v := d.live.Load()
	if v == nil {
		return nil
	}
	if r, ok := v.pusher.(rotation.Rotator); ok {
		out = append(out, r)
	}
	return append(out, d.crm)
}

// accepted are the keys with which others prove themselves to the dispatcher.
func (d *Dispatcher) accepted() (out []rotation.KeyState) {
	peer, _ := mounted.Read(d.secrets, bundle.SlotPeer, v1alpha1.KeyToken)
	for _, k := range []struct {
		slot, name string
		check      func(string) error
	}{
		{bundle.SlotSigning, v1alpha1.KeySigning, func(v string) error { return checked(crm.Keys{Signing: []string{"", v}}) }},
		{bundle.SlotToken, v1alpha1.KeyToken, func(v string) error { return checked(crm.Keys{Tokens: []string{"", v}}) }},
		{bundle.SlotPull, v1alpha1.KeyToken, nil},
		{bundle.SlotCallback, v1alpha1.KeyEncodingAES, nil},
	} {
		if s, ok := rotation.AcceptedKey(d.secrets, peer, k.slot, k.name, k.check); ok {
			out = append(out, s)
		}
	}
	return out
}

func checked(keys crm.Keys) error {
	_, err := crm.NewAuthenticator(keys, time.Now)
	return err
}
