package caddyicalmail

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	// maxEffort bounds what a hostile body may cost. It is generous, because
	// tests run on slow machines, and far below what an attack would be.
	maxEffort = 3 * time.Second

	// maxAllocated is what all of the work on a body of 64 KiB may allocate.
	maxAllocated = 32 << 20
)

// TestRedTeamBodies posts bodies that are expensive to somebody who is
// careless. All are refused, at once and without much memory.
func TestRedTeamBodies(t *testing.T) {
	start := `{"name":"Ada","email":"ada@example.net","start":`
	for _, tt := range []struct {
		name, contentType string
		body              func() io.Reader
		length            int64 // -1: chunked
		status            int
	}{
		{"10 MB of JSON", jsonType, endless(`{"description":"`, "x"), 10 << 20, 413},
		{"10 MB of JSON, chunked", jsonType, endless(`{"description":"`, "x"), -1, 413},
		{"10 MB of a form, chunked", formType, endless("description=", "%41"), -1, 413},
		{"10 MB of multipart, chunked", "multipart/form-data; boundary=x", endless("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n", "x"), -1, 413},
		{"endless whitespace", jsonType, endless("", " \n"), -1, 413},
		{"a length that is a lie", jsonType, endless("{", `"a":1,`), 10, 413},
		{"deep objects", jsonType, text(strings.Repeat(`{"a":`, 10000)), -1, 400},
		{"deep lists", jsonType, text(`{"friends":` + strings.Repeat("[", 60000)), -1, 400},
		{"a million keys", jsonType, text(manyKeys(1_000_000)), -1, 413},
		{"as many keys as fit", jsonType, text(manyKeys(2000)), -1, 422},
		{"as many list items as fit", jsonType, text(`{"friends":[` + strings.Repeat("1,", 32000) + `1]}`), -1, 422},
		{"as many fields as fit", formType, text(strings.Repeat("a=&", 20000)), -1, 400},
		{"one field many times", formType, text(strings.Repeat("friends=a@b.example&", 999)), -1, 422},
		{"many parts", "multipart/form-data; boundary=x", text(strings.Repeat("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", 1200)), -1, 400},
		{"many part headers", "multipart/form-data; boundary=x", text("--x\r\n" + strings.Repeat("A: b\r\n", 10000) + "\r\n\r\n--x--"), -1, 400},
		{"huge exponent", jsonType, text(start + `1e999999999}`), -1, 422},
		{"tiny exponent", jsonType, text(start + `1e-999999999}`), -1, 422},
		{"many digits", jsonType, text(start + strings.Repeat("9", 60000) + `}`), -1, 422},
		{"many digits of a duration", jsonType, text(start + `"2027-03-05T10:30","duration":` + strings.Repeat("9", 60000) + `}`), -1, 422},
		{"many digits of a duration in words", jsonType, text(start + `"2027-03-05T10:30","duration":"P` + strings.Repeat("9", 60000) + `D"}`), -1, 422},
		{"a long zone", jsonType, text(start + `"2027-03-05T10:30","timezone":"` + strings.Repeat("../", 20000) + `"}`), -1, 422},
		{"a long address", jsonType, text(`{"name":"Ada","start":"2027-03-05T10:30","email":"` + strings.Repeat("ı@", 20000) + `"}`), -1, 422},
		{"combining marks", jsonType, text(`{"name":"a` + strings.Repeat("\u0301\u0327", 15000) + `"}`), -1, 422},
		{"many guests", jsonType, text(`{"friends":"` + strings.Repeat("a@b.example,", 5000) + `"}`), -1, 422},
		{"many different guests", jsonType, text(`{"friends":"` + manyGuests(3000) + `"}`), -1, 422},
		{"a long rule", jsonType, text(`{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","repeat":"FREQ=DAILY;COUNT=1;BYDAY=` + strings.Repeat("MO,", 20000) + `MO"}`), -1, 422},
		{"a long boundary", "multipart/form-data; boundary=" + strings.Repeat("x", 60000), text("--x"), -1, 400},
		{"many parameters", jsonType + strings.Repeat("; a=b", 10000), text("{}"), -1, 422},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, redteamDirective(entry{}))
			out := capture(t, h)
			body := tt.body()
			r := post(tt.contentType, "")
			r.Body, r.ContentLength = io.NopCloser(body), tt.length
			checkEffort(t, func() {
				w, err := serve(t, h, r)
				if err != nil || w.Code != tt.status {
					t.Errorf("%d, %v, want %d: %.300s", w.Code, err, tt.status, w.Body)
				}
				if w.Body.Len() > 16<<10 {
					t.Errorf("the answer has %d bytes", w.Body.Len())
				}
			})
			if n := body.(*counter).n; n > defaultMaxSize+4096 {
				t.Errorf("%d bytes were read", n)
			}
			out.checkEmpty(t)
		})
	}
}

// checkEffort bounds the time and memory of something.
func checkEffort(t *testing.T, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	do()
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; took > maxEffort || allocated > maxAllocated {
		t.Errorf("it took %s and %d KiB", took, allocated>>10)
	}
}

// counter counts what is read from it.
type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func text(s string) func() io.Reader {
	return func() io.Reader { return &counter{Reader: strings.NewReader(s)} }
}

// endless is 10 MB that begin with one text and go on with another.
func endless(start, more string) func() io.Reader {
	return func() io.Reader {
		return &counter{Reader: io.LimitReader(io.MultiReader(strings.NewReader(start), &repeater{more: more}), 10<<20)}
	}
}

type repeater struct {
	more string
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.more[r.at%len(r.more)]
		r.at++
	}
	return len(p), nil
}

// manyKeys has keys that a hash without a seed would put into one place.
func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, "%q:1,", strings.NewReplacer("0", "Aa", "1", "BB").Replace(fmt.Sprintf("%05b", i)))
		if b.Len() > 1<<20 {
			break
		}
	}
	return b.String() + `"x":1}`
}

func manyGuests(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "g%d@b.example,", i)
	}
	return b.String()
}

// TestRedTeamCompression: nothing is ever inflated.
func TestRedTeamCompression(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.Copy(z, io.LimitReader(&repeater{more: " "}, 50<<20))
	_ = z.Close()
	var deflated bytes.Buffer
	f, _ := flate.NewWriter(&deflated, 9)
	_, _ = io.Copy(f, io.LimitReader(&repeater{more: " "}, 50<<20))
	_ = f.Close()
	for _, tt := range []struct {
		encoding string
		body     []byte
	}{
		{"gzip", zipped.Bytes()},
		{"GZIP", zipped.Bytes()},
		{"x-gzip", zipped.Bytes()},
		{"deflate", deflated.Bytes()},
		{"br", []byte(goodJSON)},
		{"zstd", []byte(goodJSON)},
		{"identity, gzip", zipped.Bytes()},
		{"gzip, gzip", zipped.Bytes()},
		{"unheard of", []byte(goodJSON)},
	} {
		t.Run(tt.encoding, func(t *testing.T) {
			r := post(jsonType, string(tt.body[:min(len(tt.body), defaultMaxSize)]))
			r.Header.Set("Content-Encoding", tt.encoding)
			checkEffort(t, func() {
				w, err := serve(t, h, r)
				if err != nil || w.Code != http.StatusUnsupportedMediaType || w.Header().Get("Accept-Post") == "" {
					t.Errorf("%d, %v, %v", w.Code, err, w.Header())
				}
			})
		})
	}
	t.Run("second header", func(t *testing.T) {
		r := post(jsonType, string(zipped.Bytes()[:1000]))
		r.Header["Content-Encoding"] = []string{"identity", "gzip"}
		if w, err := serve(t, h, r); err != nil || w.Code < 400 || w.Code >= 500 {
			t.Errorf("%d, %v", w.Code, err)
		}
	})
	out.checkEmpty(t)
}

// TestRedTeamPartEncodings: a part's own encodings are not a way around the
// limits or the cleaning.
func TestRedTeamPartEncodings(t *testing.T) {
	for encoding, value := range map[string]string{
		"Content-Encoding: gzip":                      "\x1f\x8b\x08",
		"Content-Transfer-Encoding: base64":           "QWRhDQpCY2M6IHg=",
		"Content-Transfer-Encoding: quoted-printable": "Ada=0D=0ABcc: evil@evil.example",
		"Content-Type: text/plain; charset=utf-16":    "A\x00d\x00a\x00",
	} {
		t.Run(encoding, func(t *testing.T) {
			h := newHandler(t, minimalDirective)
			out := capture(t, h)
			body := ""
			for name, value := range map[string]string{"email": "ada@example.net", "start": "2027-03-05T10:30"} {
				body += "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
			}
			body += "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n" + encoding + "\r\n\r\n" + value + "\r\n--x--\r\n"
			w, err := serve(t, h, post("multipart/form-data; boundary=x", body))
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != http.StatusAccepted {
				if w.Code != http.StatusUnprocessableEntity {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				out.checkEmpty(t)
				return
			}
			for _, m := range out.take(t, 2) {
				checkMail(t, m)
				if strings.Contains(parseMail(t, m.Raw).header, "evil@evil.example") {
					t.Errorf("mail:\n%s", m.Raw)
				}
			}
		})
	}
}
