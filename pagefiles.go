package caddyicalmail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
)

// The files that pages consist of, besides the pages themselves.
const (
	pageStyle = "page.css"
	pageBase  = "page_base.html"  // what stands before and after each page
	pageParts = "page_parts.html" // what several pages have in common
)

// maxPageFile bounds each file of an operator's pages, in bytes.
const maxPageFile = 256 << 10

// pages are the parsed pages of one handler, and the policies under which
// browsers show them.
type pages struct {
	templates map[string]*template.Template // by file name

	// answers is the policy of the pages that answer a booking form, which may
	// stand in a frame of the same site. On all others something can be
	// pressed, which no frame may hide.
	answers, actions string
}

// loadPages parses the pages: the operator's where there are such, else the
// built-in ones. They are tried out, so that a mistake in one is found when
// the config is loaded.
func loadPages(files *TemplateFiles, repl *caddy.Replacer) (*pages, error) {
	sources, err := builtinPages()
	if err != nil {
		return nil, err
	}
	own := files != nil && files.Pages != ""
	if own {
		dir, err := repl.ReplaceOrErr(files.Pages, true, true)
		if err != nil {
			return nil, fmt.Errorf("expanding the directory of the pages: %w", err)
		}
		if err := replacePages(sources, dir); err != nil {
			return nil, err
		}
	}
	p := new(pages)
	p.setPolicies(sources[pageStyle], own)
	if p.templates, err = parsePages(sources); err != nil {
		return nil, err
	}
	return p, p.try()
}

// builtinPages are the texts of the built-in pages' files, by name.
func builtinPages() (map[string]string, error) {
	found, err := fs.Glob(builtinTemplates, "templates/page*")
	if err != nil {
		return nil, fmt.Errorf("listing the pages: %w", err)
	}
	sources := make(map[string]string, len(found))
	for _, file := range found {
		source, err := builtinTemplates.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a built-in page: %w", err)
		}
		sources[path.Base(file)] = string(source)
	}
	return sources, nil
}

// replacePages puts the files of a directory in the place of the built-in ones
// of the same names. A file that replaces nothing has a misspelled name;
// hidden ones are left to those who put them there.
func replacePages(sources map[string]string, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the directory of the pages: %w", err)
	}
	replaced := 0
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if _, known := sources[name]; !known {
			return fmt.Errorf("there is no page %q to replace: the names are %s", name, pageNames(sources))
		}
		if sources[name], err = readPage(filepath.Join(dir, name)); err != nil {
			return err
		}
		replaced++
	}
	if replaced == 0 {
		return fmt.Errorf("directory %q holds no pages: the names are %s", dir, pageNames(sources))
	}
	return nil
}

// pageNames lists the names that there are, for error messages.
func pageNames(sources map[string]string) string {
	names := make([]string, 0, len(sources))
	for name := range sources {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// readPage reads a file as a browser will see it: the hash of a style sheet
// that the browser has normalized otherwise would not match.
func readPage(file string) (string, error) {
	source, err := readBounded(file, maxPageFile)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(source) || bytes.ContainsRune(source, 0) {
		return "", fmt.Errorf("%q is not UTF-8 text", file)
	}
	source = bytes.TrimPrefix(source, []byte("\uFEFF"))
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	return string(bytes.ReplaceAll(source, []byte("\r"), []byte("\n"))), nil
}

// setPolicies allows the style sheet that the pages hold, and nothing else. An
// operator's own pages may also use style sheets, images and fonts from their
// own site, but still no script.
func (p *pages) setPolicies(css string, own bool) {
	sum := sha256.Sum256([]byte(css))
	base := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if own {
		base += " 'self'; img-src 'self' data:; font-src 'self'"
	}
	base += "; base-uri 'none'; "
	p.answers = base + "form-action 'none'; frame-ancestors 'self'"
	p.actions = base + "form-action 'self'; frame-ancestors 'none'"
}

// policy is the Content-Security-Policy of a page.
func (p *pages) policy(name string) string {
	switch name {
	case "page_thanks.html", "page_pending.html", "page_error.html":
		return p.answers
	}
	return p.actions
}

// parsePages parses each page together with a copy of what they share, so that
// what one of them defines stays its own.
func parsePages(sources map[string]string) (map[string]*template.Template, error) {
	css := template.CSS(sources[pageStyle])
	shared := template.New("").Funcs(template.FuncMap{
		"css": func() template.CSS { return css },
	})
	for _, name := range []string{pageParts, pageBase} {
		if _, err := shared.New(name).Parse(sources[name]); err != nil {
			return nil, fmt.Errorf("parsing %s: %w", name, err)
		}
	}
	parsed := make(map[string]*template.Template)
	for name, source := range sources {
		if name == pageStyle || name == pageParts || name == pageBase {
			continue
		}
		t, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("preparing %s: %w", name, err)
		}
		if parsed[name], err = t.New(name).Parse(source); err != nil {
			return nil, fmt.Errorf("parsing %s: %w", name, err)
		}
	}
	return parsed, nil
}

// try renders each page in all the states that it has to show.
func (p *pages) try() error {
	var errs []error
	for name, t := range p.templates {
		for _, sample := range samplePages(name) {
			if err := t.Execute(io.Discard, sample); err != nil {
				errs = append(errs, fmt.Errorf("trying out %s: %w", name, err))
				break
			}
		}
	}
	return errors.Join(errs...)
}
