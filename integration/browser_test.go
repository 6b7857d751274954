package integration_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// webForm is a form as a browser understands it.
type webForm struct {
	action  *url.URL
	method  string
	enctype string
	api     string // what the script of the single-page app posts to
	fields  url.Values
}

// findForm reads the form of a page and fills it in as a client would.
func findForm(t *testing.T, page *url.URL, text string) *webForm {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data == "form" {
			return readForm(t, page, node)
		}
	}
	t.Fatalf("there is no form in the page:\n%s", text)
	return nil
}

func readForm(t *testing.T, page *url.URL, node *html.Node) *webForm {
	t.Helper()
	action, err := page.Parse(attribute(node, "action"))
	if err != nil {
		t.Fatal(err)
	}
	form := &webForm{
		action:  action,
		method:  strings.ToUpper(attribute(node, "method")),
		enctype: attribute(node, "enctype"),
		api:     attribute(node, "data-api"),
		fields:  url.Values{},
	}
	for field := range node.Descendants() {
		if name := attribute(field, "name"); name != "" {
			if value, ok := typeInto(field, name); ok {
				form.fields.Add(name, value)
			}
		}
	}
	return form
}

// typeInto is what a client enters into a field. Fields that only a program
// would fill in are left as they are.
func typeInto(field *html.Node, name string) (string, bool) {
	switch field.Data {
	case "textarea":
		return "Please call me first.\r\nThank you!", true
	case "select":
		return firstOption(field), true
	case "input":
		return typeIntoInput(field, name)
	}
	return "", false
}

func typeIntoInput(field *html.Node, name string) (string, bool) {
	preset := attribute(field, "value")
	switch strings.ToLower(attribute(field, "type")) {
	case "submit", "button", "reset", "image", "file":
		return "", false
	case "checkbox", "radio":
		if preset == "" {
			preset = "on"
		}
		return preset, true
	case "hidden":
		return preset, true
	case "email":
		return "ada@example.net", true
	case "datetime-local":
		return booked().Format("2006-01-02T15:04"), true
	case "date":
		return booked().Format("2006-01-02"), true
	case "time":
		return booked().Format("15:04"), true
	case "tel":
		return "+44 20 7946 0000", true
	case "number":
		return "1", true
	}
	// Nobody who uses a browser sees a trap for robots.
	if attribute(field, "tabindex") == "-1" {
		return preset, true
	}
	if strings.Contains(strings.ToLower(name), "last") {
		return "Lovelace", true
	}
	return "Ada", true
}

// firstOption is the value of the first choice that says something.
func firstOption(selection *html.Node) string {
	for option := range selection.Descendants() {
		if option.Data != "option" {
			continue
		}
		if value := attribute(option, "value"); value != "" {
			return value
		}
	}
	return ""
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// request is what the browser sends when the form is submitted.
func (f *webForm) request(t *testing.T) *http.Request {
	t.Helper()
	if f.enctype != "multipart/form-data" {
		return caddytest.Request(t, f.method, f.action.String(), "application/x-www-form-urlencoded", f.fields.Encode())
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range f.fields {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return caddytest.Request(t, f.method, f.action.String(), w.FormDataContentType(), body.String())
}
