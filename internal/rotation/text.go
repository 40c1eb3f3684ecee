package rotation

import "context"

// Text is a credential that is one value.
type Text string

// Equal implements Value.
func (t Text) Equal(o Text) bool { return t == o }

// Secret is a Text that is replaced. Only a real call proves it.
type Secret = Rotation[Text]

// NewSecret returns a Secret. read and keys are as in Config; keys may be nil.
func NewSecret(read func(Version) (string, error), keys func(Version) []Key) *Secret {
	return New(Config[Text]{Keys: keys, Read: func(v Version) (Text, error) {
		s, err := read(v)
		return Text(s), err
	}})
}

// Try makes a call with the value in use. When the other side refuses it, which changes nothing there, the other value has
// its turn. said reads an error: Unknown is when the value may be what was refused, or what was asked. Without a value the
// error is a *MissingError.
func Try[T Value[T], R any](ctx context.Context, r *Rotation[T], call func(T) (R, error), said func(error) Verdict) (R, error) {
	v, err := r.Use()
	if err != nil {
		var none R
		return none, &MissingError{err}
	}
	out, err := call(v)
	first, failed := out, err
	for round := 0; err != nil && said(err) == Refused; round++ {
		var ok bool
		if v, ok = r.Fallback(ctx, v, err.Error()); !ok || round == MaxFallbacks {
			return first, failed
		}
		out, err = call(v)
	}
	switch {
	case err == nil:
		r.Worked(v)
	case said(err) == Unknown:
		return doubted(r, v, out, err, call, said)
	}
	return out, err
}

// doubted makes a call again with the other values. Only when that did the work is the one before noted as refused: what was
// asked may be at fault as well, and who asks it over and over must not use up the attempts of a value.
func doubted[T Value[T], R any](r *Rotation[T], v T, first R, failed error, call func(T) (R, error), said func(error) Verdict) (R, error) {
	for _, other := range r.instead(v) {
		out, err := call(other)
		if err != nil && said(err) != Accepted {
			continue
		}
		r.others(v, failed.Error())
		r.Worked(other)
		return out, err
	}
	return first, failed
}

// MissingError is a credential that is not there; it says which key.
type MissingError struct{ Err error }

func (e *MissingError) Error() string { return e.Err.Error() }

// Unwrap returns what was missing.
func (e *MissingError) Unwrap() error { return e.Err }
