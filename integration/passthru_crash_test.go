package integration_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

const (
	killRounds  = 12
	killClients = 8
)

// promises are the clients who read a 2xx.
type promises struct {
	mu   sync.Mutex
	made map[string]bool // by address
}

// book posts a booking and notes a success as soon as its header is there:
// that is what a client may rely on, whatever becomes of the body.
func (p *promises) book(client *http.Client, who string) (status string) {
	body := fmt.Sprintf(`{"name":"Client","email":%q,"start":%q}`, addressOf(who), booked().Format(time.RFC3339))
	r, err := http.NewRequest(http.MethodPost, "http://site.test/bookings", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return "no answer"
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusCreated {
		p.mu.Lock()
		p.made[addressOf(who)] = true
		p.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Ical-Invite-Status"))
}

// arrivedFor counts the mails by client, with the host's among them, and
// judges them. Copies of one mail must be the same mail.
func (p *promises) arrivedFor(t *testing.T, server *smtptest.Server) (client, host map[string]int) {
	t.Helper()
	client, host = map[string]int{}, map[string]int{}
	ids := map[mailKey]string{}
	for _, m := range server.Messages() {
		a := readArrival(t, m)
		if known, again := ids[a.mailKey]; again && known != a.id {
			t.Errorf("%v has arrived as %s and as %s", a.mailKey, known, a.id)
		}
		ids[a.mailKey] = a.id
		for _, attendee := range readLetter(t, m).event.Props.Values("ATTENDEE") {
			if who := trimMailto(attendee.Value); who != deliveryHost {
				if m.To == deliveryHost {
					host[who]++
				} else {
					client[who]++
				}
			}
		}
	}
	return client, host
}

// kept reports whether everybody who was promised an invitation has one.
func (p *promises) kept(t *testing.T, server *smtptest.Server) bool {
	t.Helper()
	client, host := p.arrivedFor(t, server)
	for who := range p.made {
		if client[who] == 0 || host[who] == 0 {
			return false
		}
	}
	return true
}

// TestBackEndKill kills Caddy again and again while the back end has committed
// and its answers are on their way, after a delay that is another each time.
// Nobody may have read a success and have no invitation in the end.
func TestBackEndKill(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	answered := make(chan struct{}, 10*killClients)
	backEnd := new(counter)
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		backEnd.ServeHTTP(w, r)
		answered <- struct{}{}
	})
	server := smtptest.Start(t, smtptest.Options{})
	home := hurriedHome(t)
	p := &promises{made: map[string]bool{}}
	outcomes := map[string]int{}
	for round := range killRounds {
		options := answerFields
		if round%2 == 0 {
			options = "pass_thru {\non_failure error\n}"
		}
		caddy := home.Start(t, backEndSite(upstream, smtpMailer(server.Addr), options))
		results := make(chan string, killClients)
		for _, who := range crowd(fmt.Sprintf("r%dc", round), killClients) {
			go func() { results <- p.book(caddy.Client(), who) }()
		}
		for range 1 + rng.IntN(killClients) {
			<-answered
		}
		// Most commits take some milliseconds, those of a busy disk far more.
		longest := []int{1_000, 20_000, 150_000}[rng.IntN(3)]
		<-time.After(time.Duration(rng.IntN(longest)) * time.Microsecond)
		caddy.Kill()
		for range killClients {
			outcomes[<-results]++
		}
		for len(answered) > 0 {
			<-answered
		}
	}
	home.Start(t, backEndSite(upstream, smtpMailer(server.Addr), answerFields))
	caddytest.Poll(20*time.Second, func() bool { return len(server.Messages()) >= 2*len(p.made) && p.kept(t, server) })
	client, host := p.arrivedFor(t, server)
	for who := range p.made {
		if client[who] == 0 || host[who] == 0 {
			t.Errorf("%s was promised an invitation; %d have arrived, and %d at the host", who, client[who], host[who])
		}
	}
	t.Logf("seed=%d promised=%d invited=%d outcomes=%v", seed, len(p.made), len(client), outcomes)
	if len(p.made) == 0 {
		t.Error("no client read a success: the kills came too early to tell anything")
	}
}

// TestBackEndCrowd books for many at once through a slow back end, with a
// reload in the middle: each has one invitation, and the host one of each.
func TestBackEndCrowd(t *testing.T) {
	const clients = 500
	backEnd := new(counter)
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		<-time.After(time.Duration(500+rand.IntN(1500)) * time.Millisecond)
		backEnd.ServeHTTP(w, r)
	})
	server := smtptest.Start(t, smtptest.Options{})
	config := backEndSite(upstream, smtpMailer(server.Addr), answerFields)
	caddy := caddytest.Start(t, config)
	p := &promises{made: map[string]bool{}}
	results := make(chan string, clients)
	for _, who := range crowd("client", clients) {
		go func() { results <- p.book(caddy.Client(), who) }()
	}
	<-time.After(time.Second)
	caddy.MustReload(strings.Replace(config, "Practice", "Surgery", 1))
	outcomes := map[string]int{}
	for range clients {
		outcomes[<-results]++
	}
	if outcomes["201 queued"] != clients {
		t.Fatalf("the outcomes are %v", outcomes)
	}
	waitArrived(t, server, 2*clients)
	client, host := p.arrivedFor(t, server)
	for who := range p.made {
		if client[who] != 1 || host[who] != 1 {
			t.Errorf("%s has %d invitations, and the host %d", who, client[who], host[who])
		}
	}
	checkNoErrors(t, caddy)
}
