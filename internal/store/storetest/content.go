package storetest

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func testBodies(x *suite) {
	random := rand.NewChaCha8([32]byte{1})
	big := make([]byte, 1<<20)
	_, _ = random.Read(big) // it never fails
	bodies := [][]byte{[]byte("a"), {0}, []byte("ä\x00\xff\xfe\r\n.\r\n"), big, bytes.Repeat([]byte{0}, 5000)}
	e := x.event("one", 0)
	a := x.acceptance(e)
	for i, body := range bodies {
		m := x.mail(e, string(rune('a'+i))+"@client.example")
		m.Raw = bytes.Clone(body)
		a.Messages = append(a.Messages, m)
	}
	x.accept(a)
	for i := range a.Messages { // what the caller does later is its own affair
		clear(a.Messages[i].Raw)
	}
	jobs := x.claim(start, 10)
	x.equal("claimed", len(jobs), len(bodies))
	for i, j := range jobs {
		if !bytes.Equal(j.Raw, bodies[i]) {
			x.Fatalf("body %d of %d bytes came back as %d other bytes", i, len(bodies[i]), len(j.Raw))
		}
		x.settle(j, store.Deferred, start)
	}
	for i, j := range x.claim(start.Add(time.Hour), 10) {
		if !bytes.Equal(j.Raw, bodies[i]) {
			x.Fatalf("body %d differs in the retry", i)
		}
	}
}

func testUnicode(x *suite) {
	const text = "Ünïcödé 日本語 🗓\u00a0\"<&>'\\ \u2028 é"
	e := x.event("ü日🗓@site.example", 0)
	e.Summary, e.Location, e.Description, e.Notes = text, text, text+"\nzwei", text
	e.Client.Name, e.Host.Name = text, text
	e.Client.Address = x.address("jürgen@bücher.example")
	e.Guests = []booking.Person{{Address: x.address("用户@例子.example"), Name: text}}
	e.Extra = []booking.Answer{{Label: text, Value: text}}
	e.Scope, e.Mailer = text, text
	a := x.acceptance(e, "jürgen@bücher.example", "用户@例子.example")
	a.ID = text
	a.Key = &store.Key{Key: text, Expires: start.Add(time.Hour), Reply: []byte(text)}
	a.Limits = []store.Limit{{Name: text, Counter: text, Max: 1, Window: time.Hour}}
	x.accept(a)
	got, messages, err := x.s.EventByID(x.Context(), text, text)
	x.ok(err)
	if !reflect.DeepEqual(got, e) {
		x.Fatalf("got event\n%+v, want\n%+v", got, e)
	}
	x.equal("recipient", messages[1].To, e.Guests[0].Address)
	_, reply, err := x.s.Reply(x.Context(), text, start)
	x.ok(err)
	x.equal("reply", string(reply), text)
	jobs, err := x.s.Claim(x.Context(), text, start, 10, time.Minute)
	x.ok(err)
	x.equal("claimed", len(jobs), 2)
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("queued", stats.Mailers[text].Queued, 2)
	x.equal("limit", strings.Contains(x.limited(x.try(start, a.Limits[0])).Error(), text), true)
	n, err := x.s.Erase(x.Context(), x.address("用户@例子.example"))
	x.ok(err)
	x.equal("erased", n, 1)
}
