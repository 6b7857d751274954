package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// try accepts a new event under limits at a time.
func (x *suite) try(now time.Time, limits ...store.Limit) error {
	x.Helper()
	a := x.acceptance(x.event("limited-"+x.nextID(), 0))
	a.Now, a.Limits = now, limits
	_, err := x.s.Accept(x.Context(), a)
	return err
}

// limited makes sure that err is a LimitError.
func (x *suite) limited(err error) *store.LimitError {
	x.Helper()
	var limit *store.LimitError
	if !errors.As(err, &limit) {
		x.Fatalf("got %v, want a LimitError", err)
	}
	return limit
}

func testLimit(x *suite) {
	l := store.Limit{Name: "recipient", Counter: "ünï", Max: 3, Window: 24 * time.Hour}
	for i := range 3 {
		x.ok(x.try(start.Add(time.Duration(i)*time.Hour), l))
	}
	now := start.Add(3 * time.Hour)
	before := x.dump()
	refusal := x.limited(x.try(now, l))
	x.equal("store after a refusal", x.dump(), before)
	x.equal("name", refusal.Name, "recipient")
	if refusal.RetryAfter < 21*time.Hour || refusal.RetryAfter > 24*time.Hour {
		x.Fatalf("retry after %s, want about 21 h", refusal.RetryAfter)
	}
	_ = x.limited(x.try(start.Add(24*time.Hour-time.Microsecond), l))
	x.ok(x.try(now.Add(refusal.RetryAfter), l))
	_ = x.limited(x.try(now.Add(refusal.RetryAfter), l))

	other := l
	other.Counter = "somebody else"
	x.ok(x.try(now, other))
	never := store.Limit{Name: "closed", Counter: "never", Max: 0, Window: time.Hour}
	if x.limited(x.try(now, never)).RetryAfter <= 0 {
		x.Fatal("no RetryAfter")
	}
}

func testLimitsTogether(x *suite) {
	narrow := store.Limit{Name: "narrow", Counter: "n", Max: 1, Window: time.Hour}
	wide := store.Limit{Name: "wide", Counter: "w", Max: 3, Window: 24 * time.Hour}
	x.ok(x.try(start, narrow, wide))
	for range 5 { // a refusal by one must not count for the other
		_ = x.limited(x.try(start, narrow, wide))
		_ = x.limited(x.try(start, wide, narrow))
	}
	x.ok(x.try(start, wide))
	x.ok(x.try(start, wide))

	// With both reached, only the longer wait is a true one.
	refusal := x.limited(x.try(start, narrow, wide))
	x.equal("name", refusal.Name, "wide")
	_ = x.limited(x.try(start.Add(2*time.Hour), narrow, wide))
	x.ok(x.try(start.Add(refusal.RetryAfter), narrow, wide))

	// A counter named twice counts once.
	twice := store.Limit{Name: "twice", Counter: "t", Max: 2, Window: time.Hour}
	x.ok(x.try(start, twice, twice))
	x.ok(x.try(start, twice))
	_ = x.limited(x.try(start, twice))
}

// testLimitWindow tries at random times and makes sure that no span of the
// window ever has more than it may, and that RetryAfter is true.
func testLimitWindow(x *suite) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 4 {
		window := []time.Duration{time.Second, 10 * time.Minute, 24 * time.Hour, 100 * time.Microsecond}[round]
		l := store.Limit{Name: "l", Counter: fmt.Sprint("c", round), Max: 1 + random.IntN(5), Window: window}
		var passed []time.Time
		now := start
		for range 150 {
			now = now.Add(time.Duration(random.Int64N(int64(window) / int64(l.Max)))).Truncate(time.Microsecond)
			if err := x.try(now, l); err != nil {
				refusal := x.limited(err)
				if refusal.RetryAfter <= 0 {
					x.Fatalf("retry after %s", refusal.RetryAfter)
				}
				if random.IntN(4) > 0 {
					continue
				}
				now = now.Add(refusal.RetryAfter)
				x.ok(x.try(now, l))
			}
			passed = append(passed, now)
			if n := len(passed); n > l.Max && now.Sub(passed[n-1-l.Max]) < window {
				x.Fatalf("%d acceptances within %s, allowed are %d in %s", l.Max+1, now.Sub(passed[n-1-l.Max]), l.Max, window)
			}
		}
		if len(passed) < 20 {
			x.Fatalf("only %d acceptances passed", len(passed))
		}
	}
}

func testLimitRace(x *suite) {
	l := store.Limit{Name: "total", Counter: "t", Max: 10, Window: time.Hour}
	var passed atomic.Int32
	var all []*store.Acceptance
	for i := range 1000 {
		a := x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example")
		a.Limits = []store.Limit{l}
		all = append(all, a)
	}
	x.together(len(all), func(i int) {
		_, err := x.s.Accept(x.Context(), all[i])
		if err == nil {
			passed.Add(1)
		} else if _, ok := errors.AsType[*store.LimitError](err); !ok {
			x.Error(err)
		}
	})
	x.equal("passed", passed.Load(), int32(10))
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events", stats.Events, 10)
}
