// Package integration holds the tests that run a real Caddy with the plugin,
// in a process of its own, against real mail servers and with real clients.
//
// There is nothing in it to import. The tests of the other packages show that
// each part does what it should; these show that a user's Caddyfile does.
package integration
