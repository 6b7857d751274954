package integration_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

const (
	nodeExample   = "examples/node-backend/Caddyfile"
	pythonExample = "examples/python-backend/Caddyfile"
)

// startBackEnd runs an example's back end on a port that it chooses, and
// returns the port.
func startBackEnd(t *testing.T, command ...string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = absolute(t, "")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PORT=0"}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it ends because it was killed
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the back end says %q (%v)", line, err)
	}
	return port
}

// example is a running example and what it has sent so far.
type example struct {
	t      *testing.T
	caddy  *caddytest.Caddy
	home   *url.URL
	client *http.Client
	known  map[string]bool // mails
}

func startBackEndExample(t *testing.T, path, port string) *example {
	t.Helper()
	caddy, home := startExample(t, path, "BACKEND_PORT="+port)
	return &example{t: t, caddy: caddy, home: home, client: browser(t), known: map[string]bool{}}
}

// ask sends a request, checks what became of the invitation, and returns the
// answer and the new mails.
func (e *example) ask(method, path, contentType, body, status string, mails int) (caddytest.Answer, map[string]*letter) {
	e.t.Helper()
	r := caddytest.Request(e.t, method, e.home.JoinPath(path).String(), contentType, body)
	answer := caddytest.Do(e.t, e.client, r)
	checkStatus(e.t, answer, status)
	return answer, e.newLetters(mails)
}

// newLetters waits for so many mails more and returns them by recipient.
func (e *example) newLetters(mails int) map[string]*letter {
	e.t.Helper()
	letters := map[string]*letter{}
	for _, raw := range e.caddy.WaitMails(e.t, len(e.known)+mails) {
		if e.known[string(raw)] {
			continue
		}
		e.known[string(raw)] = true
		to := readHeader(e.t, raw)
		letters[to] = readLetter(e.t, smtptest.Message{To: to, Data: raw})
	}
	return letters
}

// readHeader is whom a mail is for.
func readHeader(t *testing.T, raw []byte) string {
	t.Helper()
	_, line, ok := strings.Cut("\r\n"+string(raw), "\r\nTo: ")
	line, _, end := strings.Cut(line, "\r\n")
	if !ok || !end {
		t.Fatalf("the mail is for nobody:\n%s", raw)
	}
	return strings.Trim(afterLast(line, " "), "<>")
}

// checkLetters compares what each got: always the same for both.
func checkLetters(t *testing.T, letters map[string]*letter, want, place string, start time.Time) {
	t.Helper()
	for _, to := range []string{"ada@example.net", deliveryHost} {
		l := letters[to]
		if l == nil {
			t.Errorf("%s has no mail", to)
			continue
		}
		got, err := l.event.DateTimeStart(time.UTC)
		if l.String() != want || l.text("LOCATION") != place || err != nil || !got.Equal(start) {
			t.Errorf("%s got %s for %s (%v) at %q, want %s for %s at %q", to, l, got, err, l.text("LOCATION"), want, start, place)
		}
	}
}

// TestNodeExample books, moves and cancels as the example's comments say.
func TestNodeExample(t *testing.T) {
	need(t, "node")
	e := startBackEndExample(t, nodeExample, startBackEnd(t, "node", "examples/node-backend/server.mjs"))
	const jsonType, place = "application/json", "https://meet.example.com/1"
	local := func(day int) string { return booked().AddDate(0, 0, day).Format("2006-01-02T15:04") }
	start := inBerlin(t, booked())

	book := fmt.Sprintf(`{"name":"Ada","email":"ada@example.net","start":%q}`, local(0))
	answer, letters := e.ask("POST", "/bookings", jsonType, book, "queued", 2)
	if answer.Status != http.StatusCreated || !strings.Contains(answer.Body, place) {
		t.Errorf("the answer is %d %s", answer.Status, answer.Body)
	}
	checkLetters(t, letters, "REQUEST 0", place, start)
	answer, _ = e.ask("POST", "/bookings", jsonType, book, "", 0)
	if answer.Status != http.StatusConflict {
		t.Errorf("a time that is taken is answered %d", answer.Status)
	}
	_, letters = e.ask("PATCH", "/bookings/1", jsonType, fmt.Sprintf(`{"start":%q}`, local(1)), "updated", 2)
	checkLetters(t, letters, "REQUEST 1", place, start.AddDate(0, 0, 1))
	_, letters = e.ask("PUT", "/bookings/1", jsonType, strings.Replace(book, local(0), local(2), 1), "updated", 2)
	checkLetters(t, letters, "REQUEST 2", place, start.AddDate(0, 0, 2))
	_, letters = e.ask("DELETE", "/bookings/1", "", "", "cancelled", 2)
	checkLetters(t, letters, "CANCEL 3", place, start.AddDate(0, 0, 2))
	e.ask("DELETE", "/bookings/1", "", "", "", 0) // 404
	checkNoErrors(t, e.caddy)
}

// TestNodeExampleRetry asks again with the same Idempotency-Key, as a client
// does that got no answer: it has booked once and is invited once.
func TestNodeExampleRetry(t *testing.T) {
	need(t, "node")
	e := startBackEndExample(t, nodeExample, startBackEnd(t, "node", "examples/node-backend/server.mjs"))
	for i, want := range []string{"queued", "duplicate", "duplicate"} {
		r := caddytest.Request(t, "POST", e.home.JoinPath("/bookings").String(), "application/json", bookingJSON(booked(), ""))
		r.Header.Set("Idempotency-Key", "the same")
		answer := caddytest.Do(t, e.client, r)
		checkStatus(t, answer, want)
		if answer.Status != http.StatusCreated {
			t.Errorf("the answer %d is %d", i, answer.Status)
		}
	}
	e.caddy.WaitMails(t, 2)
}

// TestPythonExample books, moves and cancels by forms, with a back end that
// steers by headers.
func TestPythonExample(t *testing.T) {
	need(t, "python3")
	e := startBackEndExample(t, pythonExample, startBackEnd(t, python, "examples/python-backend/server.py"))
	const formType = "application/x-www-form-urlencoded"
	form := url.Values{"who": {"Ada"}, "mail": {"ada@example.net"}, "when": {booked().Format("2006-01-02T15:04")}}
	start := inBerlin(t, booked())

	_, letters := e.ask("POST", "/bookings", formType, form.Encode(), "queued", 2)
	place := letters[deliveryHost].text("LOCATION")
	checkLetters(t, letters, "REQUEST 0", place, start)
	id, ok := strings.CutPrefix(place, "https://meet.example.com/")
	if summary := letters[deliveryHost].text("SUMMARY"); !ok || summary != "Consultation" {
		t.Errorf("the place is %q, the title %q", place, summary)
	}
	later := url.Values{"when": {booked().AddDate(0, 0, 1).Format("2006-01-02T15:04")}}
	answer, letters := e.ask("PATCH", "/bookings/"+id, formType, later.Encode(), "updated", 2)
	checkLetters(t, letters, "REQUEST 1", place, start.AddDate(0, 0, 1))
	if !strings.Contains(answer.Body, "has been changed") {
		t.Errorf("the answer is %s", answer.Body)
	}
	_, letters = e.ask("DELETE", "/bookings/"+id, "", "", "cancelled", 2)
	checkLetters(t, letters, "CANCEL 2", place, start.AddDate(0, 0, 1))
	e.ask("DELETE", "/bookings/"+id, "", "", "", 0)
	e.ask("POST", "/bookings", formType, "mail=ada%40example.net", "", 0) // 422
	form.Set("hold", "1")
	e.ask("POST", "/bookings", formType, form.Encode(), "skipped", 0)
	checkNoErrors(t, e.caddy)
}
