package bolt

import (
	"fmt"
	"hash/fnv"
	"io"
)

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	metaSize    = 64
	metaSummed  = 56 // the checksum comes last

	// noFreelist marks a file whose free pages bbolt would have to find by
	// a scan in goroutines of its own, where a panic cannot be caught.
	noFreelist = ^uint64(0)
)

// meta is what one of the two meta pages of a bbolt file says.
type meta struct {
	pageSize       int64
	root, freePage uint64
	pages, txid    uint64
}

// readMeta finds the younger valid meta page, as bbolt does.
func readMeta(r io.ReaderAt, size int64) (meta, error) {
	best, found := metaAt(r, 0)
	sizes := []int64{best.pageSize}
	if !found {
		sizes = sizes[:0]
		for s := int64(1024); s <= 16<<20 && s < size; s *= 2 {
			sizes = append(sizes, s)
		}
	}
	for _, s := range sizes {
		second, ok := metaAt(r, s)
		if ok && second.pageSize == s && (!found || second.txid > best.txid) {
			best, found = second, true
		}
	}
	if !found {
		return meta{}, fmt.Errorf("%w: no valid header", ErrDamaged)
	}
	if best.freePage == noFreelist {
		return meta{}, fmt.Errorf("%w: it was written without a free list", ErrDamaged)
	}
	return best, nil
}

// metaAt reads the meta page at an offset, if it is a valid one.
func metaAt(r io.ReaderAt, at int64) (meta, bool) {
	var buf [pageHeader + metaSize]byte
	if _, err := r.ReadAt(buf[:], at); err != nil {
		return meta{}, false
	}
	b := buf[pageHeader:]
	sum := fnv.New64a()
	sum.Write(b[:metaSummed])
	if native.Uint32(b) != boltMagic || native.Uint32(b[4:]) != boltVersion || native.Uint64(b[metaSummed:]) != sum.Sum64() {
		return meta{}, false
	}
	m := meta{
		pageSize: int64(native.Uint32(b[8:])),
		root:     native.Uint64(b[16:]),
		freePage: native.Uint64(b[32:]),
		pages:    native.Uint64(b[40:]),
		txid:     native.Uint64(b[48:]),
	}
	sane := m.pageSize >= 1024 && m.pageSize <= 16<<20 && m.pageSize&(m.pageSize-1) == 0
	return m, sane && m.pages < 1<<40
}

// freelist checks that the free pages are in order, and really free.
func (v *verifier) freelist() error {
	if err := v.mark(v.freePage); err != nil {
		return err
	}
	p, err := v.read(v.freePage)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return v.bad(p.id, "not a free list")
	}
	start, count := int64(pageHeader), uint64(p.count)
	if p.count == 0xFFFF {
		count = native.Uint64(p.data[pageHeader:])
		start += 8
	}
	if count > v.pages || start+int64(count)*8 > p.size {
		return v.bad(p.id, "free list too long")
	}
	ids := make([]byte, count*8)
	if _, err := v.r.ReadAt(ids, int64(p.id)*v.pageSize+start); err != nil && count > 0 {
		return fmt.Errorf("reading page %d: %w", p.id, err)
	}
	last := uint64(0)
	for ; len(ids) > 0; ids = ids[8:] {
		id := native.Uint64(ids)
		if id <= last {
			return v.bad(p.id, "free list out of order")
		}
		if err := v.mark(id); err != nil {
			return err
		}
		last = id
	}
	return nil
}
