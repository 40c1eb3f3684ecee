package generic

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the seed's algorithm
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// Sign is what the OA and the other side agreed on about links.
type Sign struct {
	// Secret of the links with sha1 or hmac, and of JWTs with HS256 (at least 32 bytes).
	Secret string `json:"secret,omitempty"`
	// Issuer and Audience of a JWT; Parameter of a link that holds it, or a ticket.
	Issuer    string `json:"issuer,omitempty"`
	Audience  string `json:"audience,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	// TicketToken, when set, must come along as a bearer token when a ticket is asked about.
	TicketToken string `json:"ticketToken,omitempty"`
}

// The proofs that a link may carry.
const (
	linkPlain  = "plain"
	linkSHA1   = "sha1" // loginid, stamp and token = hex SHA-1 of secret+loginid+stamp (SEED0)
	linkHMAC   = "hmac" // and nonce; token = hex HMAC-SHA-256 over the lines v1, host, path, loginid, stamp, nonce
	linkJWT    = "jwt"
	linkTicket = "ticket" // the other side asks /sso/verify whose it is
)

var links = []string{linkPlain, linkSHA1, linkHMAC, linkJWT, linkTicket}

func (s *Generic) leave(_ *http.Request, t portal.Trip) (string, error) {
	return s.prove(t.Person, t.Link)
}

func (sign Sign) parameter() string {
	if sign.Parameter == "" {
		return "ticket"
	}
	return sign.Parameter
}

// prove adds the proof that the settings ask for to a link.
func (s *Generic) prove(p desk.Person, link string) (string, error) {
	stamp := strconv.FormatInt(s.Now().UnixMilli(), 10)
	switch s.Settings().Link {
	case linkSHA1:
		sum := sha1.Sum([]byte(s.sign.Secret + p.ID + stamp)) //nolint:gosec // see above
		return with(link, "loginid", p.ID, "stamp", stamp, "token", hex.EncodeToString(sum[:])), nil
	case linkHMAC:
		u, err := url.Parse(link)
		if err != nil {
			return "", err
		}
		nonce := rand.Text()
		mac := hmac.New(sha256.New, []byte(s.sign.Secret))
		mac.Write([]byte(strings.Join([]string{"v1", u.Host, u.Path, p.ID, stamp, nonce}, "\n")))
		return with(link, "loginid", p.ID, "stamp", stamp, "nonce", nonce, "token", hex.EncodeToString(mac.Sum(nil))), nil
	case linkJWT:
		token, err := s.token(p)
		return with(link, s.sign.parameter(), token), err
	case linkTicket:
		return with(link, s.sign.parameter(), s.ticket(p.ID)), nil
	default:
		return link, nil
	}
}

func with(link string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		link = portal.WithParam(link, pairs[i], pairs[i+1])
	}
	return link
}

func (s *Generic) life() time.Duration { return time.Duration(s.Settings().LinkSeconds) * time.Second }

// token is a JWT with HS256.
func (s *Generic) token(p desk.Person) (string, error) {
	now := s.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": s.sign.Issuer, "aud": s.sign.Audience, "sub": p.ID, "name": p.Name, "iat": now.Unix(), "exp": now.Add(s.life()).Unix(), "jti": rand.Text(),
	})
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(s.sign.Secret)}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign.secret: %w", err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("sign.secret: %w", err)
	}
	return signed.CompactSerialize()
}

func (s *Generic) ticket(person string) string {
	id := rand.Text()
	s.tickets.Put(id, person, s.life())
	return id
}

// routeTickets serves the interface that says whose a ticket is, once (F110).
func (s *Generic) routeTickets(mux *http.ServeMux) {
	verify := func(w http.ResponseWriter, r *http.Request) {
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if s.sign.TicketToken != "" && !same(bearer, s.sign.TicketToken) {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		settings := s.Settings()
		id, ok := s.tickets.Take(r.FormValue(s.sign.parameter()))
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case !ok && settings.BadTicket == "403":
			http.Error(w, "the ticket is unknown, used or too old", http.StatusForbidden)
			return
		case ok:
			journal.SetUser(r.Context(), id)
		}
		if settings.TicketAnswer == "text" {
			w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
			_, _ = io.WriteString(w, id)
			return
		}
		desk.Reply(w, http.StatusOK, map[string]any{"code": 0, "data": map[string]string{"account": id}})
	}
	mux.HandleFunc("GET /sso/verify", verify)
	mux.HandleFunc("POST /sso/verify", verify)
}
