package bolt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// chaos is how long TestCrash goes on.
var chaos = flag.Duration("chaos", 2*time.Second, "how long to kill the store again and again")

// crashFile tells the test binary that it is the process to be killed.
const crashFile = "CADDYICALMAIL_CRASH_FILE"

// TestCrash kills a process that accepts and delivers at random moments, and
// looks for everything it had acknowledged.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		crashing(t, path)
		return
	}
	path := testPath(t)
	accepted, sent := make(map[string]bool), make(map[string]bool)
	end := time.Now().Add(*chaos)
	for round := 0; round < 3 || time.Now().Before(end); round++ {
		crashOnce(t, path, round, accepted, sent)
		checkAfterCrash(t, path, accepted, sent)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d accepted, %d sent", len(accepted), len(sent))
	if len(accepted) == 0 || len(sent) == 0 {
		t.Error("nothing happened before the crashes")
	}
}

// crashOnce runs the process for a while and notes what it acknowledged.
func crashOnce(t *testing.T, path string, round int, accepted, sent map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), crashFile+"="+path, fmt.Sprint("CADDYICALMAIL_CRASH_ROUND=", round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Duration(100+rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		what, uid, ok := strings.Cut(lines.Text(), " ")
		switch {
		case ok && what == "accepted":
			accepted[uid] = true
		case ok && what == "sent":
			sent[uid] = true
		}
	}
	_ = cmd.Wait()
}

func checkAfterCrash(t *testing.T, path string, accepted, sent map[string]bool) {
	t.Helper()
	ctx := context.Background()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	checkIndexes(t, s)
	for uid := range accepted {
		_, messages, err := s.Event(ctx, uid)
		if err != nil || len(messages) != 1 {
			t.Fatalf("event %s: %d messages, %v", uid, len(messages), err)
		}
		if sent[uid] && messages[0].State != store.Sent {
			t.Fatalf("event %s was sent and is %s", uid, messages[0].State)
		}
		if _, _, err := s.Reply(ctx, "key "+uid, testStart); err != nil {
			t.Fatalf("key of %s: %v", uid, err)
		}
		if n := len(takenBy(t, s, uid)); n != 1 {
			t.Fatalf("event %s occupies %d slots", uid, n)
		}
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for after := ""; ; {
		page, err := s.List(ctx, store.Filter{After: after})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all += len(page)
		after = page[len(page)-1].ID
	}
	if all != stats.Events {
		t.Fatalf("%d events with %d messages", stats.Events, all)
	}
	for _, j := range mustClaim(t, s, testStart.Add(time.Hour), 1<<20) {
		if !bytes.Equal(j.Raw, testBody(j.UID)) {
			t.Fatalf("body of %s is wrong", j.UID)
		}
		if !j.Attempted {
			t.Fatalf("message %s cannot be known to be unseen", j.ID)
		}
	}
}

// crashing is the process that is killed.
func crashing(t *testing.T, path string) {
	ctx := context.Background()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	say := func(what, uid string) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(what, uid)
	}
	round := os.Getenv("CADDYICALMAIL_CRASH_ROUND")
	for worker := range 16 {
		go func() {
			for i := 0; ; i++ {
				uid := fmt.Sprintf("%s-%d-%d", round, worker, i)
				_, err := s.Accept(ctx, withSlot(testAcceptance(t, uid)))
				if err == nil {
					say("accepted", uid)
				}
			}
		}()
	}
	for {
		jobs, err := s.Claim(ctx, testMailer, testStart, 4, time.Hour)
		for _, j := range jobs {
			err = errors.Join(err, s.Settle(ctx, store.Outcome{Lease: j.Lease, State: store.Sent, Now: testStart}))
			if err == nil {
				say("sent", j.UID)
			}
		}
		if err != nil {
			say("failed", err.Error())
		}
	}
}
