package integration_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// bouncing begins the addresses that the server refuses for good.
const bouncing = "bounce"

// fault is one way to fail: an answer, a closed connection, or silence that
// lasts longer than the client waits.
type fault struct {
	code  int
	drop  bool
	stall bool
}

var (
	dropFault  = fault{drop: true}
	stallFault = fault{stall: true}
)

// chaosFaults are the ways to fail at each step, and how often one is chosen.
// Dropped at the dot, the server has taken the message and does not say so.
var chaosFaults = map[smtptest.Step]struct {
	chance float64
	faults []fault
}{
	smtptest.StepConnect: {0.15, []fault{dropFault, {code: 421}, {code: 451}, stallFault}},
	smtptest.StepAuth:    {0.05, []fault{dropFault, {code: 454}}},
	smtptest.StepMail:    {0.05, []fault{dropFault, {code: 421}, {code: 451}, {code: 452}, stallFault}},
	smtptest.StepRcpt:    {0.05, []fault{dropFault, {code: 421}, {code: 450}, {code: 452}, stallFault}},
	smtptest.StepData:    {0.05, []fault{dropFault, {code: 451}, stallFault}},
	smtptest.StepDataMid: {0.05, []fault{dropFault, {code: 451}, {code: 421}}},
	smtptest.StepDot:     {0.03, []fault{dropFault}},
}

// stallTime is more than the time-out of the site under test.
const stallTime = 1500 * time.Millisecond

// faultyServer is a mail server that fails as often as mail servers do in a
// bad year.
type faultyServer struct {
	*smtptest.Server

	mu      sync.Mutex
	rng     *rand.Rand
	calm    bool
	noLogin time.Time       // until when the login is refused
	enough  map[int]int     // after how many messages a connection is closed
	known   map[string]bool // recipients that passed the greylist
	faults  int
	bounced map[string]int // refusals for good by recipient

	// By connection: when the last DATA came, and what became of its messages.
	begun map[int]time.Time
	taken map[int][]acknowledgment
}

// acknowledgment tells when the server began to take a message, and when it
// had it.
type acknowledgment struct {
	begun, at time.Time
	silent    bool // it was not sent
}

func startFaultyServer(t *testing.T, seed uint64) *faultyServer {
	t.Helper()
	s := &faultyServer{
		rng: rand.New(rand.NewPCG(seed, 1)), enough: map[int]int{}, known: map[string]bool{},
		bounced: map[string]int{}, begun: map[int]time.Time{}, taken: map[int][]acknowledgment{},
	}
	s.Server = smtptest.Start(t, smtptest.Options{Users: map[string]string{secretUser: secret}, Hook: s.hook})
	return s
}

// behave ends the trouble, except for addresses that never existed.
func (s *faultyServer) behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm = true
}

func (s *faultyServer) refuseLogin(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noLogin = time.Now().Add(d)
}

func (s *faultyServer) hook(e smtptest.Event) error {
	f, ok := s.choose(e)
	switch {
	case !ok:
		return nil
	case f.stall:
		<-time.After(stallTime)
		return nil
	case f.drop:
		return smtptest.ErrDrop
	default:
		return answerWith(f.code)
	}
}

func (s *faultyServer) choose(e smtptest.Event) (f fault, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Step == smtptest.StepRcpt && strings.HasPrefix(e.To, bouncing) {
		s.bounced[e.To]++
		return fault{code: 550}, true
	}
	if !s.calm {
		f, ok = s.chooseFault(e)
	}
	if ok {
		s.faults++
	}
	switch e.Step {
	case smtptest.StepData:
		s.begun[e.Connection] = time.Now()
	case smtptest.StepDot:
		s.taken[e.Connection] = append(s.taken[e.Connection], acknowledgment{s.begun[e.Connection], time.Now(), ok})
	}
	return f, ok
}

func (s *faultyServer) chooseFault(e smtptest.Event) (f fault, ok bool) {
	switch {
	case e.Step == smtptest.StepAuth && time.Now().Before(s.noLogin):
		return fault{code: 535}, true
	case e.Step == smtptest.StepMail && s.hadEnough(e):
		return dropFault, true
	case e.Step == smtptest.StepRcpt && s.greylists(e.To):
		return fault{code: 450}, true
	}
	at := chaosFaults[e.Step]
	if s.rng.Float64() >= at.chance {
		return fault{}, false
	}
	return at.faults[s.rng.IntN(len(at.faults))], true
}

// hadEnough makes connections end after some messages.
func (s *faultyServer) hadEnough(e smtptest.Event) bool {
	if s.enough[e.Connection] == 0 {
		s.enough[e.Connection] = 3 + s.rng.IntN(20)
	}
	return e.Message > s.enough[e.Connection]
}

// greylists refuses some recipients at first sight.
func (s *faultyServer) greylists(to string) bool {
	if s.known[to] {
		return false
	}
	s.known[to] = true
	return s.rng.IntN(5) == 0
}
