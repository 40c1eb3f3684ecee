package link_test

import (
	"errors"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin/link"
)

// The seed's own example (SEED0, vendor facts A1).
const (
	seedSecret = "d73ec6289574d272c9cc2df5ff70488b"
	seedStamp  = 1634128095994
	seedToken  = "68ec2e6c1206a4a25be4dbd0aab845d0c68a0479"
)

func verifier(algorithm string, at time.Time) *link.Verifier {
	return link.New(link.Config{
		Algorithm: algorithm, MaxSkew: 5 * time.Minute, Now: func() time.Time { return at },
		Secrets: func() ([]string, error) { return []string{"the-next-secret-0123456789", seedSecret}, nil },
	})
}

func read(t *testing.T, v *link.Verifier, query string) (oa.Proof, error) {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v.Read(oa.Link{Host: "sso.crm.example", Path: "/a/b", Query: q})
}

func verdict(err error) oa.Verdict {
	refused, ok := errors.AsType[*oa.VerifyError](err)
	if !ok {
		return "no VerifyError"
	}
	return refused.Verdict
}

// The vector of the seed is good for as long as its stamp is, and names one person. F47
func TestTheSeedsLink(t *testing.T) {
	query := "loginid=0001&stamp=1634128095994&token=" + seedToken
	at := time.UnixMilli(seedStamp)
	for _, off := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		v := verifier(link.SHA1, at.Add(off))
		p, err := read(t, v, query)
		if err != nil || p.Claimed != "0001" || p.Skew != -off || p.Life <= 10*time.Minute {
			t.Errorf("%s: %+v, %v", off, p, err)
		}
		if id, err := v.Verify(t.Context(), p); err != nil || id.Account != "0001" {
			t.Errorf("%s: %+v, %v", off, id, err)
		}
	}
	for _, off := range []time.Duration{5*time.Minute + time.Millisecond, -5*time.Minute - time.Millisecond, 24 * time.Hour} {
		p, err := read(t, verifier(link.SHA1, at.Add(off)), query)
		refused, _ := errors.AsType[*oa.VerifyError](err)
		if verdict(err) != oa.Skewed || refused.Skew != -off || p.Claimed != "0001" {
			t.Errorf("%s: %+v, %v", off, p, err)
		}
	}
}

// The signature has no separators; one way to split it is accepted, and its key is the same however the link is written.
// F47, F48
func TestOtherReadingsOfTheSeedsLink(t *testing.T) { // TM-10
	v := verifier(link.SHA1, time.UnixMilli(seedStamp))
	for query, want := range map[string]oa.Verdict{
		"loginid=00011&stamp=634128095994&token=" + seedToken:                             oa.Rejected,
		"loginid=000&stamp=11634128095994&token=" + seedToken:                             oa.Rejected,
		"loginid=0001&stamp=+1634128095994&token=" + seedToken:                            oa.Rejected,
		"loginid=0002&stamp=1634128095994&token=" + seedToken:                             oa.Rejected,
		"loginid=0001&stamp=1634128095995&token=" + seedToken:                             oa.Rejected,
		"loginid=0001&stamp=1634128095994&token=68EC2E6C1206A4A25BE4DBD0AAB845D0C68A0479": oa.Rejected,
		"loginid=0001&stamp=1634128095994&token=":                                         oa.Missing,
		"loginid=0001&token=" + seedToken:                                                 oa.Missing,
		"loginid=0001&stamp=1634128095994&token=" + seedToken + "&loginid=0002":           oa.Ambiguous,
		"loginid=0001&stamp=1634128095994&token=" + seedToken + "&token=" + seedToken:     oa.Ambiguous,
		"loginid=%200001&stamp=1634128095994&token=" + seedToken:                          oa.Rejected,
		"loginid=0001%00&stamp=1634128095994&token=" + seedToken:                          oa.Rejected,
		"LoginId=0001&stamp=1634128095994&token=" + seedToken:                             oa.Missing,
		"loginid=0001&stamp=%D9%A11634128095994&token=" + seedToken:                       oa.Rejected,
		"loginid=0001&stamp=1634128095994&token=" + seedToken + "0":                       oa.Rejected,
	} {
		if p, err := read(t, v, query); verdict(err) != want {
			t.Errorf("%s: %+v, %v, want %s", query, p, err, want)
		}
	}
	one, _ := read(t, v, "loginid=0001&stamp=1634128095994&token="+seedToken)
	other, _ := read(t, v, "x=1&token="+seedToken+"&stamp=1634128095994&loginid=0001")
	if one.Key == "" || one.Key != other.Key {
		t.Errorf("keys %q and %q", one.Key, other.Key)
	}
}

// Without a secret nobody can tell, so nobody is let in, and nothing is used up.
func TestNoSecret(t *testing.T) {
	v := link.New(link.Config{Algorithm: link.SHA1, MaxSkew: time.Minute, Now: time.Now,
		Secrets: func() ([]string, error) { return nil, errors.New("the key link-secret is missing") }})
	if _, err := read(t, v, "loginid=0001&stamp=1634128095994&token="+seedToken); verdict(err) != oa.Unasked {
		t.Error(err)
	}
}

// Whatever a query holds, a proof comes out only of one with the right signature, and names a printable account.
func FuzzRead(f *testing.F) {
	for _, q := range []string{
		"loginid=0001&stamp=1634128095994&token=" + seedToken, "loginid=00011&stamp=634128095994&token=" + seedToken,
		"loginid=%00&stamp=&token=%zz", "token=a&token=b", ";", "loginid=0001&stamp=1634128095994&nonce=AAAAAAAAAAAAAAAA&token=" + seedToken,
	} {
		f.Add(q)
	}
	at := time.UnixMilli(seedStamp)
	printable := regexp.MustCompile(`^[\pL\pN\pP\pS ]+$`)
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		for _, algorithm := range []string{link.SHA1, link.HMACSHA256} {
			v := verifier(algorithm, at)
			p, err := v.Read(oa.Link{Host: "h", Path: "/p", Query: q})
			if err != nil {
				continue
			}
			id, err := v.Verify(t.Context(), p)
			if err != nil || id.Account != q.Get("loginid") || !printable.MatchString(id.Account) || p.Key != q.Get("token") {
				t.Fatalf("%q: %+v, %+v, %v", query, p, id, err)
			}
		}
	})
}
