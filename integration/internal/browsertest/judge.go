package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// view is how somebody looks at a page.
type view struct {
	name          string
	width, height int64 // CSS pixels
	media         []*emulation.MediaFeature
}

// views are those that every page has to stand. The narrowest width is the one
// at which WCAG 2.2 (1.4.10) wants nothing to be cut off.
var views = []view{
	{"light", 900, 800, feature("prefers-color-scheme", "light")},
	{"dark", 900, 800, feature("prefers-color-scheme", "dark")},
	{"narrow", 360, 780, feature("prefers-color-scheme", "light")},
	{"narrow-dark", 360, 780, feature("prefers-color-scheme", "dark")},
	{"tiny", 320, 640, feature("forced-colors", "active")},
}

func feature(name, value string) []*emulation.MediaFeature {
	return []*emulation.MediaFeature{{Name: name, Value: value}}
}

// axeRules are the rules of axe-core that pages are held to, as a literal of
// its options.
const axeRules = `{runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}, resultTypes: ["violations"]}`

// AxeVariable names the environment variable with the path of axe-core's
// axe.min.js.
const AxeVariable = "CADDYICALMAIL_AXE"

// FindAxe returns the path of axe-core.
func FindAxe() (string, error) {
	path := os.Getenv(AxeVariable)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s does not name axe.min.js: %w", AxeVariable, err)
	}
	return path, nil
}

// Judge looks at the page in all views: it keeps a picture of each under the
// name, and fails the test if something is cut off or axe-core finds anything.
func (b *Browser) Judge(name string) {
	b.t.Helper()
	for _, v := range views {
		b.look(v)
		b.Screenshot(name + "-" + v.name)
		b.checkWidth(name, v)
		b.axe(name + ", " + v.name)
	}
	b.look(views[0])
}

// look resizes the window and prefers colors.
func (b *Browser) look(v view) {
	b.t.Helper()
	b.do("resizing the window", chromedp.EmulateViewport(v.width, v.height))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: v.media})
	if err != nil {
		b.t.Fatalf("preferring colors: %v", err)
	}
}

// Screenshot keeps a picture of the whole page with the test's artifacts.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	picture := run(b, "taking a picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// checkWidth fails the test if one would have to scroll sideways.
func (b *Browser) checkWidth(name string, v view) {
	b.t.Helper()
	layout, err := chromedp.Call(b.ctx, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		b.t.Fatalf("measuring the page: %v", err)
	}
	if layout.CSSContentSize.Width > float64(v.width) {
		b.t.Errorf("%s: the page is %.0f wide in a window of %d", name, layout.CSSContentSize.Width, v.width)
	}
}

// finding is what axe-core says about a page.
type finding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe runs axe-core, which is the only script that ever runs in the page.
func (b *Browser) axe(name string) {
	b.t.Helper()
	path, err := FindAxe()
	if err != nil {
		b.t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.scripts(true)
	defer b.scripts(false)
	script := string(source) + "\n;axe.run(document, " + axeRules + ").then(r => r.violations)"
	for _, f := range run(b, "running axe-core", chromedp.Evaluate[[]finding](script, chromedp.EvalAwaitPromise)) {
		var where strings.Builder
		for _, node := range f.Nodes {
			fmt.Fprintf(&where, "\n%s\n%s", node.HTML, node.FailureSummary)
		}
		b.t.Errorf("%s: axe-core finds %s (%s)%s", name, f.ID, f.Help, &where)
	}
}
