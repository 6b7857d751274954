package caddyicalmail

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestMetricsInEveryConfig: each config's registry shows every result from the
// start, and a later config goes on counting.
func TestMetricsInEveryConfig(t *testing.T) {
	var first float64
	for i := range 2 {
		h := new(Handler)
		if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(minimalDirective)); err != nil {
			t.Fatal(err)
		}
		ctx, err := caddy.ProvisionContext(&caddy.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Provision(ctx); err != nil {
			t.Fatal(err)
		}
		if err := registerMetrics(ctx.GetMetricsRegistry()); err != nil {
			t.Errorf("a second time: %v", err)
		}
		got := gather(t, ctx.GetMetricsRegistry())
		for _, word := range []string{"queued", "pending", "failed", "honeypot", "captcha_unavailable", "error"} {
			if _, ok := got[word]; !ok {
				t.Errorf("there is no %s among %v", word, got)
			}
		}
		if len(got) != len(statuses)+len(reasons) {
			t.Errorf("%d results", len(got))
		}
		if i == 0 {
			first = got["queued"]
			countTaken(statusQueued)
		} else if got["queued"] != first+1 {
			t.Errorf("a reload set the counter from %v to %v", first+1, got["queued"])
		}
	}
}

// gather returns what a scrape would show, by result.
func gather(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, family := range families {
		if family.GetName() != "caddy_ical_invite_bookings_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			found[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return found
}

func TestTakenBookingsAreCounted(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	queued, duplicate := counts(t, "queued", 1), counts(t, "duplicate", 1)
	for range 2 {
		if w, err := serve(t, h, post(jsonType, goodJSON)); err != nil || w.Code != 202 {
			t.Fatal(err, w.Code)
		}
	}
	queued()
	duplicate()
	if err := out.store.Close(); err != nil {
		t.Fatal(err)
	}
	check := counts(t, "store", 1)
	if _, err := serve(t, h, post(jsonType, with(t, map[string]any{"name": "Bob"}))); statusOf(err) != 503 {
		t.Error(err)
	}
	check()

	h = newHandler(t, passThruOnly)
	capture(t, h)
	queued = counts(t, "queued", 1)
	if _, err := serveNext(h, post(jsonType, goodJSON), statusOK); err != nil {
		t.Error(err)
	}
	queued()
	skipped := counts(t, "skipped", 1)
	if _, err := serveNext(h, post(jsonType, "{}"), statusOK); err != nil {
		t.Error(err)
	}
	skipped()
}

// TestReasons has a row for what other tests do not come to.
func TestReasons(t *testing.T) {
	for want, err := range map[reason]error{
		reasonLimitTotal: &store.LimitError{Name: limitTotal},
		reasonSettled:    errGoneEvent,
		reasonSlotTaken:  storeError(store.ErrSlotTaken),
		reasonCaptcha:    storeError(&store.LimitError{Name: limitCaptcha}),
		reasonStore:      storeError(store.ErrNoSpace),
		reasonError:      errors.New("whatever"),
		reasonFields:     booking.FieldErrors{{Field: "name", Detail: "is missing"}},
	} {
		if got := reasonOf(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	seen := make(map[reason]bool)
	for _, r := range reasons {
		if seen[r] || strings.ContainsAny(string(r), " -") {
			t.Errorf("%s", r)
		}
		seen[r] = true
	}
}

func TestSlotTakenNamesTheStart(t *testing.T) {
	h := newHandler(t, guarded("fields {\nstart when\n}"))
	detail, fields := h.explain(storeError(store.ErrSlotTaken))
	if detail == "" || len(fields) != 1 || fields[0].Field != "when" || statusOf(store.ErrSlotTaken) != http.StatusConflict {
		t.Errorf("%s, %v", detail, fields)
	}
}
