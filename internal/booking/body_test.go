package booking

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMediaTypes(t *testing.T) {
	good := string(good(nil).json(t))
	form := "name=Ada&email=ada%40example.com&start=2027-03-05T10%3A30"
	tests := []struct {
		contentType, body string
		want              error
	}{
		{"application/json", good, nil},
		{"Application/JSON; charset=UTF-8", good, nil},
		{"application/json;", good, nil},
		{"application/json; charset=us-ascii", good, nil},
		{"application/cloudevents+json; charset=\"utf-8\"", good, nil},
		{"application/json; charset=iso-8859-1", good, ErrMediaType},
		{formType, form, nil},
		{formType + "; charset=utf-8", form, nil},
		{formType + "; charset=windows-1252", form, ErrMediaType},
		{"", good, ErrMediaType},
		{"/", good, ErrMediaType},
		{"json", good, ErrMediaType},
		{"text/plain", good, ErrMediaType},
		{"text/json", good, ErrMediaType},
		{"application/xml", good, ErrMediaType},
		{"multipart/mixed; boundary=x", good, ErrMediaType},
		{"application/json, text/plain", good, ErrMediaType},
		{"multipart/form-data", good, ErrMalformed},
		{"multipart/form-data; boundary", good, ErrMalformed},
		{"application/json", form, ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.contentType, func(t *testing.T) {
			b, err := Decode(tt.contentType, []byte(tt.body), testRules(t), testNow)
			if !errors.Is(err, tt.want) || (b == nil) != (tt.want != nil) {
				t.Errorf("got %v, %v, want %v", b, err, tt.want)
			}
		})
	}
}

func TestMalformedJSON(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"empty", "", "it is empty"},
		{"blank", "\xEF\xBB\xBF \n", "it is empty"},
		{"cut", `{"name":"Ad`, "the JSON ends early"},
		{"cut after a key", `{"name"`, "the JSON ends early"},
		{"cut after a value", `{"name":"a",`, "the JSON ends early"},
		{"cut list", `{"name":["a"`, "the JSON ends early"},
		{"list", `[]`, "the JSON is not an object"},
		{"text", `"secret"`, "the JSON is not an object"},
		{"null", `null`, "the JSON is not an object"},
		{"trailing garbage", `{} secret`, "something follows after the JSON object"},
		{"two objects", `{}{}`, "something follows after the JSON object"},
		{"duplicate key", `{"a":1,"a":2}`, "a JSON key near byte 10 appears twice in one object"},
		{"duplicate key, escaped", `{"a":1,"\u0061":2}`, "a JSON key near byte 15 appears twice in one object"},
		{"duplicate key, deep", `{"x":[{"a":1,"a":1}]}`, "a JSON key near byte 16 appears twice in one object"},
		{"duplicate key, long", `{"` + strings.Repeat("k", 41) + `":1,"` + strings.Repeat("k", 41) + `":1}`, "a JSON key near byte 90 appears twice in one object"},
		{"no colon", `{"a" secret}`, "it is not valid JSON near byte 5"},
		{"no comma", `{"a":1 "b":2}`, "it is not valid JSON near byte 7"},
		{"comma too many", `{"a":[1,]}`, "it is not valid JSON near byte 8"},
		{"wrong bracket", `{"a":[1}`, "it is not valid JSON near byte 7"},
		{"control character", "{\"a\":\"\n\"}", "it is not valid JSON near byte 5"},
		{"not a number", `{"a":01}`, ""},
		{"nested 10000 deep", `{"a":` + strings.Repeat("[", 10000), "the JSON is nested deeper than 32 levels"},
		{"nested 33 deep", `{"a":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + "}", "the JSON is nested deeper than 32 levels"},
		{"nested objects", strings.Repeat(`{"a":`, 10000), "the JSON is nested deeper than 32 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode("application/json", []byte(tt.body), testRules(t), testNow)
			if b != nil || !errors.Is(err, ErrMalformed) {
				t.Fatalf("got %v, %v, want ErrMalformed", b, err)
			}
			if tt.want != "" && err.Error() != "malformed body: "+tt.want {
				t.Errorf("got %q, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q repeats a value", err)
			}
		})
	}
}

// TestCutJSON cuts a whole body at every byte.
func TestCutJSON(t *testing.T) {
	body := good(fields{"description": "ü\u2028", "x": []any{1.5, true, nil, fields{"y": ""}}}).json(t)
	for n := range body {
		if _, err := Decode("application/json", body[:n], testRules(t), testNow); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

func TestJSONOddities(t *testing.T) {
	for name, body := range map[string]string{
		"byte order mark": "\xEF\xBB\xBF" + `{"name":"Ada","email":"ada@example.com","start":1804239000}`,
		"milliseconds":    `{"name":"Ada","email":"ada@example.com","start":1804239000000}`,
		"float":           `{"name":"Ada","email":"ada@example.com","start":1.804239e12}`,
		"32 levels":       `{"name":"Ada","email":"ada@example.com","start":1804239000,"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "}",
	} {
		b, err := Decode("application/json", []byte(body), testRules(t), testNow)
		if err != nil || b.Start.Unix() != 1804239000 {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	b, err := Decode("application/json", []byte(`{"name":"A\ud800b","email":"ada@example.com","start":1804239000}`), testRules(t), testNow)
	if err != nil || b.Client.Name != "A\ufffdb" {
		t.Errorf("lone surrogate: %v, %v", b, err)
	}
}

func TestForm(t *testing.T) {
	rules := withFields(t, testRules(t), "email user[email]", "name booking.name")
	b, err := Decode(formType, []byte("user[email]=ada@example.com&booking.name=Ada+L.;+x%26y&start=2027-03-05T10:30"), rules, testNow)
	if err != nil || b.Client.Name != "Ada L.; x&y" || b.Client.Address.String() != "ada@example.com" {
		t.Errorf("got %v, %v", b, err)
	}
}

func TestMalformedForm(t *testing.T) {
	for _, body := range []string{"name=%", "name=%4", "name=%zz", strings.Repeat("a=b&", 2000)} {
		if _, err := Decode(formType, []byte(body), testRules(t), testNow); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

// TestRepeatedField refuses a scalar that was sent twice, even if it is the
// same both times.
func TestRepeatedField(t *testing.T) {
	body := good(fields{"name": []string{"Ada", "Ada"}}).form()
	b, err := Decode(formType, body, testRules(t), testNow)
	if got := refused(t, b, err); !slices.Equal(got, []string{"name: was sent more than once"}) {
		t.Errorf("got %q", got)
	}
	rules := testRules(t)
	rules.Extra = []ExtraField{{mustPath(t, "topic"), "Topic"}}
	b, err = Decode(formType, good(fields{"topic": []string{"tax", "law"}}).form(), rules, testNow)
	if err != nil || !slices.Equal(b.Extra, []Answer{{"Topic", "tax, law"}}) {
		t.Errorf("got %v, %v", b, err)
	}
}

// multipartBody writes a form with a file and an empty file input.
func multipartBody(t testing.TB, f fields) (contentType string, body []byte) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for k, v := range f {
		if err := w.WriteField(k, v.(string)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{`name="description"; filename="cv.pdf"`, `name="end"; filename=""`} {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"form-data; " + name}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte("%PDF")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buf.Bytes()
}

func TestMultipart(t *testing.T) {
	contentType, body := multipartBody(t, good(fields{"name": "Ada; x=\"y\"\xff"}))
	b, err := Decode(contentType, body, testRules(t), testNow)
	if err != nil {
		t.Fatal(err)
	}
	if b.Client.Name != "Ada; x=\"y\"\ufffd" || b.Notes != "" || b.End.Sub(b.Start) != 30*time.Minute {
		t.Errorf("got %s", mustJSON(t, b))
	}
}

// TestCutMultipart cuts a body at every byte before its closing boundary.
func TestCutMultipart(t *testing.T) {
	contentType, body := multipartBody(t, good(nil))
	end := bytes.LastIndex(body, []byte("--"))
	for n := range end {
		if _, err := Decode(contentType, body[:n], testRules(t), testNow); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut after %d of %d bytes: %v", n, end, err)
		}
	}
}

func TestMalformedMultipart(t *testing.T) {
	const head = "--x\r\nContent-Disposition: "
	for name, body := range map[string]string{
		"no boundary":    "name=Ada",
		"no disposition": "--x\r\n\r\nv\r\n--x--\r\n",
		"attachment":     head + "attachment; name=\"name\"\r\n\r\nv\r\n--x--\r\n",
		"bad parameter":  head + "form-data; name=\"a\"; filename\r\n\r\nv\r\n--x--\r\n",
		"two names":      head + "form-data; name=\"a\"; name=\"b\"\r\n\r\nv\r\n--x--\r\n",
		"bad header":     "--x\r\n:\r\n\r\nv\r\n--x--\r\n",
		"many parts":     strings.Repeat(head+"form-data; name=a\r\n\r\nv\r\n", 1001) + "--x--\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode("multipart/form-data; boundary=x", []byte(body), testRules(t), testNow)
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// hugeFields returns rules that read every property, and their fields.
func hugeFields(t testing.TB) (rules *Rules, all []string) {
	t.Helper()
	rules = withFields(t, testRules(t), "summary summary", "location location", "guests guests")
	rules.HostKeys = []string{"anna"}
	rules.Extra = []ExtraField{{mustPath(t, "extra"), "Extra"}}
	all = []string{"extra"}
	for _, p := range properties {
		all = append(all, string(p))
	}
	return rules, all
}

// checkQuick decodes the fields, as JSON and as a form, which must not take
// long, nor give a long error.
func checkQuick(t *testing.T, f fields, rules *Rules) {
	t.Helper()
	for contentType, body := range map[string][]byte{"application/json": f.json(t), formType: f.form()} {
		began := time.Now()
		b, err := Decode(contentType, body, rules, testNow)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", contentType, took)
		}
		if b != nil {
			checkBooking(t, b, rules)
		} else if len(err.Error()) > 2000 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
	}
}

// TestHugeField sends 1 MB in one field after the other.
func TestHugeField(t *testing.T) {
	rules, all := hugeFields(t)
	for _, field := range all {
		t.Run(field, func(t *testing.T) {
			checkQuick(t, good(fields{"host": "anna", field: strings.Repeat("a", 1<<20)}), rules)
		})
	}
}

// TestHugeFields sends the same in all fields, of many kinds.
func TestHugeFields(t *testing.T) {
	rules, all := hugeFields(t)
	for _, unit := range []string{"1", " ", ",", "a@b.cd,", "\u0301", "=?", "\r\n", "(", "-", "2027-03-05 "} {
		t.Run(unit, func(t *testing.T) {
			f := fields{}
			for _, field := range all {
				f[field] = strings.Repeat(unit, (1<<17)/len(unit))
			}
			checkQuick(t, f, rules)
		})
	}
}

// TestDecodeConcurrently lets the race detector see shared rules and zones.
func TestDecodeConcurrently(t *testing.T) {
	rules := testRules(t)
	var wg sync.WaitGroup
	for zone := range zoneNames() {
		body := good(fields{"timezone": zone}).json(t)
		wg.Go(func() {
			if _, err := Decode("application/json", body, rules, testNow); err != nil {
				t.Errorf("%s: %v", zone, err)
			}
		})
	}
	wg.Wait()
}
