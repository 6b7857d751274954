package booking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fieldMap maps properties to fields, written "property field field".
func fieldMap(t testing.TB, lines ...string) map[Property][]Path {
	t.Helper()
	return withFields(t, new(Rules), lines...).Fields
}

// jsonInput returns an input with a JSON body.
func jsonInput(t testing.TB, f fields) Input {
	t.Helper()
	return Input{ContentType: "application/json", Body: f.json(t)}
}

// mustDecode decodes the input and fails unless that works.
func mustDecode(t testing.TB, in Input, rules *Rules) *Booking {
	t.Helper()
	b, err := in.Decode(rules, testNow)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return b
}

// TestInputPrecedence sends every text in the body, the answer and by header.
func TestInputPrecedence(t *testing.T) {
	all := []Property{PropName, PropDescription, PropHost, PropLocale, PropSummary, PropLocation, PropGuests, PropID, PropAction, PropRRule, PropExdate, PropTimezone}
	show := func(b *Booking, p Property) string {
		switch p {
		case PropGuests:
			return strings.TrimSuffix(b.Guests[0].Address.String(), "@x.yz")
		case PropExdate:
			return b.Exdates[0]
		}
		return fmt.Sprint(map[Property]any{
			PropName: b.Client.Name, PropDescription: b.Notes, PropHost: b.HostKey, PropLocale: b.Locale, PropSummary: b.Summary,
			PropLocation: b.Location, PropID: b.ID, PropAction: b.Action, PropRRule: b.RRule, PropTimezone: b.Zone,
		}[p])
	}
	for _, p := range all {
		values := []string{"v1", "v2", "v3"}
		switch p {
		case PropLocale:
			values = []string{"de", "fr", "it"}
		case PropAction:
			values = []string{"create", "update", "cancel"}
		case PropTimezone:
			values = []string{"Asia/Tokyo", "Asia/Kolkata", "Asia/Seoul"}
		}
		send := func(s string) string {
			if p == PropGuests {
				return s + "@x.yz"
			}
			return s
		}
		for n, want := range values {
			t.Run(fmt.Sprint(p, n), func(t *testing.T) {
				rules := withFields(t, testRules(t), "summary summary", "location location", "guests guests", "id id", "action action", "rrule rrule", "exdate exdate")
				rules.HostKeys = []string{"v1", "v2", "v3"}
				in := jsonInput(t, good(fields{"host": "v1", string(p): send(values[0])}))
				in.Trusted = true
				in.AnswerFields = map[Property][]Path{p: {mustPath(t, "/a/0/b")}}
				in.Answer = fields{"a": []any{fields{"b": nil}}}.json(t)
				in.Steer = map[Property]string{p: " "}
				if n > 0 {
					in.Answer = fields{"a": []any{fields{"b": send(values[1])}}, "name": "not asked for"}.json(t)
				}
				if n > 1 {
					in.Steer[p] = send(values[2])
				}
				b := mustDecode(t, in, rules)
				if got := show(b, p); got != want || !b.Has(p) || b.Ignored != nil {
					t.Errorf("got %q, want %q (has %t, ignored %q)", got, want, b.Has(p), b.Ignored)
				}
			})
		}
	}
}

// TestInputTrust looks at what only trusted sources may say.
func TestInputTrust(t *testing.T) {
	const url = "https://meet.example/j/1?pwd=a@b"
	long := "https://meet.example/" + strings.Repeat("x", 300)
	tests := []struct {
		name                 string
		trusted              bool
		body, answer         fields
		steer                map[Property]string
		id, client, location string
	}{
		{"public body", false, fields{"id": "b1", "location": url}, nil, nil, "", "Ada", "https meet. example/j/1?pwd=a b"},
		{"public body, bad id", false, fields{"id": []any{}}, nil, nil, "", "Ada", ""},
		{"signed body", true, fields{"id": "b1", "location": url, "name": "see www.x.com"}, nil, nil, "b1", "see www x. com", url},
		{"answer", false, fields{"id": "b1", "location": "x"}, fields{"id": 42, "url": url}, nil, "42", "Ada", url},
		{"answer without", false, fields{"id": "b1", "location": "www.x.com"}, fields{"id": "a1", "url": ""}, nil, "a1", "Ada", "www x. com"},
		{"header", false, nil, nil, map[Property]string{PropID: "s\r\n1\u202e", PropLocation: long, PropName: "a@b.com"}, "s 1", "a b. com", long},
		{"large number", false, nil, fields{"id": 1 << 60}, nil, "1152921504606846976", "Ada", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := withFields(t, testRules(t), "id id", "location location")
			in := jsonInput(t, good(tt.body))
			in.Trusted, in.Steer = tt.trusted, tt.steer
			if tt.answer != nil {
				in.Answer, in.AnswerFields = tt.answer.json(t), fieldMap(t, "id id", "location url")
			}
			b := mustDecode(t, in, rules)
			if string(b.ID) != tt.id || b.Has(PropID) != (tt.id != "") || string(b.Client.Name) != tt.client || string(b.Location) != tt.location {
				t.Errorf("got id %q, name %q, location %q", b.ID, b.Client.Name, b.Location)
			}
		})
	}
}

func TestInputRefuses(t *testing.T) {
	tests := []struct {
		name   string
		answer fields
		steer  map[Property]string
		want   string
	}{
		{"id too long", fields{"id": strings.Repeat("é", 256)}, nil, "id: is longer than 255 characters"},
		{"id object", fields{"id": fields{}}, nil, "id: must be text, not an object"},
		{"id of bidi", nil, map[Property]string{PropID: "\u202e"}, "id: has nothing that can be seen"},
		{"half an id", fields{"nr": 5}, nil, "tenant: is missing"},
		{"summary too long", fields{"sum": strings.Repeat("x", 1001)}, nil, "sum: is longer than 1000 characters"},
		{"host", nil, map[Property]string{PropHost: "nobody"}, "host: is not one of the hosts on offer"},
		{"time", nil, map[Property]string{PropStart: "soon"}, "start: " + problemTime},
		{"organizer", nil, map[Property]string{PropEmail: "bookings@example.org"}, "email: " + problemOrganizer},
		{"guests", nil, map[Property]string{PropGuests: "x"}, "guests: guest 1 " + errAddressNoAt.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := testRules(t)
			rules.HostKeys = []string{"anna"}
			in := jsonInput(t, good(fields{"host": "anna"}))
			in.Steer = tt.steer
			if tt.answer != nil {
				in.Answer, in.AnswerFields = tt.answer.json(t), fieldMap(t, "id id", "summary sum")
			}
			if tt.answer["nr"] != nil {
				in.AnswerFields = fieldMap(t, "id tenant nr")
			}
			b, err := in.Decode(rules, testNow)
			if got := refused(t, b, err); !slices.Equal(got, []string{tt.want}) || errors.Is(err, ErrIgnored) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestInputAnswer leaves out an answer that cannot be read, and says so.
func TestInputAnswer(t *testing.T) {
	deep := `{"a":` + strings.Repeat("[", 1000)
	tests := []struct{ name, answer, fields, ignored string }{
		{"good", `{"id":7}`, "id id", ""},
		{"not wanted", `secret`, "", ""},
		{"empty", "", "id id", "the back end's answer: malformed body: it is empty"},
		{"not JSON", "<secret>", "id id", "the back end's answer: malformed body: it is not valid JSON near byte 0"},
		{"cut", `{"id":`, "id id", "the back end's answer: malformed body: the JSON ends early"},
		{"list", `[{"id":1}]`, "id id", "the back end's answer: malformed body: the JSON is not an object"},
		{"deep", deep, "id id", "the back end's answer: malformed body: the JSON is nested deeper than 32 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := jsonInput(t, good(nil))
			in.Answer = []byte(tt.answer)
			if tt.fields != "" {
				in.AnswerFields = fieldMap(t, tt.fields)
			}
			b := mustDecode(t, in, testRules(t))
			if got := strings.Join(b.Ignored, "; "); got != tt.ignored || (b.ID == "7") != (tt.name == "good") {
				t.Errorf("got %q, id %q", got, b.ID)
			}
			in.Body = fields{"name": "Ada", "email": "ada@example.com"}.json(t)
			b, err := in.Decode(testRules(t), testNow)
			if got := refused(t, b, err); !slices.Equal(got, []string{"start: is missing"}) {
				t.Errorf("got %q", got)
			}
			if errors.Is(err, ErrIgnored) != (tt.ignored != "") || errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.ignored) {
				t.Errorf("got %v", err)
			}
		})
	}
	in := jsonInput(t, good(nil))
	in.AnswerFields = fieldMap(t, "id id")
	if b := mustDecode(t, in, testRules(t)); b.Ignored != nil {
		t.Errorf("no answer at all is reported: %q", b.Ignored)
	}
}

func TestInputLenient(t *testing.T) {
	answer := good(fields{"id": 1}).json(t)
	for _, tt := range []struct{ name, contentType, body, ignored string }{
		{"empty", "application/json", "", ""},
		{"nothing", "", "", ""},
		{"other type", "application/xml", "<x/>", "the request's body: unsupported media type"},
		{"malformed", "application/json", "{", "the request's body: malformed body: the JSON ends early"},
		{"form", formType, "%zz", "the request's body: malformed body"},
		{"good", "application/json", `{"description":"n"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{ContentType: tt.contentType, Body: []byte(tt.body), Answer: answer, AnswerFields: fieldMap(t, "name name", "email email", "start start", "id id")}
			if _, err := in.Decode(testRules(t), testNow); (err == nil) != (tt.name == "good") {
				t.Errorf("not lenient: %v", err)
			}
			in.Lenient = true
			rules := testRules(t)
			rules.Extra = []ExtraField{{mustPath(t, "x"), "X"}}
			b := mustDecode(t, in, rules)
			got := strings.Join(b.Ignored, "; ")
			if b.ID != "1" || (b.Notes == "n") != (tt.name == "good") || (got == "") != (tt.ignored == "") || !strings.HasPrefix(got, tt.ignored) {
				t.Errorf("got %s", mustJSON(t, b))
			}
		})
	}
	in := Input{ContentType: "text/plain", Body: []byte("x"), Lenient: true}
	b, err := in.Decode(testRules(t), testNow)
	if got := refused(t, b, err); len(got) != 3 || !errors.Is(err, ErrIgnored) || errors.Is(err, ErrMediaType) {
		t.Errorf("got %q, %v", got, err)
	}
}
