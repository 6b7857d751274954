package caddyicalmail

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/html"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// shownPage is a page in one of the states in which it is shown.
type shownPage struct {
	file string
	data *page
}

// shownPages are all pages in all their states, with a real appointment.
func shownPages(t testing.TB) map[string]shownPage {
	t.Helper()
	client, host := pageEvent(t, booking.RoleClient), pageEvent(t, booking.RoleHost)
	wrong := []booking.FieldError{{Field: "start", Detail: "is in the past"}}
	all := map[string]shownPage{
		"thanks":         {"page_thanks.html", &page{Title: "Your booking", Event: client}},
		"thanks-warning": {"page_thanks.html", &page{Title: "Your booking", Event: client, Warnings: wrong}},
		"error":          {"page_error.html", &page{Title: "Your booking could not be taken", Detail: "Some of the details need to be corrected.", Errors: wrong}},
		"pending":        {"page_pending.html", &page{Title: "Please confirm your booking", Event: client}},
		"confirm":        {"page_confirm.html", &page{Title: "Confirm your booking", Event: client, State: statePending, Token: "token"}},
		"confirm-done":   {"page_confirm.html", &page{Title: "Your booking", Event: client, State: stateConfirmed, Done: "Your booking is confirmed."}},
		"confirm-late":   {"page_confirm.html", &page{Title: "Your booking", Event: client, State: statePast}},
		"confirm-vain":   {"page_confirm.html", &page{Title: "Confirm your booking", Event: client, State: stateCancelled, Problem: "Somebody else has booked this time meanwhile."}},
		"link":           {"page_link.html", &page{Title: "This link does not work", Detail: "It has expired."}},
	}
	for role, event := range map[string]*mailData{"client": client, "host": host} {
		for name, change := range manageStates(wrong) {
			p := sampleManagePage(booking.Role(role))
			p.Title, p.Event, p.Zone, p.OtherSide = "Your appointment", event, event.Zone, "Dr. Grace Hopper"
			if role == "host" {
				p.OtherSide = "Lovelace, Ada"
			}
			change(p)
			all["manage-"+role+"-"+name] = shownPage{"page_manage.html", p}
		}
	}
	return all
}

// manageStates are what becomes of an appointment's page.
func manageStates(wrong []booking.FieldError) map[string]func(*page) {
	final := func(state pageState) func(*page) {
		return func(p *page) {
			p.State, p.CanMove, p.CanCancel, p.Add, p.Token = state, false, false, nil, ""
		}
	}
	return map[string]func(*page){
		"confirmed": func(*page) {},
		"pending":   final(statePending),
		"past":      final(statePast),
		"cancelled": func(p *page) {
			final(stateCancelled)(p)
			p.Done = "The appointment has been cancelled, and everybody gets a mail."
		},
		"move-failed": func(p *page) {
			p.Problem, p.Errors, p.Open, p.Note = "The appointment has not been moved.", wrong, "move", "Sorry!"
		},
		"cancel-failed": func(p *page) {
			p.Problem, p.Open, p.Note = "The appointment has not been cancelled.", "cancel", "Sorry!"
			p.Errors = []booking.FieldError{{Field: "note", Detail: "is longer than 2000 characters"}}
		},
		"only-cancel": func(p *page) { p.CanMove = false },
	}
}

// pageEvent is the sample event as one side sees it.
func pageEvent(t testing.TB, role booking.Role) *mailData {
	t.Helper()
	e := sampleEvent(t)
	to := booking.Recipient{Person: e.Client, Role: role}
	if role == booking.RoleHost {
		to.Person = e.Host
	}
	inv, err := newInvitation(e, to)
	if err != nil {
		t.Fatal(err)
	}
	d, err := inv.mailData()
	if err != nil {
		t.Fatal(err)
	}
	d.Expires = "Monday, 1 March 2027, 10:15"
	return d
}

func mustPages(t testing.TB, dir string) *pages {
	t.Helper()
	p, err := loadPages(&TemplateFiles{Pages: dir}, caddy.NewReplacer())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func renderPage(t testing.TB, p *pages, name string, data *page) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := p.write(w, name, http.StatusOK, data); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPages(t *testing.T) {
	p := mustPages(t, "")
	for name, shown := range shownPages(t) {
		t.Run(name, func(t *testing.T) {
			text := renderPage(t, p, shown.file, shown.data).Body.String()
			checkMarkup(t, text)
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".html"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestPagesSay(t *testing.T) {
	p := mustPages(t, "")
	all := shownPages(t)
	for name, tt := range map[string]struct{ say, hide []string }{
		"thanks":  {say: []string{"ada@example.net", "Yes", "Dr. Grace Hopper"}, hide: []string{"<form", "grace@example.org"}},
		"pending": {say: []string{"Not booked yet", "ada@example.net", "10:15", "Confirm this booking"}, hide: []string{"<form", "Your invitation is on its way"}},
		"confirm": {say: []string{"Nothing is booked until", `name="token" value="token"`, `name="action" value="confirm"`, "<button"}},
		"confirm-vain": {say: []string{"Somebody else has booked this time meanwhile.", `role="alert"`, "Not done: Confirm"},
			hide: []string{"<form", "<button"}},
		"confirm-done": {say: []string{"Your booking is confirmed.", `role="status"`, "Confirmed"}, hide: []string{"<form", "Not booked yet", "Not done"}},
		"confirm-late": {say: []string{"Over", "can no longer be confirmed"}, hide: []string{"<form", "Not booked yet"}},
		"link":         {say: []string{"This link does not work", "It has expired."}},
		"manage-client-confirmed": {
			say: []string{"Confirmed", "Dr. Grace Hopper", "grace@example.org", `value="move"`, `value="cancel"`,
				`min="2027-03-01T09:00"`, `max="2027-06-01T09:00"`, "America/New_York", "google", "office365", "sample.ics", "A note to"},
			hide: []string{"First visit", "Telephone", "Charles", " open", "aria-invalid=", "<p class=\"error"},
		},
		"manage-host-confirmed": {
			say: []string{"Lovelace, Ada", "ada@example.net", "First visit", "Telephone", "+44 20", "charles@example.net", "Europe/Berlin"},
		},
		"manage-client-move-failed": {
			say: []string{"The appointment has not been moved.", "is in the past", `aria-invalid="true"`,
				`aria-describedby="start-hint start-error"`, ">Sorry!</textarea>"},
		},
		"manage-client-cancel-failed": {say: []string{"Not done: Your", "is longer than 2000", `aria-describedby="cancel-error" aria-invalid="true" autofocus`, ">Sorry!</textarea>"}, hide: []string{"start-error"}},
		"manage-client-cancelled":     {say: []string{"Cancelled", `role="status"`, "does not take place"}, hide: []string{"<form", "Add to your calendar", "Confirmed"}},
		"manage-host-past":            {say: []string{"in the past"}, hide: []string{"<form"}},
		"manage-host-only-cancel":     {say: []string{"Cancel this appointment"}, hide: []string{"datetime-local"}},
		"manage-client-pending":       {say: []string{"Not booked yet"}, hide: []string{"<form"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := html.UnescapeString(bodyOf(renderPage(t, p, all[name].file, all[name].data).Body.String()))
			for _, s := range tt.say {
				if !strings.Contains(text, s) {
					t.Errorf("%q is missing", s)
				}
			}
			for _, s := range tt.hide {
				if strings.Contains(text, s) {
					t.Errorf("%q should not be there", s)
				}
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

// bodyOf is a page without its style sheet.
func bodyOf(text string) string {
	before, rest, _ := strings.Cut(text, "<style>")
	_, after, _ := strings.Cut(rest, "</style>")
	return before + after
}

// TestPagesUnfold checks that the form that failed is unfolded, and no other.
func TestPagesUnfold(t *testing.T) {
	p := mustPages(t, "")
	wrong := []booking.FieldError{{Field: "start", Detail: "is in the past"}}
	for name, tt := range map[string]struct {
		change func(*page)
		want   string // the actions of the unfolded forms
	}{
		"nothing failed":        {func(*page) {}, ""},
		"move":                  {func(p *page) { p.Open = "move" }, "move"},
		"cancel":                {func(p *page) { p.Open = "cancel" }, "cancel"},
		"an error, not which":   {func(p *page) { p.Errors = wrong }, "move"},
		"cancel is all one can": {func(p *page) { p.Errors, p.CanMove = wrong, false }, "cancel"},
	} {
		t.Run(name, func(t *testing.T) {
			data := sampleManagePage(booking.RoleClient)
			tt.change(data)
			var got string
			for node := range parsePage(t, renderPage(t, p, "page_manage.html", data).Body.String()).Descendants() {
				if node.Data == "details" && hasAttr(node, "open") {
					for input := range node.Descendants() {
						if attr(input, "name") == "action" {
							got += attr(input, "value")
						}
					}
				}
			}
			if got != tt.want {
				t.Errorf("unfolded: %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHostilePages(t *testing.T) {
	p := mustPages(t, "")
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	for name, shown := range shownPages(t) {
		t.Run(name, func(t *testing.T) {
			data := *shown.data
			fillTexts(reflect.ValueOf(&data).Elem(), evil)
			data.State, data.Open = shown.data.State, shown.data.Open
			if data.Event != nil {
				data.Event.Role, data.Event.LocationURL = shown.data.Event.Role, "javascript:alert(3)"
			}
			if data.Add != nil {
				data.Add.Google = "javascript:alert(4)"
			}
			text := renderPage(t, p, shown.file, &data).Body.String()
			checkMarkup(t, text)
			for node := range parsePage(t, text).Descendants() {
				if strings.HasPrefix(attr(node, "href"), "javascript:") {
					t.Errorf("there is a link to %s", attr(node, "href"))
				}
			}
		})
	}
}

// TestPagesIsolate checks that what somebody typed cannot change the direction
// of the text around it.
func TestPagesIsolate(t *testing.T) {
	p := mustPages(t, "")
	const typed = "\u05d0\u05d1"
	for name, shown := range shownPages(t) {
		t.Run(name, func(t *testing.T) {
			data := *shown.data
			fillTexts(reflect.ValueOf(&data.OtherSide).Elem(), typed)
			if data.Event != nil {
				d := *data.Event
				d.Summary, d.Location, d.Description, d.Notes = typed, typed, typed, typed
				for _, v := range []any{&d.Client, &d.Host, &d.Guests, &d.Extra} {
					fillTexts(reflect.ValueOf(v).Elem(), typed)
				}
				data.Event = &d
			}
			for node := range parsePage(t, renderPage(t, p, shown.file, &data).Body.String()).Descendants() {
				if node.Type == html.TextNode && strings.Contains(node.Data, typed) && !isIsolated(node) {
					t.Errorf("the text in <%s> is not isolated", node.Parent.Data)
				}
			}
		})
	}
}

func isIsolated(text *html.Node) bool {
	for node := text.Parent; node != nil; node = node.Parent {
		if node.Data == "bdi" || hasAttr(node, "dir") {
			return true
		}
	}
	return false
}
