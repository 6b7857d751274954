// Package browsertest lets tests use a site as a person with a browser does: in
// a headless Chromium, without scripts, and with the eyes of axe-core, which
// judges what assistive technology makes of a page.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// stepTimeout bounds one thing that is done in the browser, on a machine that
// is busy with other tests.
const stepTimeout = time.Minute

// Find returns the path of Chromium, as Debian calls it.
func Find() (string, error) { return exec.LookPath("chromium") }

// Browser is a window of a headless Chromium. Its methods fail the test if
// something cannot be done.
type Browser struct {
	t   *testing.T
	ctx context.Context
}

// Start opens a window. It is closed when the test ends. The browser reaches
// loopback addresses only, runs no scripts, and makes it a failure of the test
// if a page breaks its own Content-Security-Policy.
func Start(t *testing.T) *Browser {
	t.Helper()
	path, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	// t.TempDir would insist that nobody writes there any more.
	profile, err := os.MkdirTemp("", "browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options(path, profile)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	// This starts the process, which lives as long as this context: it must not
	// be one with a step's timeout.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	// Ask it to end well, so that no part of it outlives the profile.
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	b := &Browser{t: t, ctx: ctx}
	b.watch()
	b.scripts(false)
	b.look(views[0])
	return b
}

func options(path, profile string) []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.NoInheritEnv,
		chromedp.Env("HOME="+profile, "PATH="+os.Getenv("PATH")),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.NoSandbox, // there is none for root, and it loads only what tests serve
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), // it is small in containers
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	}
}

// watch reports what a page's policy keeps the browser from.
func (b *Browser) watch() {
	err := chromedp.Listen(b.ctx, func(event any) {
		entry, ok := event.(*log.EventEntryAdded)
		if ok && entry.Entry.Source == log.EntrySourceSecurity {
			b.t.Errorf("the browser complains: %s", entry.Entry.Text)
		}
	})
	if err != nil {
		b.t.Fatalf("listening to the browser: %v", err)
	}
}

// do does something within a step's time.
func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, what, chromedp.Steps(steps...))
}

// run is do for what has a result.
func run[T any](b *Browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return result
}

// load does something that brings another page, and returns its status.
func (b *Browser) load(what string, steps ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err == nil && response == nil {
		err = errors.New("no page was loaded")
	}
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return int(response.Status)
}

// scripts switches the scripts of pages on or off.
func (b *Browser) scripts(on bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: !on})
	if err != nil {
		b.t.Fatalf("switching scripts: %v", err)
	}
}
