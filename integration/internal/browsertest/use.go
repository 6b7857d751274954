package browsertest

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

// Open opens an address and returns the status of what it leads to.
func (b *Browser) Open(url string) int {
	b.t.Helper()
	return b.load("opening "+url, chromedp.Navigate(url))
}

// Click clicks on the button, link or heading of a folded part of that name,
// and stays on the page.
func (b *Browser) Click(name string) {
	b.t.Helper()
	b.do("clicking on "+name, click(name))
}

// Follow clicks on what has that name, and returns the status of the page that
// this leads to.
func (b *Browser) Follow(name string) int {
	b.t.Helper()
	return b.load("following "+name, click(name))
}

func click(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(fmt.Sprintf(
		`//*[self::button or self::a or self::summary][normalize-space()=%s]`, quote(name)), chromedp.NodeVisible)
}

// Type types text into the empty visible field whose label begins so.
func (b *Browser) Type(label, text string) {
	b.t.Helper()
	b.do("filling in "+label, chromedp.SendKeys(field(label), text, chromedp.NodeVisible))
}

// Pick sets the visible field whose label begins so to a value of the form in
// which forms send it, as one does by the calendar of a field for a time.
func (b *Browser) Pick(label, value string) {
	b.t.Helper()
	b.do("picking "+label, chromedp.SetValue(field(label), value, chromedp.NodeVisible))
}

// Value is what the visible field whose label begins so holds.
func (b *Browser) Value(label string) string {
	b.t.Helper()
	return run(b, "reading "+label, chromedp.Value(field(label), chromedp.NodeVisible))
}

// Title is what the browser calls the page.
func (b *Browser) Title() string {
	b.t.Helper()
	return run(b, "reading the title", chromedp.Title())
}

// field finds what a label is for, as assistive technology does: among those
// that are to be seen, because two folded forms may ask for the same.
func field(label string) string {
	return fmt.Sprintf(`//*[@id=//label[starts-with(normalize-space(), %s)]`+
		`[not(ancestor::details) or ancestor::details[@open]]/@for]`, quote(label))
}

// Forge changes what a CSS selector finds in a way that no person can.
func (b *Browser) Forge(selector, attribute, value string) {
	b.t.Helper()
	b.do("forging "+selector, chromedp.SetAttributeValue(chromedp.CSSAll(selector), attribute, value))
}

// quote makes an XPath string of one that holds only one kind of quotes.
func quote(s string) string {
	if strings.Contains(s, `"`) {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// Text is what can be read on the page as it is laid out.
func (b *Browser) Text() string {
	b.t.Helper()
	return run(b, "reading the page", chromedp.Text(chromedp.CSS("body")))
}

// Has fails the test if the page lacks one of the texts.
func (b *Browser) Has(texts ...string) {
	b.t.Helper()
	all := b.Text()
	for _, text := range texts {
		if !strings.Contains(all, text) {
			b.t.Errorf("%q is missing on the page:\n%s", text, all)
		}
	}
}

// Lacks fails the test if the page has one of the texts.
func (b *Browser) Lacks(texts ...string) {
	b.t.Helper()
	all := b.Text()
	for _, text := range texts {
		if strings.Contains(all, text) {
			b.t.Errorf("%q should not be on the page:\n%s", text, all)
		}
	}
}

// Link is where the link of that name leads to.
func (b *Browser) Link(name string) string {
	b.t.Helper()
	return run(b, "reading the link "+name, chromedp.AttributeValue(
		fmt.Sprintf(`//a[normalize-space()=%s]`, quote(name)), "href")).Value
}
