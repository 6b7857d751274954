//go:build race

package caddyicalmail

// redteamSample thins the table of attacks out, because the race detector makes
// each of them ten times as slow. The step and the number of attacks have no
// common factor, so that each attack and each field still has its turns.
const redteamSample = 11
