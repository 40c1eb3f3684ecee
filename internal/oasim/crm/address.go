package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// verifyAddress judges a signed address by what stands behind the question mark: the HMAC covers the address as it came, the
// CRM's own in front of it. Nothing may follow the signature, and an address is good once.
func (c *CRM) verifyAddress(login Login, rawQuery string) (Person, Destination, *refusal) {
	var nobody Person
	var nowhere Destination
	signed, sig, _ := strings.Cut(rawQuery, "&sig=")
	mac := hmac.New(sha256.New, []byte(login.SharedKey))
	mac.Write([]byte(login.Audience + "?" + signed))
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(sig)) {
		return nobody, nowhere, refuseSignature
	}
	q, err := url.ParseQuery(signed)
	if err != nil {
		return nobody, nowhere, refuseMalformed
	}
	exp, err := strconv.ParseInt(q.Get("exp"), 10, 64)
	if err != nil || q.Get("nonce") == "" {
		return nobody, nowhere, refuseMalformed
	}
	now, expiry := c.Now(), time.Unix(exp, 0)
	switch {
	case !now.Before(expiry) || expiry.Sub(now) > longestLogin:
		return nobody, nowhere, refuseTime
	case login.EnterpriseID != "" && q.Get("ei") != login.EnterpriseID:
		return nobody, nowhere, refuseAudience
	}
	person, where, refused := c.admit(q.Get("account"), &Destination{
		Page: q.Get("page"), APIName: q.Get("apiName"), DataID: q.Get("dataId"), Path: q.Get("path"), Client: q.Get("client"),
	})
	if refused == nil && !c.spent.Add("nonce "+q.Get("nonce"), struct{}{}, expiry.Sub(now)) {
		refused = refuseReplay
	}
	return person, where, refused
}
