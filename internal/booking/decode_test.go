package booking

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// testNow is the moment at which tests decode, a winter's day in Berlin.
var testNow = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)

// testRules returns rules like those of a usual handler.
func testRules(t testing.TB) *Rules {
	t.Helper()
	return &Rules{
		Zone:      mustZone(t, "Europe/Berlin"),
		Duration:  30 * time.Minute,
		Organizer: mustAddress(t, "bookings@example.org"),
		MaxGuests: 3,
	}
}

// withFields maps properties to fields, written "property field field".
func withFields(t testing.TB, r *Rules, lines ...string) *Rules {
	t.Helper()
	r.Fields = make(map[Property][]Path)
	for _, line := range lines {
		words := strings.Fields(line)
		p, err := ParseProperty(words[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words[1:] {
			r.Fields[p] = append(r.Fields[p], mustPath(t, word))
		}
	}
	return r
}

// fields are what a form or a JSON object sends.
type fields map[string]any

// good returns a complete booking with the given fields changed.
func good(changes fields) fields {
	all := fields{"name": "Ada", "email": "ada@example.com", "start": "2027-03-05T10:30:00+01:00"}
	maps.Copy(all, changes)
	return all
}

func (f fields) json(t testing.TB) []byte {
	t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// form encodes the fields that are text or lists of text.
func (f fields) form() []byte {
	values := url.Values{}
	for k, v := range f {
		switch v := v.(type) {
		case string:
			values.Set(k, v)
		case []string:
			values[k] = v
		}
	}
	return []byte(values.Encode())
}

const formType = "application/x-www-form-urlencoded"

// decodeJSON decodes the fields and fails unless that works.
func decodeJSON(t testing.TB, f fields, rules *Rules) *Booking {
	t.Helper()
	b, err := Decode("application/json", f.json(t), rules, testNow)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return b
}

// refusals decodes the fields and returns the field errors as "field: detail".
func refusals(t testing.TB, f fields, rules *Rules) []string {
	t.Helper()
	b, err := Decode("application/json", f.json(t), rules, testNow)
	return refused(t, b, err)
}

func refused(t testing.TB, b *Booking, err error) []string {
	t.Helper()
	var errs FieldErrors
	if !errors.As(err, &errs) || b != nil {
		t.Fatalf("got %v, %v, want field errors", b, err)
	}
	var all []string
	for _, e := range errs {
		all = append(all, e.Error())
	}
	return all
}

func TestDecodeEverything(t *testing.T) {
	rules := withFields(t, testRules(t), "summary subject", "location /place/room", "guests guests")
	rules.HostKeys = []string{"anna", "ben"}
	rules.Extra = []ExtraField{
		{mustPath(t, "phone"), "Telephone"}, {mustPath(t, "topics"), "Topics"},
		{mustPath(t, "consent"), "Consent"}, {mustPath(t, "nothing"), "Nothing"},
	}
	b := decodeJSON(t, fields{
		"name": " Dr.Ada  Lovelace ", "email": "ada@müller.example", "start": "2027-03-05T10:30", "end": "2027-03-05T11:00:00+01:00",
		"duration": "30m", "timezone": "America/New_York", "description": "a\r\nb", "locale": "de_de", "host": "ben",
		"subject": "see http://evil.example", "place": fields{"room": "Room 3.5"}, "guests": []any{"bo@example.com"},
		"phone": 4930, "topics": []any{"tax", nil, "law"}, "consent": true, "unknown": []any{},
	}, rules)
	want := Booking{
		Client:   Person{mustAddress(t, "ada@müller.example"), "Dr.Ada Lovelace"},
		Guests:   []Person{{mustAddress(t, "bo@example.com"), ""}},
		HostKey:  "ben",
		Start:    time.Date(2027, 3, 5, 9, 30, 0, 0, time.UTC),
		End:      time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC),
		Length:   30 * time.Minute,
		Zone:     mustZone(t, "America/New_York"),
		Summary:  "see http evil. example",
		Location: "Room 3.5",
		Notes:    "a\nb",
		Extra:    []Answer{{"Telephone", "4930"}, {"Topics", "tax, law"}, {"Consent", "yes"}},
		Locale:   "de-DE",
		Given: setOf(PropName, PropEmail, PropStart, PropEnd, PropDuration, PropTimezone, PropDescription,
			PropLocale, PropHost, PropSummary, PropLocation, PropGuests),
	}
	if got, want := mustJSON(t, b), mustJSON(t, &want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b.Zone != want.Zone {
		t.Errorf("zone %v, want %v", b.Zone, want.Zone)
	}
	checkBooking(t, b, rules)
}

// mustJSON shows a booking in a form that can be compared.
func mustJSON(t testing.TB, b *Booking) string {
	t.Helper()
	data, err := json.Marshal(struct {
		*Booking
		Zone string
	}{b, b.Zone.String()})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDecodeNeedsNoOptions decodes with the zero Rules.
func TestDecodeNeedsNoOptions(t *testing.T) {
	b := decodeJSON(t, good(fields{"subject": "x", "summary": "x", "location": "x", "guests": "b@example.com", "host": []any{}}), &Rules{})
	if b.End.Sub(b.Start) != DefaultDuration || b.Zone != time.UTC || b.HostKey != "" || b.Guests != nil || b.Summary != "" || b.Location != "" {
		t.Errorf("got %s", mustJSON(t, b))
	}
}

// TestDecodeReportsEverything wants all errors at once, in their order.
func TestDecodeReportsEverything(t *testing.T) {
	rules := withFields(t, testRules(t), "name first last", "start date time", "guests guests", "summary subject")
	rules.HostKeys = []string{"anna"}
	rules.Extra = []ExtraField{{mustPath(t, "phone"), "Telephone"}}
	got := refusals(t, fields{
		"first": []any{"x"}, "email": "a@b@c", "date": "2027-03-05", "end": "whenever", "duration": "long", "timezone": "Mars",
		"description": fields{}, "host": "nobody", "subject": strings.Repeat("x", 101), "guests": "a@example.com,b", "phone": fields{"a": 1},
	}, rules)
	want := []string{
		"first: must be text, not a list",
		"email: has more than one @",
		"time: is missing",
		"end: " + problemTime,
		"duration: " + problemDuration,
		"timezone: is not an IANA time zone name such as Europe/Berlin",
		"description: must be text, not an object",
		"host: is not one of the hosts on offer",
		"subject: is longer than 100 characters",
		"guests: guest 2 is not an e-mail address: it has no @",
		"phone: must be text, not an object",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDecodeMissing(t *testing.T) {
	for name, f := range map[string]fields{
		"absent": {}, "null": {"name": nil, "email": nil, "start": nil}, "blank": {"name": " ", "email": "\t\u00a0", "start": ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := []string{"name: is missing", "email: is missing", "start: is missing"}
			if got := refusals(t, f, testRules(t)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestDecodeTexts holds every hostile text that a name must survive.
func TestDecodeTexts(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"placeholder", "{env.HOME}", "{env.HOME}"},
		{"template", "{{.}}a", "{{.}}a"},
		{"script", "</script>", "</script>"},
		{"parameter", "a; PARTSTAT=ACCEPTED", "a; PARTSTAT=ACCEPTED"},
		{"quotes and commas", `Doe, "J" O'Neil; x`, `Doe, "J" O'Neil; x`},
		{"line break", "a\r\nATTENDEE:mailto:evil", "a ATTENDEE: mailto evil"},
		{"nul", "a\x00b", "a b"},
		{"bidi", "\u202eada", "ada"},
		{"encoded word", "=?utf-8?b?x?=", "= ?utf-8?b?x?="},
		{"link", "https://evil.example/a@b", "https evil. example/a b"},
		{"80 characters", strings.Repeat("é", 80), strings.Repeat("é", 80)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good(fields{"name": tt.in})
			b := decodeJSON(t, f, testRules(t))
			if string(b.Client.Name) != tt.want {
				t.Errorf("got %q, want %q", b.Client.Name, tt.want)
			}
			asForm, err := Decode(formType, f.form(), testRules(t), testNow)
			if err != nil || asForm.Client.Name != b.Client.Name {
				t.Errorf("the form gives %v, %v", asForm, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change fields
		want   string
	}{
		{"name too long", fields{"name": strings.Repeat("é", 81)}, "name: is longer than 80 characters"},
		{"name of punctuation", fields{"name": "?!"}, "name: has no letters or digits"},
		{"name of bidi", fields{"name": "\u202e"}, "name: has no letters or digits"},
		{"name list", fields{"name": []any{"a"}}, "name: must be text, not a list"},
		{"name object", fields{"name": fields{}}, "name: must be text, not an object"},
		{"name bool", fields{"name": true}, "name: must be text, not true or false"},
		{"email number", fields{"email": 1}, "email: is not an e-mail address: it has no @"},
		{"email crlf", fields{"email": "a@example.com\r\nBcc: b"}, "email: " + errAddressDomain.Error()},
		{"email display name", fields{"email": "A <a@example.com>"}, "email: " + errAddressPlain.Error()},
		{"email long", fields{"email": strings.Repeat("a", 300) + "@example.com"}, "email: " + errAddressLocal.Error()},
		{"organizer", fields{"email": "Bookings+x@EXAMPLE.org"}, "email: is the address that sends the invitations"},
		{"notes too long", fields{"description": strings.Repeat("é", 2001)}, "description: is longer than 2000 characters"},
		{"zone list", fields{"timezone": []any{}}, "timezone: must be text, not a list"},
		{"zone path", fields{"timezone": "../etc/passwd"}, "timezone: is not an IANA time zone name such as Europe/Berlin"},
		{"zone Local", fields{"timezone": "Local"}, "timezone: is not an IANA time zone name such as Europe/Berlin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := refusals(t, good(tt.change), testRules(t)); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDecodeLocale(t *testing.T) {
	for in, want := range map[any]string{
		"de": "de", "pt-br": "pt-BR", "zh_Hant_TW": "zh-Hant-TW", "de-DE,de;q=0.9": "", "": "", "x": "", "und": "",
		"klingon-language": "", strings.Repeat("a-", 1<<19): "", true: "", 5: "",
	} {
		if b := decodeJSON(t, good(fields{"locale": in}), testRules(t)); b.Locale != want {
			t.Errorf("locale %.40v became %q, want %q", in, b.Locale, want)
		}
	}
}

func TestDecodeHost(t *testing.T) {
	rules := testRules(t)
	rules.HostKeys = []string{"anna"}
	if got := refusals(t, good(nil), rules); !slices.Equal(got, []string{"host: is missing"}) {
		t.Errorf("got %q", got)
	}
	for _, bad := range []string{"Anna", "anna ", "ann"} {
		if got := refusals(t, good(fields{"host": bad}), rules); !slices.Equal(got, []string{"host: is not one of the hosts on offer"}) {
			t.Errorf("%q: got %q", bad, got)
		}
	}
	if b := decodeJSON(t, good(fields{"host": "anna"}), rules); b.HostKey != "anna" {
		t.Errorf("got %q", b.HostKey)
	}
}

func TestDecodeExtra(t *testing.T) {
	rules := testRules(t)
	rules.Extra = []ExtraField{{mustPath(t, "x"), "X"}}
	tests := []struct {
		in         any
		want, fail string
	}{
		{"a\r\nb", "a\nb", ""},
		{false, "no", ""},
		{5, "5", ""},
		{[]any{}, "", ""},
		{[]any{"a", 1, true, nil, " "}, "a, 1, yes", ""},
		{[]any{[]any{}}, "", "x: must be text or a list of texts"},
		{[]any{fields{}}, "", "x: must be text or a list of texts"},
		{fields{}, "", "x: must be text, not an object"},
		{strings.Repeat("a", 501), "", "x: is longer than 500 characters"},
		{nil, "", ""},
	}
	for _, tt := range tests {
		f := good(fields{"x": tt.in})
		if tt.fail != "" {
			if got := refusals(t, f, rules); !slices.Equal(got, []string{tt.fail}) {
				t.Errorf("%.40v: got %q, want %q", tt.in, got, tt.fail)
			}
			continue
		}
		got := ""
		for _, a := range decodeJSON(t, f, rules).Extra {
			got += string(a.Value)
		}
		if got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
