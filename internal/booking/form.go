package booking

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// maxParts bounds the parts of a multipart body, and the pairs of a form.
const maxParts = 1000

// formSource holds what a form sent, by field name.
type formSource map[string][]string

// find returns a string, or a []any of strings for a field that was sent more
// than once.
func (s formSource) find(p Path) any {
	values := s[p.String()]
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	list := make(repeated, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// repeated is the list of values of a form field that was sent several times.
type repeated []any

// parseForm reads application/x-www-form-urlencoded.
func parseForm(body []byte) (source, error) {
	if bytes.Count(body, []byte("&")) >= maxParts {
		return nil, malformed("it has more than 1000 fields")
	}
	// Browsers encode a semicolon, scripts often forget to. It has not been a
	// separator for a long time (WHATWG URL, section 5.1), so it is text.
	values, err := url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
	if err != nil {
		return nil, malformed("a percent sign in the form is not followed by two hexadecimal digits")
	}
	return formSource(values), nil
}

// parseMultipart reads multipart/form-data (RFC 7578). Files are skipped.
func parseMultipart(body []byte, boundary string) (source, error) {
	if boundary == "" {
		return nil, malformed("the Content-Type has no boundary")
	}
	form := formSource{}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) && isWholeMultipart(body, boundary) {
			return form, nil
		}
		if err != nil {
			return nil, malformed("a part of the multipart form is damaged or cut off")
		}
		if err := form.addPart(part); err != nil {
			return nil, err
		}
	}
	return nil, malformed("it has more than 1000 fields")
}

// isWholeMultipart reports whether the closing boundary is there. The reader
// says io.EOF also about a body that ends right after another boundary.
func isWholeMultipart(body []byte, boundary string) bool {
	closing := []byte("--" + boundary + "--")
	return bytes.HasPrefix(body, closing) || bytes.Contains(body, append([]byte("\n"), closing...))
}

// addPart keeps the value of a part, unless it is a file or has no name.
func (s formSource) addPart(part *multipart.Part) error {
	disposition := part.Header.Get("Content-Disposition")
	kind, params, err := mime.ParseMediaType(disposition)
	if err != nil || kind != "form-data" {
		return malformed("a part of the multipart form has no valid Content-Disposition")
	}
	// A file input that was left empty sends filename="", and is no text either.
	if _, isFile := params["filename"]; isFile {
		return nil
	}
	value, err := io.ReadAll(part)
	if err != nil {
		return malformed("a part of the multipart form is damaged or cut off")
	}
	if name := params["name"]; name != "" {
		s[name] = append(s[name], string(value))
	}
	return nil
}
