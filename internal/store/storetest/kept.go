package storetest

import (
	"bytes"
	"sync"
)

func (x *suite) keep(name, value string) string {
	x.Helper()
	kept, err := x.s.Keep(x.Context(), name, []byte(value))
	x.ok(err)
	return string(kept)
}

func testKeep(x *suite, reopen Reopen) {
	x.equal("first", x.keep("key", "a\x00\xff"), "a\x00\xff")
	x.equal("second", x.keep("key", "b"), "a\x00\xff")
	x.equal("other name", x.keep("Kéy", "c"), "c")
	for name, value := range map[string][]byte{"": []byte("x"), "empty": nil, "long": bytes.Repeat([]byte("x"), 1<<20)} {
		if _, err := x.s.Keep(x.Context(), name, value); err == nil {
			x.Errorf("name %q with %d bytes: no error", name, len(value))
		}
	}
	value := []byte("mine")
	kept, err := x.s.Keep(x.Context(), "clear", value)
	x.ok(err)
	clear(value)
	clear(kept)
	x.equal("what the caller does later is its own affair", x.keep("clear", "b"), "mine")

	x.s = reopen(x.T, x.s)
	x.equal("after reopening", x.keep("key", "b"), "a\x00\xff")
	_, err = x.s.Sweep(x.Context(), start.AddDate(1, 0, 0), start.AddDate(1, 0, 0))
	x.ok(err)
	x.equal("after a sweep", x.keep("key", "b"), "a\x00\xff")
}

func testKeepRace(x *suite) {
	var mu sync.Mutex
	seen := make(map[string]int)
	x.together(50, func(i int) {
		kept, err := x.s.Keep(x.Context(), "key", []byte{byte(i)})
		if err != nil {
			x.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[string(kept)]++
	})
	x.equal("values", len(seen), 1)
}
