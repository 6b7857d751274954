package outbox

import (
	"math/rand/v2"
	"time"
)

// retryDelays is how long to wait after the first, second, … failed attempt.
// The last one goes on for ever.
var retryDelays = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// jitter spreads retries by up to a fifth in both directions, so that what
// failed together does not come back together.
const jitter = 0.2

// retryDelay is how long to wait after the given number of failed attempts.
func retryDelay(attempts int) time.Duration {
	i := min(max(attempts, 1), len(retryDelays)) - 1
	spread := 1 + jitter*(2*rand.Float64()-1)
	return time.Duration(float64(retryDelays[i]) * spread)
}

// pauseDelays are how long a lane waits after the mail server could not be
// reached, and refusalDelays after it refused the login or the like. The first
// recovers fast after a restart of the server, the second spares it useless
// logins, which some servers answer with a ban.
var (
	pauseDelays   = [...]time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}
	refusalDelays = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
)

// pauseDelay is how long to wait after the given number of vain attempts in a
// row to get a session.
func pauseDelay(class Class, attempts int) time.Duration {
	if class == Refused {
		return refusalDelays[min(max(attempts, 1), len(refusalDelays))-1]
	}
	return pauseDelays[min(max(attempts, 1), len(pauseDelays))-1]
}
