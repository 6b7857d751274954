package caddyicalmail

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func guardsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/guards.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGuardsPage adapts the page's configs. Options on their own get the
// directive around them.
func TestGuardsPage(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```$").FindAllStringSubmatch(guardsPage(t), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d configs", len(blocks))
	}
	for _, block := range blocks {
		config := block[1]
		if !strings.Contains(config, "ical_invite /") {
			config = "ical_invite {\norganizer booking@example.com\nhost grace@example.org\nfile mails\n" + config + "}\n"
		}
		if !strings.HasPrefix(config, "example.com {") {
			config = "example.com {\n" + config + "}\n"
		}
		adapter := caddyfile.Adapter{ServerType: httpcaddyfile.ServerType{}}
		_, warnings, err := adapter.Adapt([]byte(config), map[string]any{"filename": "Caddyfile"})
		for _, w := range warnings {
			if !strings.Contains(w.Message, "not formatted") {
				t.Errorf("%s\n%s", w.Message, config)
			}
		}
		if err != nil {
			t.Errorf("%v\n%s", err, config)
		}
	}
}

// TestGuardsPageListsReasons: the table has every word, and no other.
func TestGuardsPageListsReasons(t *testing.T) {
	page := guardsPage(t)
	for _, r := range reasons {
		if !strings.Contains(page, fmt.Sprintf("\n| `%s` | ", r)) {
			t.Errorf("%s is not explained", r)
		}
	}
	for _, status := range statuses {
		if !strings.Contains(page, "`"+status+"`") {
			t.Errorf("%s is not mentioned", status)
		}
	}
	_, table, _ := strings.Cut(page, "| reason | status |")
	table, _, _ = strings.Cut(table, "\n\n")
	if rows := strings.Count(table, "\n| `"); rows != len(reasons) {
		t.Errorf("the table has %d rows for %d reasons", rows, len(reasons))
	}
}
