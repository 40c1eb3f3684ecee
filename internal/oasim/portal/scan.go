package portal

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

const (
	// scanLife is how long a QR code can be scanned and confirmed.
	scanLife = 3 * time.Minute
	maxScans = 10_000
	qrSize   = 25
)

// scan is a browser that waits for a phone. Person is empty until somebody scanned.
type scan struct{ query, person string }

// Scan is a web sign-in by QR code.
type Scan struct {
	// Path of the page that shows the code; what the phone does goes to Path/scan and Path/confirm.
	Path string
	// Check refuses a wrong request, before a code is shown, by writing the OA's own error page.
	Check func(w http.ResponseWriter, r *http.Request) bool
	// App names the application that the person is asked about.
	App func(query url.Values) string
	// Approved sends the browser on, after the person confirmed on the phone.
	Approved func(w http.ResponseWriter, r *http.Request, query url.Values, person desk.Person)
}

// RouteScan serves a web sign-in. The page shows a QR code and, as a simulator has no camera, the people who could scan
// it; the next page is the phone of that person.
func (p *Portal) RouteScan(mux *http.ServeMux, s Scan) {
	mux.HandleFunc("GET "+s.Path, func(w http.ResponseWriter, r *http.Request) {
		if s.Check(w, r) {
			p.scanPage(w, r, s)
		}
	})
	mux.HandleFunc("POST "+s.Path+"/scan", func(w http.ResponseWriter, r *http.Request) { p.scanned(w, r, s) })
	mux.HandleFunc("POST "+s.Path+"/confirm", func(w http.ResponseWriter, r *http.Request) { p.confirmed(w, r, s) })
}

func (p *Portal) scanPage(w http.ResponseWriter, r *http.Request, s Scan) {
	id, people := rand.Text(), p.People.All()
	p.scans.Put(id, scan{query: r.URL.RawQuery}, scanLife)
	p.show(w, http.StatusOK, "scan.html", false, struct {
		Path, ID, App string
		Code          []square
		People        []desk.Person
	}{s.Path, id, s.App(r.URL.Query()), picture(id), people[:min(len(people), shownItems)]})
}

// scanned is the phone reading the code.
func (p *Portal) scanned(w http.ResponseWriter, r *http.Request, s Scan) {
	id := r.PostFormValue("id")
	waiting, ok := p.scans.Get(id)
	person, known := p.People.Get(r.PostFormValue("choose"))
	if !ok || !known {
		p.expired(w)
		return
	}
	p.scans.Put(id, scan{waiting.query, person.ID}, scanLife)
	query, _ := url.ParseQuery(waiting.query)
	p.show(w, http.StatusOK, "confirm.html", true, struct {
		Path, ID, App string
		Person        desk.Person
	}{s.Path, id, s.App(query), person})
}

// confirmed is the person's answer on the phone; it counts once.
func (p *Portal) confirmed(w http.ResponseWriter, r *http.Request, s Scan) {
	waiting, ok := p.scans.Take(r.PostFormValue("id"))
	person, known := p.People.Get(waiting.person)
	if !ok || !known {
		p.expired(w)
		return
	}
	if r.PostFormValue("answer") != "yes" {
		p.Problem(w, http.StatusOK, "您已取消登录。", "You cancelled the sign-in.")
		return
	}
	query, _ := url.ParseQuery(waiting.query)
	s.Approved(w, r, query, person)
}

func (p *Portal) expired(w http.ResponseWriter) {
	p.Problem(w, http.StatusGone, "二维码已过期，请刷新后重新扫描。", "The QR code has expired. Reload the page and scan again.")
}

// square is a dark square of the picture.
type square struct{ X, Y int }

// picture looks like a QR code: three corners and noise made from the id. No camera can read it.
func picture(id string) []square {
	var out []square
	sum := sha256.Sum256([]byte(id))
	for y := range qrSize {
		for x := range qrSize {
			dark, corner := cornerAt(x, y)
			if !corner {
				n := x + y*qrSize
				dark = sum[n%len(sum)]>>(n/len(sum)%8)&1 == 1
			}
			if dark {
				out = append(out, square{x, y})
			}
		}
	}
	return out
}

// cornerAt says whether a place belongs to one of the three corner marks with their white edge, and is dark there.
func cornerAt(x, y int) (dark, corner bool) {
	for _, at := range [][2]int{{0, 0}, {qrSize - 7, 0}, {0, qrSize - 7}} {
		dx, dy := x-at[0], y-at[1]
		if dx < -1 || dx > 7 || dy < -1 || dy > 7 {
			continue
		}
		ring := max(abs(dx-3), abs(dy-3))
		return ring == 3 || ring <= 1, true
	}
	return false, false
}

func abs(n int) int { return max(n, -n) }
