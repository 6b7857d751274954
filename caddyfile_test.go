package caddyicalmail

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // the directives around ours
)

// TestAdapt adapts the Caddyfiles in testdata/adapt. Below a line of dashes
// stands the JSON that comes out, or after "error:" a part of the error.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) { checkAdapt(t, file) })
	}
}

func checkAdapt(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	input, want, ok := strings.Cut(string(content), "\n----------\n")
	if !ok {
		t.Fatal("no line of dashes")
	}
	adapter := caddyfile.Adapter{ServerType: httpcaddyfile.ServerType{}}
	adapted, warnings, err := adapter.Adapt([]byte(input+"\n"), map[string]any{"filename": "Caddyfile"})
	if expected, isError := strings.CutPrefix(want, "error: "); isError {
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(expected)) {
			t.Errorf("got error %v, want %s", err, expected)
		}
		return
	}
	if err != nil || len(warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, warnings)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, adapted, "", "\t"); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(input+"\n----------\n"+got.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if got.String() != strings.TrimSpace(want) {
		t.Errorf("got\n%s", got.String())
	}
}

// TestDirectiveErrors has a row for every way to write the directive wrong.
func TestDirectiveErrors(t *testing.T) {
	for _, tt := range []struct{ name, block, want string }{
		{"argument", "ical_invite /a b {\n}", "wrong argument count"},
		{"unknown word", "recipient x", `unrecognized ical_invite option "recipient"`},
		{"no value", "scope", "wrong argument count"},
		{"empty value", `scope ""`, "scope is empty"},
		{"too many values", "scope a b", "wrong argument count"},
		{"twice", "scope a\nscope b", "scope is set twice"},
		{"organizer twice", "organizer a@example.com\norganizer b@example.com", "organizer is set twice"},
		{"organizer's arguments", "organizer a@example.com b c", "wrong argument count"},
		{"hosts empty", "hosts {\n}", "hosts is empty"},
		{"hosts argument", "hosts x {\n}", "wrong argument count"},
		{"host key twice", "hosts {\na a@example.com\na b@example.com\n}", "host a is set twice"},
		{"duration", "duration soon", "parsing duration"},
		{"negative duration", "duration -1h", "must be positive"},
		{"size", "max_size huge", "parsing max_size"},
		{"guests", "max_guests none", "must be a positive whole number"},
		{"property", "fields {\nphone tel\n}", `unknown property "phone"`},
		{"three fields", "fields {\nstart a b c\n}", "wrong argument count"},
		{"property twice", "fields {\nname a\nname b\n}", "name is set twice"},
		{"extra without label", "extra phone", "wrong argument count"},
		{"extra twice", "extra phone Phone\nextra phone Mobile", "extra phone is set twice"},
		{"template part", "template body x", `not for "body"`},
		{"template twice", "template text x\ntemplate text y", "template text is set twice"},
		{"smtp twice", "smtp a:25\nfile b", "there is an smtp or file already"},
		{"smtp without address", "smtp {\n}", "wrong argument count"},
		{"smtp option", "smtp a:25 {\nport 26\n}", `unrecognized smtp option "port"`},
		{"literal password", "smtp a:25 {\nusername u\npassword hunter2\n}", "password must be a placeholder"},
		{"smtp option twice", "smtp a:25 {\nhelo a.b\nhelo c.d\n}", "helo is set twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			input := tt.block
			if !strings.HasPrefix(input, "ical_invite") {
				input = "ical_invite {\n" + input + "\n}"
			}
			err := new(Handler).UnmarshalCaddyfile(caddyfile.NewTestDispenser(input))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "at Testfile:") {
				t.Errorf("got %v, want %q with file and line", err, tt.want)
			}
		})
	}
}

// TestProvisionErrors has a row for what can only be seen when the config is loaded.
func TestProvisionErrors(t *testing.T) {
	const organizer, host, file = "organizer booking@example.com\n", "host grace@example.org\n", "file unused\n"
	for _, tt := range []struct{ name, block, want string }{
		{"no organizer", host + file, "an organizer is required"},
		{"no host", organizer + file, "either a host or hosts is required"},
		{"host and hosts", organizer + host + file + "hosts {\na a@example.com\n}", "not both"},
		{"nowhere to send", organizer + host, "nowhere to send"},
		{"mailer and file", organizer + host + file + "mailer x", "mailer excludes"},
		{"unknown mailer", organizer + host + "mailer x", `there is no mailer "x"`},
		{"organizer is host", organizer + "host Booking+desk@EXAMPLE.com\n" + file, "ignores an invitation that comes from its own user"},
		{"organizer among hosts", organizer + file + "hosts {\na booking@example.com\n}", "same mailbox"},
		{"bad organizer", "organizer booking\n" + host + file, `organizer address "booking" is not an e-mail address`},
		{"long name", organizer + file + "host grace@example.org " + strings.Repeat("x", 81), "longer than 80"},
		{"unset variable", "organizer {env.TEST_NOT_SET}\n" + host + file, "TEST_NOT_SET"},
		{"zone", organizer + host + file + "timezone Mars/Olympus", "IANA"},
		{"errors", organizer + host + file + "errors quietly", `not "quietly"`},
		{"long duration", organizer + host + file + "duration 32d", "at most"},
		{"misspelt placeholder", organizer + host + file + "summary {http.ical_invite.nam}", "unknown placeholder {http.ical_invite.nam}"},
		{"unset variable in a text", organizer + host + file + "location {env.TEST_NOT_SET}", "{env.TEST_NOT_SET} is empty"},
		{"missing template", organizer + host + file + "template html /does/not/exist", "reading template"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := provisionHandler(t, "ical_invite {\n"+tt.block+"\n}")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
