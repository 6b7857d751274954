package integration_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// TestMailServerDown takes bookings while the mail server is down. When it is
// back the messages flow soon, and none has used up attempts.
func TestMailServerDown(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	caddy := hurriedHome(t).Start(t, deliverySite(door.addr, ""))
	taken := bookings{}
	taken.book(t, caddy, "before")
	taken.checkOnce(t, server)

	door.close()
	taken.book(t, caddy, crowd("down", 5)...)
	caddytest.Eventually(t, "there were some attempts", func() bool { return door.refused() >= 8 })
	door.open()
	back := time.Now()
	taken.checkOnce(t, server)
	if took := time.Since(back); took > 5*time.Second {
		t.Errorf("it took %s until the messages flowed again", took)
	}
	caddytest.Eventually(t, "all is recorded", func() bool { return len(entries(caddy, "message sent")) == 2*len(taken) })
	for _, e := range entries(caddy, "message sent") {
		if e["attempts"] != 0.0 {
			t.Errorf("an attempt was counted: %v", e)
		}
	}
	checkNoErrors(t, caddy)
}

// TestLoginRefused lets the server refuse the login for a while: the mailer is
// suspended with one loud line, and no message fails.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	var refused atomic.Bool
	refused.Store(true)
	server := smtptest.Start(t, smtptest.Options{
		Users: map[string]string{secretUser: secret},
		Hook: func(e smtptest.Event) error {
			if e.Step == smtptest.StepAuth && refused.Load() {
				return answerWith(535)
			}
			return nil
		},
	})
	caddy := hurriedHome(t).Start(t, secretSite(server.Addr, "{env.TEST_PASSWORD}"), "TEST_PASSWORD="+secret)
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 3)...)
	caddytest.Eventually(t, "the login was tried again", func() bool { return server.Connections() >= 4 })
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages were sent without a login", n)
	}
	refused.Store(false)
	taken.checkOnce(t, server)
	caddy.WaitLog("mailer resumed")

	loud := 0
	for _, e := range caddy.Logs() {
		if e["level"] == "error" {
			loud++
		}
	}
	const suspended = "MAILER SUSPENDED: the mail server refuses us, all its messages wait until that is mended"
	if n := len(entries(caddy, suspended)); n != 1 || loud != 1 {
		t.Errorf("there are %d errors in the log, %d of them for the suspension", loud, n)
	}
	for _, name := range []string{"ical_invite.suspended", "ical_invite.resumed"} {
		if n := countEvents(caddy, name); n != 1 {
			t.Errorf("there were %d events %s", n, name)
		}
	}
}

// countEvents counts Caddy's events with a name, which the debug log shows.
func countEvents(caddy *caddytest.Caddy, name string) (n int) {
	for _, e := range entries(caddy, "event") {
		if e["name"] == name {
			n++
		}
	}
	return n
}

// TestFailingRecipient: one mailbox that is full for ever is nobody else's
// problem.
func TestFailingRecipient(t *testing.T) {
	t.Parallel()
	var tried atomic.Int32
	server := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
		if e.Step == smtptest.StepRcpt && e.To == addressOf("full") {
			tried.Add(1)
			return answerWith(452)
		}
		return nil
	}})
	caddy := hurriedHome(t).Start(t, deliverySite(server.Addr, ""))
	bookings{}.book(t, caddy, "full")
	caddytest.Eventually(t, "it was tried again", func() bool { return tried.Load() >= 3 })
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 20)...)
	caddytest.Eventually(t, "the others have arrived", func() bool { return len(server.Messages()) == 2*len(taken)+1 })
	caddytest.Eventually(t, "it is still tried", func() bool { return tried.Load() >= 4 })
	if n := len(entries(caddy, "message failed")); n != 0 {
		t.Errorf("%d messages failed", n)
	}
}

// TestPermanentFailure: what is refused for good is not tried again.
func TestPermanentFailure(t *testing.T) {
	t.Parallel()
	var tried atomic.Int32
	server := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
		if e.Step == smtptest.StepRcpt && e.To == addressOf("unknown") {
			tried.Add(1)
			return answerWith(550)
		}
		return nil
	}})
	caddy := hurriedHome(t).Start(t, deliverySite(server.Addr, ""))
	bookings{}.book(t, caddy, "unknown")
	caddy.WaitLog("message failed")
	caddytest.Eventually(t, "the host has the mail", func() bool { return len(server.Messages()) == 1 })
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 5)...)
	caddytest.Eventually(t, "the others have arrived", func() bool { return len(server.Messages()) == 11 })
	caddy = restart(t, caddy, deliverySite(server.Addr, ""))
	taken.book(t, caddy, "later")
	caddytest.Eventually(t, "the last has arrived", func() bool { return len(server.Messages()) == 13 })
	if n := tried.Load(); n != 1 {
		t.Errorf("the message was tried %d times", n)
	}
}

// restart ends a Caddy well and starts it again.
func restart(t *testing.T, caddy *caddytest.Caddy, config string) *caddytest.Caddy {
	t.Helper()
	caddy.Terminate()
	return caddy.Home.Start(t, config)
}

// TestStalledMailer: a server that does not answer holds up its own messages,
// not those of another.
func TestStalledMailer(t *testing.T) {
	t.Parallel()
	stalled := newStall(smtptest.StepRcpt)
	slow := smtptest.Start(t, smtptest.Options{Hook: stalled.hook})
	t.Cleanup(stalled.release)
	quick := smtptest.Start(t, smtptest.Options{})
	caddy := hurriedHome(t).Start(t, site(deliveryDirective("/slow", slow.Addr, "")+"\n"+deliveryDirective("/book", quick.Addr, "")))
	waiting, taken := bookings{}, bookings{}
	for _, who := range crowd("slow", 10) {
		answer := caddy.PostJSON("/slow", bookingOf(who))
		if answer.Status != http.StatusAccepted {
			t.Fatalf("booking of %s: %d %s", who, answer.Status, answer.Body)
		}
		waiting[uidOf(t, answer.Body)] = addressOf(who)
	}
	caddytest.Eventually(t, "all connections stall", func() bool { return stalled.waiting() >= 4 })
	taken.book(t, caddy, crowd("quick", 10)...)
	taken.checkOnce(t, quick)
	if n := len(slow.Messages()); n != 0 {
		t.Errorf("the stalled server has %d messages", n)
	}
	stalled.release()
	waiting.checkOnce(t, slow)
}

// TestMailerVanishes takes a mailer out of the config whose messages wait:
// they go on waiting, which the log says, until it is back.
func TestMailerVanishes(t *testing.T) {
	t.Parallel()
	first, second := smtptest.Start(t, smtptest.Options{}), smtptest.Start(t, smtptest.Options{})
	door := newGate(t, first.Addr)
	door.close()
	withFirst, withSecond := mailerSite("first", door.addr), mailerSite("second", second.Addr)
	caddy := hurriedHome(t).Start(t, withFirst)
	waiting, taken := bookings{}, bookings{}
	waiting.book(t, caddy, "early")
	caddy.WaitLog("mail server not usable, message waits")

	caddy.MustReload(withSecond)
	const vanished = "messages wait for a mailer that the config does not have"
	caddy.WaitLog(vanished)
	if e := entries(caddy, vanished)[0]; e["level"] != "error" || e["mailer"] != "first" || e["messages"] != 2.0 {
		t.Errorf("the log says %v", e)
	}
	door.open()
	taken.book(t, caddy, "late")
	taken.checkOnce(t, second)
	if n := len(first.Messages()); n != 0 {
		t.Errorf("the mailer that is gone has sent %d messages", n)
	}
	caddy = restart(t, caddy, withSecond)
	caddy.WaitLog(vanished)
	caddy.MustReload(withFirst)
	waiting.checkOnce(t, first)
}

// mailerSite is a site with one mailer that has a name.
func mailerSite(name, server string) string {
	return "{\n\tical_invite {\n\t\tmailer " + name + " {\n\t\t\tsmtp " + server + " {\n\t\t\t\ttls off\n\t\t\t\ttimeout 2s\n\t\t\t}\n\t\t}\n\t}\n}\n" +
		site(`ical_invite {
		organizer booking@example.com
		host `+deliveryHost+`
		mailer `+name+`
	}`)
}
