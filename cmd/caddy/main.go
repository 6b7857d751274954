// Command caddy is Caddy with its standard modules, the ical_invite plugin and
// an embedded time zone database, so that it runs in an empty container.
package main

import (
	_ "time/tzdata" // time zones for systems without /usr/share/zoneinfo

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddyicalmail/caddyicalmail"
)

func main() {
	caddycmd.Main()
}
