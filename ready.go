package caddyicalmail

import (
	"net"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// reportReady logs where the site can be reached and where mail goes, so that
// a newcomer sees what to open and what to expect.
func (a *App) reportReady(ctx caddy.Context) {
	a.observer.logger.Info("ready to take bookings", zap.Strings("addresses", siteAddresses(ctx)))
	for key, t := range a.transports {
		a.observer.logger.Info("mailer ready", zap.String("mailer", key), zap.String("destination", t.describe()))
	}
}

// siteAddresses are the URLs of the config's HTTP servers, as far as they can
// be told from the addresses on which they listen.
func siteAddresses(ctx caddy.Context) []string {
	loaded, err := ctx.AppIfConfigured("http")
	if err != nil {
		return nil
	}
	site, ok := loaded.(*caddyhttp.App)
	if !ok {
		return nil
	}
	var urls []string
	for _, server := range site.Servers {
		scheme := "http"
		if len(server.TLSConnPolicies) > 0 {
			scheme = "https"
		}
		for _, listen := range server.Listen {
			if url := siteAddress(scheme, listen); url != "" {
				urls = append(urls, url)
			}
		}
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

// siteAddress is the URL of a listener; sockets have none.
func siteAddress(scheme, listen string) string {
	address, err := caddy.ParseNetworkAddress(listen)
	if err != nil || address.IsUnixNetwork() || address.PortRangeSize() != 1 {
		return ""
	}
	host := address.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(address.StartPort)))
}
