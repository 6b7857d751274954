package caddyicalmail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestFormToken books with forms of all ages.
func TestFormToken(t *testing.T) {
	s := startSite(t, ownDirective("form_token /token {\nmin_age 5s\nmax_age 1h\n}"))
	w := s.get("https://example.com/token")
	text := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || text == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	with := func(token string, i int) string {
		return fmt.Sprintf(`{"name":"Ada","email":"ada%d@example.net","start":"2027-03-05T10:30","form_token":%q}`, i, token)
	}
	for i, tt := range []struct {
		age    time.Duration
		token  string
		status int
	}{
		{0, text, 403}, {4 * time.Second, text, 403}, {5 * time.Second, text, 202}, {time.Hour - time.Second, text, 202},
		{time.Hour, text, 403}, {time.Minute, "", 403}, {time.Minute, text[:20], 403}, {time.Minute, text + "A", 403},
	} {
		s.time.set(testNow.Add(tt.age))
		if w := s.book(with(tt.token, i)); w.Code != tt.status {
			t.Errorf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	s.time.set(testNow.Add(time.Minute))
	for i := range 5 {
		if w, want := s.book(with(text, 10+i)), 202; i < 3 && w.Code != want {
			t.Errorf("use %d: %d %s", i, w.Code, w.Body)
		} else if i >= 3 && w.Code == want {
			t.Errorf("use %d was taken", i)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://example.com/token", http.NoBody)
	r.Header.Set("Accept", "application/json")
	var reply struct{ Token string }
	if err := json.Unmarshal(s.visit(r).Body.Bytes(), &reply); err != nil || reply.Token == "" || reply.Token == text {
		t.Errorf("the JSON token is %q (%v)", reply.Token, err)
	}
}
