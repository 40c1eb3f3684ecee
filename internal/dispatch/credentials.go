package dispatch

import (
	"slices"
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

// accepted are the keys with which others prove themselves to the dispatcher, and those that sign what channels are told.
func (d *Dispatcher) accepted() (out []rotation.KeyState) {
	type key struct {
		slot, name string
		check      func(string) error
	}
	signing := func(v string) error { return checked(crm.Keys{Signing: []string{"", v}}) }
	keys := []key{
		{bundle.SlotSigning, v1alpha1.KeySigning, signing},
		{bundle.SlotToken, v1alpha1.KeyToken, func(v string) error { return checked(crm.Keys{Tokens: []string{"", v}}) }},
		{bundle.SlotPull, v1alpha1.KeyToken, nil},
		{bundle.SlotCallback, v1alpha1.KeyEncodingAES, nil},
	}
	for _, channel := range d.channels() {
		keys = append(keys, key{channel.Secret, v1alpha1.KeySigning, signing})
	}
	peer, _ := mounted.Read(d.secrets, bundle.SlotPeer, v1alpha1.KeyToken)
	for _, k := range keys {
		if s, ok := rotation.AcceptedKey(d.secrets, peer, k.slot, k.name, k.check); ok {
			out = append(out, s)
		}
	}
	return out
}

// channels are those that have a Secret.
func (d *Dispatcher) channels() []bundle.Channel {
	v := d.live.Load()
	if v == nil || v.bundle.Notifications == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.bundle.Notifications.Channels), func(c bundle.Channel) bool { return c.Secret == "" })
}

func checked(keys crm.Keys) error {
	_, err := crm.NewAuthenticator(keys, time.Now)
	return err
}
