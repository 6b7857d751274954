package booking

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxNesting bounds how deep JSON may be nested, and with it the recursion.
const maxNesting = 32

// jsonSource is a JSON object whose values are nil, bool, string, json.Number,
// []any or map[string]any.
type jsonSource map[string]any

func (s jsonSource) find(p Path) any { return p.lookup(s) }

// parseJSON reads exactly one JSON object. All errors are ErrMalformed.
func parseJSON(body []byte) (source, error) {
	body = bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, malformed("it is empty")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, malformed("the JSON is not an object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("something follows after the JSON object")
	}
	return jsonSource(object), nil
}

// JSONValue returns the text of the string, number or boolean at a path of a
// JSON body, as "when" conditions compare it. ok is false if there is none, or
// if the body is not an object that Decode would read.
func JSONValue(body []byte, p Path) (text string, ok bool) {
	src, err := parseJSON(body)
	if err != nil || p.IsZero() {
		return "", false
	}
	switch v := src.find(p).(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// readValue reads the next value, depth levels below the top.
func readValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, malformed(fmt.Sprintf("the JSON is nested deeper than %d levels", maxNesting))
	}
	token, err := nextToken(dec)
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, depth)
	case json.Delim('['):
		return readList(dec, depth)
	}
	return token, nil
}

// readObject reads an object after its opening brace.
func readObject(dec *json.Decoder, depth int) (any, error) {
	object := make(map[string]any)
	for dec.More() {
		token, err := nextToken(dec)
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, malformed("it is not valid JSON")
		}
		if _, dup := object[key]; dup {
			// The key is not named: it is the client's text, and may be a name.
			return nil, malformed(fmt.Sprintf("a JSON key near byte %d appears twice in one object", dec.InputOffset()))
		}
		v, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		object[key] = v
	}
	_, err := nextToken(dec)
	return object, err
}

// readList reads a list after its opening bracket.
func readList(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		v, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := nextToken(dec)
	return list, err
}

// nextToken reads a token and puts what is wrong into plain words. The
// decoder's own errors are not repeated, because they quote the input.
func nextToken(dec *json.Decoder) (json.Token, error) {
	token, err := dec.Token()
	switch {
	case err == nil:
		return token, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, malformed("the JSON ends early")
	}
	return nil, malformed(fmt.Sprintf("it is not valid JSON near byte %d", dec.InputOffset()))
}

// malformed makes an ErrMalformed that says in plain words what is wrong.
func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
