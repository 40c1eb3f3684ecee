package weaver

import (
	"crypto/sha1" //nolint:gosec // the vendor's algorithm
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// sign is the token of a signed link: lower-case hex of SHA-1 over secret, loginid and stamp, nothing between them (SEED0).
func sign(secret, loginid, stamp string) string {
	sum := sha1.Sum([]byte(secret + loginid + stamp)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// SignedLink completes a link of a system with loginid, stamp (milliseconds) and token.
func (s *Weaver) SignedLink(person, system, link string) (string, error) {
	p, ok := s.people.Get(person)
	if !ok {
		return "", fmt.Errorf("there is no person %q", person)
	}
	sys, ok := s.system(system)
	if !ok || sys.Secret == "" {
		return "", fmt.Errorf("there is no system %q with a secret", system)
	}
	stamp := strconv.FormatInt(s.Now().UnixMilli(), 10)
	login := p.ID
	if s.Settings().Account == "workcode" {
		login = p.Code
	}
	for _, param := range [][2]string{{"loginid", login}, {"stamp", stamp}, {"token", sign(sys.Secret, login, stamp)}} {
		link = portal.WithParam(link, param[0], param[1])
	}
	return link, nil
}

// leave signs the link of an item or of a system's tile, if the system has a secret.
func (s *Weaver) leave(_ *http.Request, t portal.Trip) (string, error) {
	code := ""
	if t.Tile != nil {
		code = t.Tile.Code
	} else {
		code, _ = t.Item.Fields["syscode"].(string)
	}
	if sys, _ := s.system(code); sys.Secret == "" {
		return t.Link, nil
	}
	return s.SignedLink(t.Person.ID, code, t.Link)
}
