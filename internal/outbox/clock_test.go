package outbox

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	wall := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	var mono time.Duration
	c := &clock{wall: func() time.Time { return wall }, mono: func() time.Duration { return mono }}
	pass := func(d time.Duration) { wall, mono = wall.Add(d), mono+d }
	check := func(what string, want time.Time, wantSuspect bool) {
		t.Helper()
		if got, suspect := c.now(); !got.Equal(want) || suspect != wantSuspect {
			t.Errorf("%s: %s, suspect %v; want %s, %v", what, got, suspect, want, wantSuspect)
		}
	}
	check("at first", wall, false)
	pass(time.Minute)
	check("a minute later", wall, false)

	before := wall
	wall = wall.Add(-24 * time.Hour)
	pass(time.Minute)
	check("set back by a day", before.Add(time.Minute), false)
	if c.late(wall.Add(time.Hour)) {
		t.Error("late by a clock that was set right")
	}
	wall = wall.Add(24 * time.Hour)
	check("set right again", before.Add(time.Minute), false)

	wall = wall.Add(365 * 24 * time.Hour)
	pass(time.Second)
	check("set forward by a year", wall, true)
	if c.late(wall.Add(-time.Hour)) {
		t.Error("late because the clock was set forward")
	}
	pass(jumpGrace / 2)
	check("a little later", wall, true)
	pass(jumpGrace)
	check("when that is a while ago", wall, false)
}
