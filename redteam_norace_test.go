//go:build !race

package caddyicalmail

// redteamSample tries the table of attacks out in full.
const redteamSample = 1
