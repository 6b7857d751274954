package bolt

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// TestVerify breaks the structure in ways that bbolt would not survive: it
// would follow the circle until the stack ends, or believe the count.
func TestVerify(t *testing.T) {
	good := goodFile(t)
	m, err := readMeta(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	at := func(id uint64) int { return int(id) * int(m.pageSize) }
	branch := findPage(t, good, m, flagBranch)
	leaf := findPage(t, good, m, flagLeaf)
	breaks := map[string]func(b []byte){
		"circle":             func(b []byte) { native.PutUint64(b[at(branch)+24:], branch) },
		"child used twice":   func(b []byte) { copy(b[at(branch)+24:at(branch)+32], b[at(branch)+40:]) },
		"child out of range": func(b []byte) { native.PutUint64(b[at(branch)+24:], 1<<40) },
		"empty branch":       func(b []byte) { native.PutUint16(b[at(branch)+10:], 0) },
		"too many elements":  func(b []byte) { native.PutUint16(b[at(leaf)+10:], 0xFFFF) },
		"key out of bounds":  func(b []byte) { native.PutUint32(b[at(leaf)+16+4:], 1<<30) },
		"wrong page number":  func(b []byte) { native.PutUint64(b[at(leaf):], leaf+1) },
		"unknown kind":       func(b []byte) { native.PutUint16(b[at(leaf)+8:], 0x40) },
		"overflow":           func(b []byte) { native.PutUint32(b[at(leaf)+12:], 1<<31) },
		"free list too long": func(b []byte) { native.PutUint16(b[at(m.freePage)+10:], 0xFFFE) },
		"free list much longer": func(b []byte) {
			native.PutUint16(b[at(m.freePage)+10:], 0xFFFF)
			native.PutUint64(b[at(m.freePage)+16:], 1<<40)
		},
		"used page is free": func(b []byte) { native.PutUint64(b[at(m.freePage)+16:], leaf) },
	}
	for name, f := range breaks {
		content := bytes.Clone(good)
		f(content)
		path := testPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// findPage finds a page of a kind that is in use.
func findPage(t *testing.T, b []byte, m meta, kind uint16) uint64 {
	t.Helper()
	v := &verifier{r: bytes.NewReader(b), meta: m, seen: make([]uint64, m.pages/64+1), buf: make([]byte, m.pageSize)}
	if err := v.tree(); err != nil {
		t.Fatal(err)
	}
	for id := uint64(2); id < m.pages; id++ {
		p := b[int64(id)*m.pageSize:]
		if v.seen[id/64]&(1<<(id%64)) != 0 && native.Uint64(p) == id && native.Uint16(p[8:]) == kind {
			return id
		}
	}
	t.Fatal("no such page")
	return 0
}
