package caddyicalmail

import (
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// fillTexts sets all texts in v, in copies of what it points to.
func fillTexts(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			fresh := reflect.New(v.Elem().Type())
			fresh.Elem().Set(v.Elem())
			fillTexts(fresh.Elem(), text)
			v.Set(fresh)
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			fillTexts(fresh.Index(i), text)
		}
		v.Set(fresh)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fillTexts(field, text)
			}
		}
	}
}

// checkMarkup checks what all pages promise: nothing inline, nothing from
// elsewhere, no script, and names for everything that can be filled in.
func checkMarkup(t *testing.T, text string) {
	t.Helper()
	root := parsePage(t, text)
	count := make(map[string]int)
	ids := make(map[string]int)
	labels := make(map[string]bool)
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		count[node.Data]++
		if id := attr(node, "id"); id != "" {
			ids[id]++
		}
		if node.Data == "label" {
			labels[attr(node, "for")] = true
		}
		for _, a := range node.Attr {
			if a.Key == "style" || a.Key == "src" || a.Key == "action" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the attribute %s", node.Data, a.Key)
			}
		}
	}
	for _, name := range []string{"script", "link", "img", "iframe", "object", "base"} {
		if count[name] > 0 {
			t.Errorf("there is a <%s>", name)
		}
	}
	for _, name := range []string{"h1", "title", "main", "style"} {
		if count[name] != 1 {
			t.Errorf("there are %d <%s>", count[name], name)
		}
	}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			checkElement(t, node, ids, labels)
		}
	}
}

func checkElement(t *testing.T, node *html.Node, ids map[string]int, labels map[string]bool) {
	t.Helper()
	switch node.Data {
	case "html":
		if attr(node, "lang") == "" {
			t.Error("the page has no language")
		}
	case "input", "textarea":
		if attr(node, "type") != "hidden" && !labels[attr(node, "id")] {
			t.Errorf("field %s has no label", attr(node, "name"))
		}
	case "form":
		if attr(node, "method") != "post" {
			t.Error("a form does not post")
		}
	case "a":
		if strings.HasPrefix(attr(node, "href"), "http") && attr(node, "rel") != "noopener noreferrer" {
			t.Errorf("the link to %s tells where it stands", attr(node, "href"))
		}
	}
	for _, key := range []string{"aria-describedby", "aria-labelledby", "for"} {
		for id := range strings.FieldsSeq(attr(node, key)) {
			if ids[id] != 1 {
				t.Errorf("%s %q: %d elements", key, id, ids[id])
			}
		}
	}
}

func parsePage(t *testing.T, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attr(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(node *html.Node, key string) bool {
	for _, a := range node.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}
