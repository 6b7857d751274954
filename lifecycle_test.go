package caddyicalmail

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// backEnd is a next handler that answers as a test says.
type backEnd struct {
	status  int
	headers map[string]string
	body    string
	got     string
}

func (b *backEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	buffer := new(strings.Builder)
	if _, err := fmt.Fprint(buffer, readAll(r)); err != nil {
		return err
	}
	b.got = buffer.String()
	for name, value := range b.headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(b.status)
	_, err := w.Write([]byte(b.body))
	return err
}

func readAll(r *http.Request) string {
	if r.Body == nil {
		return ""
	}
	b := new(strings.Builder)
	buffer := make([]byte, 1000)
	for {
		n, err := r.Body.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			return b.String()
		}
	}
}

const behindBackEnd = `ical_invite {
	organizer booking@example.com
	host grace@example.org "Dr. Grace Hopper"
	file unused
	timezone Europe/Berlin
	id {http.request.uri.path.1}
	fields {
		guests guests
		rrule  rrule
		exdate exdate
	}
	pass_thru {
		fields {
			id       /booking/id
			location /booking/meet_url
		}
	}
}`

// ask sends a request through h to a back end.
func ask(t testing.TB, h *Handler, b *backEnd, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "https://example.com"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", jsonType)
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
	if err := h.ServeHTTP(w, r, b); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return w
}

func created(id string) *backEnd {
	return &backEnd{status: 201, body: fmt.Sprintf(`{"booking":{"id":%q,"meet_url":"https://meet.example/%s"}}`, id, id)}
}

// mailbox collects the messages by recipient, in order of SEQUENCE.
func mailbox(mails []store.NewMessage) map[string][]store.NewMessage {
	byRecipient := make(map[string][]store.NewMessage)
	for _, m := range mails {
		byRecipient[m.To.String()] = append(byRecipient[m.To.String()], m)
	}
	return byRecipient
}

// methodsOf is what a recipient got: "REQUEST 0, CANCEL 1".
func methodsOf(t *testing.T, mails []store.NewMessage) string {
	t.Helper()
	var got []string
	for i, m := range mails {
		checkMail(t, m)
		got = append(got, fmt.Sprintf("%s %d", m.Method, m.Sequence))
		if i > 0 {
			for _, f := range lint.Successor(mails[i-1].Raw, m.Raw) {
				t.Errorf("%s: %s", m.To, f)
			}
		}
	}
	return strings.Join(got, ", ")
}

func checkMailboxes(t *testing.T, mails []store.NewMessage, want map[string]string) {
	t.Helper()
	got := mailbox(mails)
	for address, messages := range want {
		if s := methodsOf(t, got[address]); s != messages {
			t.Errorf("%s got %s, want %s", address, s, messages)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d mailboxes, want %d", len(got), len(want))
	}
}

func TestLifeOfABooking(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	status := func(w *httptest.ResponseRecorder) string { return w.Header().Get(statusHeader) }

	if s := status(ask(t, h, created("17"), "POST", "/bookings", goodJSON)); s != "queued" {
		t.Fatalf("created: %q", s)
	}
	mails := out.wait(t, 2)
	if !strings.Contains(string(mails[0].Raw), "https://meet.example/17") {
		t.Error("the back end's location is missing")
	}
	if s := status(ask(t, h, created("17"), "POST", "/bookings", goodJSON)); s != "duplicate" {
		t.Errorf("the same call again: %q", s)
	}
	ok := &backEnd{status: 200, body: "{}"}
	if s := status(ask(t, h, ok, "PATCH", "/bookings/17", `{"start":"2027-03-06T11:00"}`)); s != "updated" {
		t.Errorf("moved: %q", s)
	}
	out.wait(t, 2)
	if s := status(ask(t, h, ok, "PATCH", "/bookings/17", `{"start":"2027-03-06T11:00"}`)); s != "duplicate" {
		t.Errorf("moved to where it is: %q", s)
	}
	if s := status(ask(t, h, ok, "DELETE", "/bookings/17", "")); s != "cancelled" {
		t.Errorf("cancelled: %q", s)
	}
	mails = out.wait(t, 2)
	for _, again := range []string{"DELETE", "PATCH", "PUT"} {
		if s := status(ask(t, h, ok, again, "/bookings/17", goodJSON)); s != "skipped" {
			t.Errorf("%s of what is cancelled: %q", again, s)
		}
	}
	if s := status(ask(t, h, ok, "DELETE", "/bookings/unknown", "")); s != "skipped" {
		t.Errorf("cancelling what is unknown: %q", s)
	}
	checkMailboxes(t, mails, map[string]string{
		"ada@example.net":   "REQUEST 0, REQUEST 1, CANCEL 2",
		"grace@example.org": "REQUEST 0, REQUEST 1, CANCEL 2",
	})
	if e, _, err := out.store.EventByID(t.Context(), h.scope(), "17"); err != nil || e.End.Sub(e.Start).Hours() != 1 {
		t.Errorf("the event kept not its length: %v, %v", e.End.Sub(e.Start), err)
	}
}

func TestPeopleComeAndGo(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	ask(t, h, created("1"), "POST", "/bookings", strings.Replace(goodJSON, `"name"`, `"guests":["bob@example.net"],"name"`, 1))
	out.wait(t, 3)
	ok := &backEnd{status: 200, body: "{}"}
	// Bob is out, Carol is in, and Ada has another address.
	ask(t, h, ok, "PUT", "/bookings/1", `{"name":"Ada","email":"ada@new.example","start":"2027-03-05T10:30","guests":["carol@example.net"]}`)
	mails := out.wait(t, 5)
	want := map[string]string{
		"ada@example.net":   "REQUEST 0, CANCEL 1",
		"bob@example.net":   "REQUEST 0, CANCEL 1",
		"ada@new.example":   "REQUEST 1",
		"carol@example.net": "REQUEST 1",
		"grace@example.org": "REQUEST 0, REQUEST 1",
	}
	checkMailboxes(t, mails, want)
	ask(t, h, ok, "DELETE", "/bookings/1", "")
	mails = out.wait(t, 3)
	want["ada@new.example"] += ", CANCEL 2"
	want["carol@example.net"] += ", CANCEL 2"
	want["grace@example.org"] += ", CANCEL 2"
	checkMailboxes(t, mails, want)
}

func TestSupersedesWhatWasNotSent(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	if err := h.app.Stop(); err != nil { // nothing is sent from now on
		t.Fatal(err)
	}
	h.app.running.outbox.Wait(t.Context())
	ok := &backEnd{status: 200, body: "{}"}
	ask(t, h, created("1"), "POST", "/bookings", goodJSON)
	ask(t, h, ok, "PATCH", "/bookings/1", `{"start":"2027-03-06T11:00"}`)
	ask(t, h, ok, "DELETE", "/bookings/1", "")
	messages, err := out.store.List(t.Context(), store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if m.State != store.Superseded {
			t.Errorf("%s %d to %s is %s", m.Method, m.Sequence, m.To, m.State)
		}
	}
	if len(messages) != 4 {
		t.Errorf("%d messages, want the two invitations and the two updates, and no cancellation", len(messages))
	}
}

func TestRecurringBooking(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	weekly := `{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:00","rrule":"FREQ=WEEKLY;COUNT=6","exdate":["2027-03-19T10:00"]}`
	if s := ask(t, h, created("1"), "POST", "/bookings", weekly).Header().Get(statusHeader); s != "queued" {
		t.Fatal(s)
	}
	for _, m := range out.wait(t, 2) {
		checkMail(t, m)
	}
	e, _, err := out.store.EventByID(t.Context(), h.scope(), "1")
	if err != nil || e.Zone != "Europe/Berlin" || e.Occurrences != 5 || e.LastEnd().Format("2006-01-02T15:04Z") != "2027-04-09T09:00Z" {
		t.Errorf("%+v, %v", e, err)
	}
	inv, err := newInvitation(&e, booking.Recipient{Person: e.Client, Role: booking.RoleClient})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "recurring.ics", calendarOf(t, inv))
	ok := &backEnd{status: 200, body: "{}"}
	if s := ask(t, h, ok, "PATCH", "/bookings/1", `{"start":"2027-03-06T11:30"}`).Header().Get(statusHeader); s != "updated" {
		t.Errorf("moving the series: %q", s)
	}
	moved, _, err := out.store.EventByID(t.Context(), h.scope(), "1")
	if err != nil || len(moved.Exdates) != 1 || moved.Exdates[0] != "20270320T113000" || moved.Occurrences != 5 {
		t.Errorf("moved series: %+v, %v", moved, err)
	}
	out.wait(t, 2)
	for name, rule := range map[string]string{"endless": "FREQ=DAILY", "hourly": "FREQ=HOURLY;COUNT=3", "injected": "FREQ=DAILY;COUNT=2\\r\\nATTENDEE:x"} {
		body := strings.Replace(weekly, "FREQ=WEEKLY;COUNT=6", rule, 1)
		if s := ask(t, h, created(name), "POST", "/bookings", body).Header().Get(statusHeader); s != "skipped" {
			t.Errorf("%s: %q", name, s)
		}
	}
}

func TestStrangersHaveNoID(t *testing.T) {
	const common = "organizer booking@example.com\nhost grace@example.org\nfile unused\n"
	for _, tt := range []struct{ name, block, want string }{
		{"id without a back end", "id {http.request.uri.path.1}", "a stranger's id is not to be trusted"},
		{"id that is constant", "id booking\npass_thru {\n}", "must hold a placeholder"},
		{"id beside a signature that does not cover it", "id {http.request.uri.path.1}\nverify stripe {\nsecret {env.HOME}\n}", "id needs pass_thru"},
		{"id from a form", "fields {\nid id\n}", "a stranger's id is not to be trusted"},
		{"id from a form in front of a back end", "fields {\nid id\n}\npass_thru {\n}", "a stranger's id is not to be trusted"},
		{"action from a form", "fields {\naction do\n}", "needs verify or pass_thru"},
		{"when without verify", "when type a", "when needs verify"},
		{"verify behind pass_thru", "pass_thru {\n}\nverify stripe {\nsecret {env.HOME}\n}", "exclude each other"},
		{"unset secret", "verify stripe {\nsecret {env.TEST_NOT_SET}\n}", "TEST_NOT_SET"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := provisionHandler(t, "ical_invite {\n"+common+tt.block+"\n}")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestIDFromThePathAsItCame: handlers behind us rewrite the path in place.
func TestIDFromThePathAsItCame(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	for _, method := range []string{"POST", "DELETE"} {
		r := httptest.NewRequest(method, "https://example.com/bookings/17", strings.NewReader(goodJSON))
		r.Header.Set("Content-Type", jsonType)
		w := httptest.NewRecorder()
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
		err := h.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			r.URL.Path = "/index.php"
			w.WriteHeader(http.StatusOK)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		out.wait(t, 2) // what is not sent yet would be superseded
	}
	checkMailboxes(t, out.wait(t, 0), map[string]string{
		"ada@example.net":   "REQUEST 0, CANCEL 1",
		"grace@example.org": "REQUEST 0, CANCEL 1",
	})
}

// TestCancelNeedsOnlyTheID: nothing else of a cancellation can be wrong.
func TestCancelNeedsOnlyTheID(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	ask(t, h, created("1"), "POST", "/bookings", goodJSON)
	out.wait(t, 2)
	ok := &backEnd{status: 200, body: "{}"}
	w := ask(t, h, ok, "DELETE", "/bookings/1", `{"email":"no address","start":"never","guests":7}`)
	if got := w.Header().Get(statusHeader); got != "cancelled" {
		t.Errorf("status %q", got)
	}
	if w := ask(t, h, ok, "PUT", "/bookings/99", goodJSON); w.Header().Get(statusHeader) != "skipped" {
		t.Errorf("a change of what is unknown: %q", w.Header().Get(statusHeader))
	}
}

// TestSeriesInTheWritersZone: a back end that says a zone means it.
func TestSeriesInTheWritersZone(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	b := created("1")
	b.headers = map[string]string{"Ical-Invite-Timezone": "America/New_York"}
	ask(t, h, b, "POST", "/bookings", strings.Replace(goodJSON, `"name"`, `"rrule":"FREQ=WEEKLY;COUNT=4","name"`, 1))
	for _, m := range out.wait(t, 2) {
		checkMail(t, m)
		// 2027-03-05 10:30 as in the body, in the handler's zone or the back end's.
		elsewhere := strings.Contains(string(m.Raw), "always at the same time of day in")
		if elsewhere != (m.Role == booking.RoleHost) {
			t.Errorf("%s's mail names the zone of the series: %v", m.Role, elsewhere)
		}
	}
	if e, _, err := out.store.EventByID(t.Context(), h.scope(), "1"); err != nil || e.Zone != "America/New_York" {
		t.Errorf("zone %q, %v", e.Zone, err)
	}
}

// TestAdvance: a change is newer than what it changes, whatever the clock says.
func TestAdvance(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	before := sampleEvent(t)
	before.Modified = testNow.Add(time.Hour)
	e := *before
	h.advance(&e, before)
	if e.Sequence != before.Sequence+1 || !e.Modified.After(before.Modified) {
		t.Errorf("SEQUENCE %d, modified %s after %s", e.Sequence, e.Modified, before.Modified)
	}
}

// TestRemovedSeesOnlyThemselves: a cancellation for one is about nobody else.
func TestRemovedSeesOnlyThemselves(t *testing.T) {
	before := sampleEvent(t)
	e := *before
	e.Guests, e.Sequence = nil, 1
	invitations, err := invitationsFor(&e, before)
	if err != nil {
		t.Fatal(err)
	}
	last := invitations[len(invitations)-1]
	calendar := calendarOf(t, last)
	if last.to.Role != booking.RoleGuest || strings.Count(calendar, "\r\nATTENDEE") != 1 ||
		!strings.Contains(calendar, "METHOD:CANCEL") || !strings.Contains(calendar, "STATUS:CANCELLED") || !strings.Contains(calendar, "SEQUENCE:1\r\n") {
		t.Errorf("the guest who was removed gets\n%s", calendar)
	}
}
