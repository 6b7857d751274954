package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// The format of a bbolt page, in the machine's own byte order.
const (
	pageHeader  = 16 // id, flags, count, overflow
	elementSize = 16 // of a branch and of a leaf
	bucketSize  = 16 // root page, sequence

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	leafBucket   = 0x01
)

var native = binary.NativeEndian

// verify reads the structure of a bbolt file before bbolt does. bbolt trusts
// its pages: a branch that points at itself makes it recurse until the stack
// ends, and a wrong count makes it allocate until memory ends. Neither can be
// recovered from. The pages of bodies beyond their first are not read.
func verify(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	m, err := readMeta(f, info.Size())
	if err != nil {
		return err
	}
	if int64(m.pages)*m.pageSize > info.Size() || int64(m.pages) < 0 {
		return fmt.Errorf("%w: it was cut short to %d bytes", ErrDamaged, info.Size())
	}
	v := &verifier{r: f, meta: m, seen: make([]uint64, m.pages/64+1)}
	v.buf = make([]byte, m.pageSize)
	if err := v.tree(); err != nil {
		return err
	}
	return v.freelist()
}

// verifier walks the pages that can be reached, each exactly once.
type verifier struct {
	r io.ReaderAt
	meta
	seen []uint64 // a bit a page
	todo []uint64
	buf  []byte
}

// page is a page's header and at least as much of it as its elements take.
type page struct {
	id    uint64
	flags uint16
	count int
	size  int64 // with overflow
	data  []byte
}

func (v *verifier) bad(id uint64, what string) error {
	return fmt.Errorf("%w: page %d: %s", ErrDamaged, id, what)
}

func (v *verifier) tree() error {
	if err := v.push(v.root); err != nil {
		return err
	}
	for len(v.todo) > 0 {
		id := v.todo[len(v.todo)-1]
		v.todo = v.todo[:len(v.todo)-1]
		p, err := v.read(id)
		if err != nil {
			return err
		}
		switch p.flags {
		case flagBranch:
			err = v.branch(p)
		case flagLeaf:
			err = v.leaf(p, int64(id)*v.pageSize)
		default:
			err = v.bad(id, "unknown kind")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// push plans a visit. A page that is met twice is one too many.
func (v *verifier) push(id uint64) error {
	if err := v.mark(id); err != nil {
		return err
	}
	v.todo = append(v.todo, id)
	return nil
}

func (v *verifier) mark(id uint64) error {
	if id < 2 || id >= v.pages {
		return v.bad(id, "out of range")
	}
	if v.seen[id/64]&(1<<(id%64)) != 0 {
		return v.bad(id, "used twice")
	}
	v.seen[id/64] |= 1 << (id % 64)
	return nil
}

func (v *verifier) read(id uint64) (page, error) {
	if _, err := v.r.ReadAt(v.buf[:v.pageSize], int64(id)*v.pageSize); err != nil {
		return page{}, fmt.Errorf("reading page %d: %w", id, err)
	}
	p := page{
		id:    id,
		flags: native.Uint16(v.buf[8:]),
		count: int(native.Uint16(v.buf[10:])),
		data:  v.buf[:v.pageSize],
	}
	overflow := uint64(native.Uint32(v.buf[12:]))
	if native.Uint64(v.buf) != id || id+overflow >= v.pages {
		return page{}, v.bad(id, "wrong header")
	}
	for next := id + 1; next <= id+overflow; next++ {
		if err := v.mark(next); err != nil {
			return page{}, err
		}
	}
	p.size = (int64(overflow) + 1) * v.pageSize
	need := int64(pageHeader + p.count*elementSize)
	if p.flags == flagFreelist {
		return p, nil // it has no elements
	}
	if need > p.size {
		return page{}, v.bad(id, "too many elements")
	}
	if need > v.pageSize {
		return v.readMore(p, need)
	}
	return p, nil
}

// readMore reads the elements of a page that has more than fit its first.
func (v *verifier) readMore(p page, need int64) (page, error) {
	if int64(len(v.buf)) < need {
		v.buf = make([]byte, need)
	}
	p.data = v.buf[:need]
	_, err := v.r.ReadAt(p.data, int64(p.id)*v.pageSize)
	return p, err
}

func (v *verifier) branch(p page) error {
	if p.count == 0 {
		return v.bad(p.id, "empty branch")
	}
	var last []byte
	for i := range p.count {
		at := int64(pageHeader + i*elementSize)
		e := p.data[at:]
		pos, size := int64(native.Uint32(e)), int64(native.Uint32(e[4:]))
		if at+pos+size > p.size {
			return v.bad(p.id, "key out of bounds")
		}
		if err := v.order(p, &last, at+pos, size); err != nil {
			return err
		}
		if err := v.push(native.Uint64(e[8:])); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks the elements of a leaf that begins at byte base of the file.
func (v *verifier) leaf(p page, base int64) error {
	var last []byte
	for i := range p.count {
		at := int64(pageHeader + i*elementSize)
		e := p.data[at:]
		pos, ksize, vsize := int64(native.Uint32(e[4:])), int64(native.Uint32(e[8:])), int64(native.Uint32(e[12:]))
		if ksize == 0 || at+pos+ksize+vsize > p.size {
			return v.bad(p.id, "value out of bounds")
		}
		if err := v.order(p, &last, at+pos, ksize); err != nil {
			return err
		}
		if native.Uint32(e)&leafBucket == 0 {
			continue
		}
		if err := v.bucket(p, base+at+pos+ksize, vsize); err != nil {
			return err
		}
	}
	return nil
}

// order checks that keys rise, as far as they are in memory.
func (v *verifier) order(p page, last *[]byte, at, size int64) error {
	if at+size > int64(len(p.data)) {
		*last = nil
		return nil
	}
	key := p.data[at : at+size]
	if *last != nil && bytes.Compare(*last, key) >= 0 {
		return v.bad(p.id, "keys out of order")
	}
	*last = key
	return nil
}

// bucket follows a bucket to its root page, or looks into its inline page.
func (v *verifier) bucket(p page, at, size int64) error {
	if size < bucketSize || size > v.pageSize+bucketSize {
		return v.bad(p.id, "wrong bucket")
	}
	value := make([]byte, size)
	if _, err := v.r.ReadAt(value, at); err != nil {
		return fmt.Errorf("reading page %d: %w", p.id, err)
	}
	if root := native.Uint64(value); root != 0 {
		return v.push(root)
	}
	data := value[bucketSize:]
	if len(data) < pageHeader {
		return v.bad(p.id, "wrong bucket")
	}
	inline := page{id: p.id, flags: native.Uint16(data[8:]), count: int(native.Uint16(data[10:])), size: int64(len(data)), data: data}
	if inline.flags != flagLeaf || pageHeader+inline.count*elementSize > len(data) {
		return v.bad(p.id, "wrong inline bucket")
	}
	for i := range inline.count {
		if native.Uint32(data[pageHeader+i*elementSize:])&leafBucket != 0 {
			return v.bad(p.id, "bucket in an inline bucket")
		}
	}
	return v.leaf(inline, 0)
}
