package integration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// TestExclusiveCrowd lets a thousand clients want one slot of a real Caddy,
// through a crash as well.
func TestExclusiveCrowd(t *testing.T) {
	home := caddytest.NewHome(t)
	config := fileSite("exclusive\nlimit total 100000 1h")
	caddy := home.Start(t, config)
	count := rivals(t, caddy, "ada", 1000)
	if count[http.StatusAccepted] != 1 || count[http.StatusConflict] != 999 {
		t.Fatalf("statuses %v", count)
	}
	caddy.WaitMails(t, 2)
	caddy.Kill()
	caddy = home.Start(t, config)
	if count := rivals(t, caddy, "bob", 20); count[http.StatusConflict] != 20 {
		t.Errorf("after a crash: statuses %v", count)
	}
	if n := len(caddy.Mails(t)); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// rivals books one slot by many at once, each overlapping it a little
// differently, and counts the answers by status.
func rivals(t *testing.T, caddy *caddytest.Caddy, name string, clients int) map[int]int {
	t.Helper()
	client := caddy.Client()
	statuses := make(chan int)
	turns := make(chan struct{}, 128) // connections at a time
	for i := range clients {
		go func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			statuses <- bookAt(t, client, name, i)
		}()
	}
	count := map[int]int{}
	for range clients {
		count[<-statuses]++
	}
	return count
}

func bookAt(t *testing.T, client *http.Client, name string, i int) int {
	body, err := json.Marshal(map[string]string{
		"name": "Ada", "email": fmt.Sprintf("%s%d@example.net", name, i),
		"start": booked().Add(time.Duration(i%60) * time.Minute).Format(time.RFC3339),
	})
	if err != nil {
		t.Error(err)
		return 0
	}
	resp, err := client.Post("http://site.test/book", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
