package catalog

import (
	"encoding/hex"
	"io"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
)

// An encoder writes the canonical form of a part and finds its digest on the way.
type encoder struct {
	w    io.Writer
	hash *sideHash
	buf  []byte
	err  error

	touched byte // to no end
}

const encodeBuffer = 64 << 10

// encode writes a part, signed unless the catalog is not, and returns its digest.
func (c *Catalog) encode(w io.Writer, p *part) (sum string, err error) {
	t, err := p.actions()
	if err != nil {
		return "", err
	}
	e := &encoder{w: w, hash: newSideHash(), buf: make([]byte, 0, 1<<10)}
	defer e.hash.close()
	e.buf = append(e.buf, '{')
	meta := p.meta
	for i := range c.pubs {
		pub := &c.pubs[i]
		for len(meta) > 0 && meta[0].Key < pub.name {
			e.member(meta[0])
			meta = meta[1:]
		}
		e.publisher(c, p, t, pub)
	}
	for _, m := range meta {
		e.member(m)
	}
	return e.end(!c.unsigned)
}

// end closes the object and signs it.
func (e *encoder) end(signed bool) (string, error) {
	sum := e.hash.sum(e.buf, []byte(objectEnd))
	e.buf = append(e.buf, objectEnd...)
	if signed {
		e.buf = appendSignature(e.buf, sum)
	}
	e.write(e.buf)
	return sum, e.err
}

func (e *encoder) write(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

// flush writes what there is once it is enough, all but the last byte, which tells
// whether a comma is needed.
func (e *encoder) flush() {
	if len(e.buf) < encodeBuffer {
		return
	}
	n := len(e.buf) - 1
	last := e.buf[n]
	e.hash.add(e.buf[:n])
	e.write(e.buf[:n])
	e.buf = append(e.hash.buffer(), last)
}

// comma separates the next element from the one before it, if there is one.
func (e *encoder) comma() {
	if last := e.buf[len(e.buf)-1]; last != '{' && last != '[' {
		e.buf = append(e.buf, ',')
	}
}

// member writes a member that is known as text.
func (e *encoder) member(m scan.Member) {
	e.comma()
	e.buf = append(scan.AppendString(e.buf, m.Key), ':')
	e.buf = append(e.buf, m.JSON...)
	e.flush()
}

// publisher writes the member of a publisher, unless it has no entry.
func (e *encoder) publisher(c *Catalog, p *part, t *table, pub *publisher) {
	open := false
	for i := pub.lo; i < pub.hi; i++ {
		lo, hi := int(c.first[i]), int(c.first[i+1])
		if t != nil {
			for lo < hi && !t.Has(lo) {
				lo++
			}
		}
		if lo == hi {
			continue
		}
		if !open {
			e.comma()
			e.buf = append(e.buf, '"')
			e.buf = append(e.buf, pub.name...)
			e.buf = append(e.buf, `":{`...)
			open = true
		}
		e.comma()
		e.buf = append(e.buf, '"')
		e.buf = append(e.buf, c.stem(i)...)
		e.buf = append(e.buf, `":[`...)
		order := p.order[i]
		for _, id := range order {
			e.entry(c, t, int(id))
		}
		for id := lo; id < hi && order == nil; id++ {
			e.entry(c, t, id)
		}
		e.buf = append(e.buf, ']')
	}
	if open {
		e.buf = append(e.buf, '}')
	}
}

// entry writes the entry of a version, if the part has one.
func (e *encoder) entry(c *Catalog, t *table, id int) {
	if t == nil {
		e.comma()
		e.base(c, id)
	} else if t.Has(id) {
		e.comma()
		e.actions(c, t, id)
	}
	e.flush()
}

// base writes an entry of the base part.
func (e *encoder) base(c *Catalog, id int) {
	extra := c.extraOf(id)
	e.buf = append(e.buf, '{')
	extra = e.before(digestKey, extra)
	if v := &c.versions[id]; v.marks&markDigest != 0 {
		e.comma()
		e.buf = append(e.buf, `"`+digestKey+`":"`...)
		e.buf = hex.AppendEncode(e.buf, v.digest[:])
		e.buf = append(e.buf, '"')
	}
	e.version(c, id, extra)
}

// actions writes an entry of another part.
func (e *encoder) actions(c *Catalog, t *table, id int) {
	e.buf = append(e.buf, '{')
	var odd oddity
	if o := t.oddity(id); o != nil {
		odd = *o
	}
	extra := e.before("actions", odd.extra)
	if !odd.missing {
		e.comma()
		e.buf = append(e.buf, `"actions":[`...)
		e.list(t, t.list(id))
		e.buf = append(e.buf, ']')
	}
	e.version(c, id, extra)
}

// list writes the texts of actions. These are all over the memory, and waiting for one after
// another would take most of the time: so it first touches some, for which the processor
// waits at once.
func (e *encoder) list(t *table, ids []uint32) {
	for ids := range slices.Chunk(ids, 32) {
		for _, id := range ids {
			if s := t.Text(id); s != "" {
				e.touched += s[0] + s[len(s)-1]
			}
		}
		for _, id := range ids {
			e.comma()
			e.action(t, id)
		}
		e.flush()
	}
}

// action writes the text of an action.
func (e *encoder) action(t *table, id uint32) {
	if t.marks[id]&markEscaped != 0 {
		e.buf = scan.AppendString(e.buf, t.Text(id))
	} else {
		e.buf = append(e.buf, '"')
		e.buf = append(e.buf, t.Text(id)...)
		e.buf = append(e.buf, '"')
	}
}

// before writes the members that come before key and returns the others.
func (e *encoder) before(key string, members []scan.Member) []scan.Member {
	for len(members) > 0 && members[0].Key < key {
		e.member(members[0])
		members = members[1:]
	}
	return members
}

// version writes the member of that name, what is around it, and the end of an entry.
func (e *encoder) version(c *Catalog, id int, extra []scan.Member) {
	extra = e.before("version", extra)
	e.comma()
	e.buf = append(e.buf, `"version":"`...)
	e.buf = append(e.buf, c.version(id)...)
	e.buf = append(e.buf, `"}`...)
	for _, m := range extra {
		e.buf = e.buf[:len(e.buf)-1]
		e.member(m)
		e.buf = append(e.buf, '}')
	}
}
