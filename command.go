package caddyicalmail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "ical-invite",
		Usage: "<command>",
		Short: "Looks after the bookings of ical_invite",
		Long: `
Looks after the bookings that the running Caddy has taken. The commands talk to
its admin API, whose address they find as caddy reload does: by --address, by
the config file that --config names, or else it is the default.`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(eraseCommand())
		},
	})
}

// maxTypedAddress bounds what is read from standard input, in bytes.
const maxTypedAddress = 1024

var errNoTypedAddress = errors.New("standard input has no e-mail address, or more than one line")

// eraseCommand is `caddy ical-invite erase`.
func eraseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "erase [--config <path> [--adapter <name>]] [--address <interface>] <e-mail address>|-",
		Short: "Erases every booking of a client or guest",
		Long: `
Erases the bookings of which an address is, or was, the client's or a guest's,
with their mails, also those that are not sent yet. It tells how many there were.

With - the address is read from standard input, so that neither the shell's
history nor the list of processes shows it. Mails that were sent, calendars and
access logs are not in the store: see docs/privacy.md.`,
		Example: "  caddy ical-invite erase --config /etc/caddy/Caddyfile - < address.txt",
		Args:    cobra.ExactArgs(1),
	}
	addAdminFlags(cmd)
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(fl caddycmd.Flags) (int, error) {
		if err := runErase(fl, cmd.InOrStdin(), cmd.OutOrStdout()); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

// addAdminFlags adds the flags by which Caddy's own commands find the admin API.
func addAdminFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("config", "c", "", "Configuration file to use to parse the admin address, if --address is not used")
	cmd.Flags().StringP("adapter", "a", "", "Name of config adapter to apply (when --config is used)")
	cmd.Flags().StringP("address", "", "", "The address to use to reach the admin API endpoint, if not the default")
}

// runErase asks the running Caddy to erase an address.
func runErase(fl caddycmd.Flags, in io.Reader, out io.Writer) error {
	address, err := typedAddress(fl.Arg(0), in)
	if err != nil {
		return err
	}
	var done erased
	if err := postAdmin(fl, pathErase, map[string]string{"address": address}, &done); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d events erased\n", done.Events)
	return err
}

// typedAddress is the argument, or the only line of standard input.
func typedAddress(argument string, in io.Reader) (string, error) {
	if argument != "-" {
		return argument, nil
	}
	typed, err := io.ReadAll(io.LimitReader(in, maxTypedAddress))
	if err != nil {
		return "", fmt.Errorf("reading standard input: %w", err)
	}
	address := strings.TrimSpace(string(typed))
	if address == "" || strings.ContainsAny(address, "\r\n") {
		return "", errNoTypedAddress
	}
	return address, nil
}

// postAdmin posts JSON to the admin API and decodes the answer.
func postAdmin(fl caddycmd.Flags, path string, body, answer any) error {
	admin, err := caddycmd.DetermineAdminAPIAddress(fl.String("address"), nil, fl.String("config"), fl.String("adapter"))
	if err != nil {
		return fmt.Errorf("finding the address of the admin API: %w", err)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	response, err := caddycmd.AdminAPIRequest(admin, http.MethodPost, path, nil, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("asking the running Caddy: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
