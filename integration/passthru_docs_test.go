package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// backEndPages are the pages whose configs are tried out.
var backEndPages = []string{"backend.md", "webhooks.md", "from-node-webhook.md"}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// blocks are the code blocks of a page in one language.
func blocks(t *testing.T, page, language string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no code in %s", page, language)
	}
	return found
}

// TestBackEndPages loads each config of the pages. Options on their own get
// the directive around them.
func TestBackEndPages(t *testing.T) {
	env := []string{"SMTP_PASSWORD=not used", "WEBHOOK_SECRET=" + exampleSecret}
	for _, page := range backEndPages {
		for _, config := range blocks(t, page, "caddyfile") {
			name, _, _ := strings.Cut(config, "\n")
			t.Run(page+"/"+name, func(t *testing.T) {
				if !strings.HasPrefix(config, "example.com {") {
					config = "example.com {\n\tical_invite {\n\torganizer booking@example.com\n\thost grace@example.org\n\tfile mails\n" + config + "\n}\n}\n"
				}
				home := caddytest.NewHome(t)
				r := home.Command(t, env, "validate", "--adapter", "caddyfile", "--config", home.WriteCaddyfile(t, config))
				if r.ExitCode != 0 {
					t.Errorf("caddy validate ended with status %d:\n%s\n%s", r.ExitCode, r.Stderr, config)
				}
			})
		}
	}
}

// pageOfForm is a browser, as far as the page's script needs one.
const pageOfForm = `{
  const output = {};
  const form = {
    action: process.argv[2],
    addEventListener: (_, submit) => submit({ preventDefault() {} }).then(() => console.log(output.value)),
    querySelector: () => output,
  };
  const fields = Object.entries(JSON.parse(process.argv[3]));
  globalThis.document = { querySelector: () => form };
  globalThis.FormData = class extends Map { constructor() { super(fields); } };
}
`

// TestFormScript runs the script of the page in Node, against a Caddy.
func TestFormScript(t *testing.T) {
	need(t, "node")
	script := filepath.Join(t.TempDir(), "script.js")
	text := pageOfForm + blocks(t, "from-node-webhook.md", "js")[0]
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	config := strings.Replace(fileSite("timezone Europe/Berlin"), "http:// {\n\tbind {$SITE}", "http://"+address+" {", 1)
	caddy := caddytest.Start(t, config)
	for fields, want := range map[string]string{
		bookingJSON(booked(), ""):           "Booked: see your mail.",
		`{"name":"Ada","start":"tomorrow"}`: "email",
	} {
		out, err := exec.CommandContext(t.Context(), "node", script, "http://"+address+"/webhook", fields).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("the script says %q (%v), want %q", out, err, want)
		}
	}
	caddy.WaitMails(t, 2)
}
