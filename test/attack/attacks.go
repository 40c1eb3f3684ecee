package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// sign-in that must work, or the attacks prove nothing.
func (l *lab) works() error {
	for replica := range replicas {
		b := l.newBrowser()
		p := b.get(replica, l.proof(b, "lina"))
		account := "1001"
		if l.company != "" {
			account = "1003"
		}
		if !p.in() || subject(p.location) != account {
			return fmt.Errorf("%s: an honest person is not let in: %d %s %s", l.name, p.status, p.location, text(p.body))
		}
	}
	return nil
}

// subject of the login token in an address.
func subject(location string) string {
	parts := strings.Split(param(location, "token"), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(err)
	_, rest, _ := strings.Cut(string(payload), `"sub":"`)
	sub, _, _ := strings.Cut(rest, `"`)
	return sub
}

func text(body string) string {
	_, shown, _ := strings.Cut(body, "<main>")
	return shown[:min(len(shown), 400)]
}

func (l *lab) try(class, what string, p page) {
	l.tally.count(l.name, class, p.in(), what)
}

// replay: the same proof a second time, at both replicas and from another browser.
func (l *lab) replay() {
	b := l.newBrowser()
	proof := l.proof(b, "lina")
	before := copyOf(b)
	if !b.get(0, proof).in() {
		panic(l.name + ": the first use does not work")
	}
	l.try("replay of a used proof", "same browser", b.get(0, proof))
	l.try("replay of a used proof", "other replica, cookies from before", before.get(1, proof))
	l.try("replay of a used proof", "other browser", l.newBrowser().get(1, proof))
	if l.link != nil {
		l.try("replay of a used proof", "another record", before.get(0, strings.Replace(proof, "5f3c2ab1", "000000", 1)))
	}
	if l.announces {
		l.announce(proof)
		l.try("replay of a used proof", "announced again", l.newBrowser().get(0, proof))
	}
}

func copyOf(b *browser) *browser {
	c := *b
	c.cookies = map[string]string{}
	for k, v := range b.cookies {
		c.cookies[k] = v
	}
	return &c
}

// race: many uses of one proof at the same time over both replicas; exactly one may win.
func (l *lab) race() {
	const class = "parallel uses of one proof"
	b := l.newBrowser()
	proof := l.proof(b, "lina")
	const uses = 16
	results := make(chan page, uses)
	var begin, done sync.WaitGroup
	begin.Add(1)
	for i := range uses {
		mine := copyOf(b)
		done.Go(func() {
			begin.Wait()
			results <- mine.get(i%replicas, proof)
		})
	}
	begin.Done()
	done.Wait()
	close(results)
	won := 0
	for p := range results {
		if p.in() {
			won++
			if won == 1 {
				continue
			}
		}
		l.try(class, "a second winner", p)
	}
	if won != 1 {
		l.tally.count(l.name, class, true, fmt.Sprintf("%d of %d uses won", won, uses))
	}
}

// forged: proofs that nobody issued, empty ones, two of them, and ones that a reader could take for another.
func (l *lab) forged() {
	const class = "forged, missing or ambiguous proof"
	name := l.proofName()
	attempt := func(what string, change func(string) string) {
		b := l.newBrowser()
		l.try(class, what, b.get(0, change(l.proof(b, "lina"))))
	}
	attempt("made up", func(s string) string { return query(s, name, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") })
	attempt("empty", func(s string) string { return query(s, name, "") })
	attempt("twice the same", func(s string) string { return s + "&" + name + "=" + url.QueryEscape(param(s, name)) })
	attempt("two of them", func(s string) string { return s + "&" + name + "=x" })
	attempt("one bit off", func(s string) string { p := param(s, name); return query(s, name, p[:len(p)-1]+flip(p[len(p)-1])) })
	attempt("longer", func(s string) string { return query(s, name, param(s, name)+"0") })
	attempt("upper case", func(s string) string { return query(s, name, swapCase(param(s, name))) })
	attempt("with a NUL", func(s string) string { return query(s, name, param(s, name)+"\x00") })
	attempt("with a line break", func(s string) string { return query(s, name, param(s, name)+"\r\nX: y") })
	attempt("with a space", func(s string) string { return query(s, name, " "+param(s, name)) })
	attempt("under another name", func(s string) string { return strings.Replace(s, name+"=", strings.ToUpper(name)+"=", 1) })
	attempt("a bad escape beside it", func(s string) string { return s + "&x=%zz" })
	attempt("a semicolon beside it", func(s string) string { return s + ";x=1" })
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

// times: proofs from the past and from the future.
func (l *lab) times() {
	if !l.timed {
		return
	}
	for _, off := range []time.Duration{-time.Hour, -12 * time.Minute, -6*time.Minute - time.Minute, 6 * time.Minute, 12 * time.Minute, time.Hour} {
		l.try("outside of the time window", off.String(), l.newBrowser().get(0, l.link(l.world, "lina", l.path(), off)))
	}
}

// unsigned: every signed part changed on its own.
func (l *lab) unsigned() {
	const class = "signed part changed"
	for _, part := range l.signs {
		target := l.link(l.world, "lina", l.path(), 0)
		switch part {
		case "path":
			target = strings.Replace(target, record, otherRecord, 1)
		case "loginid":
			target = query(target, part, "wangfang")
		case "stamp":
			target = query(target, part, stamp(time.Second))
		case "nonce":
			target = query(target, part, "AAAAAAAAAAAAAAAAAAAAAAAAAA")
		case "token":
			target = query(target, part, param(l.link(l.world, "wangfang", l.path(), time.Millisecond), part)+"x")
		}
		l.try(class, part, l.newBrowser().get(0, target))
	}
}

// split: the seed's signature has no separators, so account and stamp could be cut elsewhere (F47).
func (l *lab) split() {
	const class = "re-split, re-ordered or repeated parameters"
	if l.name != "Signed link" {
		return
	}
	at := stamp(0)
	token := param("?"+weaver("lina1", at), "token") // of an account that ends in a digit
	for _, c := range [][2]string{
		{"lina", "1" + at}, {"lina1" + at[:1], at[1:]}, {"lina1" + at[:3], at[3:]}, {"lina1" + at, ""}, {"", "lina1" + at}, {"lina1" + at[:12], at[12:]},
	} {
		l.try(class, c[0]+"|"+c[1], l.newBrowser().get(0, record+"?"+url.Values{"loginid": {c[0]}, "stamp": {c[1]}, "token": {token}}.Encode()))
	}
	good := weaver("lina", stamp(time.Millisecond))
	for _, q := range []string{
		"loginid=wangfang&" + good, good + "&loginid=wangfang", good + "&stamp=1", good + "&token=x", strings.ToUpper(good),
		strings.Replace(good, "loginid", "LoginId", 1), "x;" + good,
	} {
		l.try(class, q, l.newBrowser().get(0, record+"?"+q))
	}
	// In another order it is the same link: good once, and only once.
	values, err := url.ParseQuery(good)
	must(err)
	b := l.newBrowser()
	if !b.get(0, record+"?token="+values.Get("token")+"&stamp="+values.Get("stamp")+"&loginid=lina").in() {
		l.tally.count(l.name, class, true, "an honest link in another order is refused")
	}
	l.try(class, "the same in its first order", b.get(1, record+"?"+good))
}

// tenants: links of another enterprise, spellings of a path that is none.
func (l *lab) paths() {
	const class = "other enterprise, forged path or method"
	proof := func() (b *browser, path, query string) {
		b = l.newBrowser()
		target := l.proof(b, "lina")
		path, query, _ = strings.Cut(strings.TrimPrefix(target, "https://"+host), "?")
		return b, path, query
	}
	b, path, q := proof()
	for _, p := range []string{
		strings.Replace(path, ei, "714440", 1), strings.ToUpper(path), path + "/", "/" + path, path + "/..", path + "%2f", path + ";x", path + "%00",
		strings.Replace(path, "/", "//", 2), "/x/.." + path, path + "/%2e%2e/x", path + "%252e", path + `\x`, "https://evil.example" + path,
		strings.Replace(path, "/", `/\`, 1), path + "%09", path + "#",
	} {
		if p != path {
			l.try(class, p, b.get(0, p+"?"+q))
		}
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"} {
		l.try(class, method, b.do(0, method, path+"?"+q, nil))
	}
	if p := b.get(0, path+"?"+q); !p.in() {
		l.tally.count(l.name, class, true, "a forged path burnt the proof: "+text(p.body))
	}
}

// redirects: nothing in a request leads anywhere but to the CRM (GHSA-qqxw-m5fj-f7gv, CVE-2024-8883 and their family).
func (l *lab) redirects() {
	const class = "open redirect and header smuggling"
	for _, evil := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "https:evil.example", "http://crm.example@evil.example",
		"https://crm.example:80@evil.example", "https://crm.example.evil.example", "javascript:alert(1)", "data:text/html,x", "/%09/evil.example",
		"/%5cevil.example", "%2f%2fevil.example", "https://evil.example%00.crm.example", "/..//evil.example", "https://crm.example/..;/@evil.example",
	} {
		b := l.newBrowser()
		more := url.Values{}
		for _, name := range []string{"redirect_uri", "redirect", "url", "next", "return", "target", "service", "rd"} {
			more.Set(name, evil)
		}
		p := b.get(0, l.proof(b, "lina")+"&"+more.Encode(), func(r *http.Request) {
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Proto", "X-Original-Url", "X-Rewrite-Url", "Forwarded", "Referer"} {
				r.Header.Set(name, evil)
			}
			r.Header["X_Forwarded_Host"] = []string{evil}
			r.Header.Set("LoginName", "wangfang")
			r.Header.Set("X-Forwarded-User", "wangfang")
		})
		// The sign-in itself is honest, so it may succeed, but only to the CRM, and only as the honest person.
		bad := strings.Contains(p.location+p.body, "evil") || p.location != "" && !p.in() || p.in() && subject(p.location) != l.account()
		l.tally.count(l.name, class, bad, evil+" → "+p.location)
	}
	for _, h := range []string{"evil.example", host + ".evil.example", host + ":80@evil.example", "evil" + host, host + ".", "127.0.0.1", "",
		otherHost + ".evil.example", "evil" + otherHost, otherHost + ":80@evil.example", otherHost + "," + host, otherHost + "."} {
		b := l.newBrowser()
		proof := l.proof(b, "lina")
		l.try(class, "Host "+h, b.get(0, proof, func(r *http.Request) {
			r.Host = h
			r.Header.Set("X-Forwarded-Host", host)
			if h == "" {
				r.Host = "0"
			}
		}))
	}
}

func (l *lab) account() string {
	if l.company != "" {
		return "1003"
	}
	return "1001"
}

// strangers: people whom the OA knows and nobody bound, and accounts that look like somebody's.
func (l *lab) strangers() {
	people := []string{"nobody", "LINA", "lina\u200b", "1001", "aa/wangfang", "lina/", "", "l\u0131na", "*"}
	if !strings.HasPrefix(l.name, "Seeyon") { // which names people in a header, whose value has no spaces at its ends
		people = append(people, "lina ", " lina")
	}
	for _, person := range people {
		b := l.newBrowser()
		l.try("person who is not bound", fmt.Sprintf("%q", person), b.get(0, l.proof(b, person)))
	}
}

// closed: without the store nobody knows what was used.
func (l *lab) closed() {
	b := l.newBrowser()
	proof := l.proof(b, "lina")
	l.store.down.Store(true)
	l.try("proof store is down", "", b.get(0, proof))
	l.try("proof store is down", "", b.get(1, proof))
	l.store.down.Store(false)
}

// provider that is down, or lies.
func (l *lab) outage() {
	if l.timed { // nobody is asked
		return
	}
	const class = "OA cannot be asked"
	b := l.newBrowser()
	proof := l.proof(b, "lina")
	if l.announces {
		return // it was asked when the proof was announced
	}
	l.provider.mu.Lock()
	kept := l.provider.grants
	l.provider.grants = map[string]grant{}
	l.provider.mu.Unlock()
	l.try(class, "the OA forgot", b.get(0, proof))
	l.provider.mu.Lock()
	l.provider.grants = kept
	l.provider.mu.Unlock()
}

// lockOut: a guesser is turned away, also with a good proof.
func (l *lab) lockOut() {
	const class = "guessing, until locked out"
	guesser := l.newBrowser()
	locked := 0
	for range 40 {
		p := l.guess(guesser)
		l.try(class, "a guess", p)
		if p.status == http.StatusTooManyRequests {
			locked++
		}
	}
	if locked == 0 {
		l.tally.count(l.name, class, true, "40 guesses and no lock-out")
	}
}

// guess uses a proof that nobody issued, as far as the gateway lets the browser begin.
func (l *lab) guess(b *browser) page {
	proof := ""
	if l.link != nil {
		proof = l.proof(b, "lina")
	} else {
		begun := l.begin(b)
		if begun.status == http.StatusTooManyRequests {
			return begun
		}
		proof = l.comeBack("lina", begun)
	}
	guess := "guess-" + rand10()
	if l.name == "CAS" {
		guess = "ST-" + guess
	}
	return b.get(0, query(proof, l.proofName(), guess))
}
