package catalog

import (
	"encoding/binary"
	"sort"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// A cursor reads here and there in an index and keeps the blocks that it has seen. It is
// not safe for concurrent use. It has a sticky error.
type cursor struct {
	x      *Index
	blocks map[int64][]byte
	err    error
}

func (x *Index) cursor() *cursor { return &cursor{x: x, blocks: map[int64][]byte{}} }

// block returns a verified block.
func (c *cursor) block(i int64) []byte {
	if b := c.blocks[i]; b != nil || c.err != nil {
		return b
	}
	b := make([]byte, min(indexBlock, c.x.end-i*indexBlock))
	if _, err := c.x.r.ReadAt(b, i*indexBlock); err != nil {
		c.err = err
		return nil
	}
	c.err = c.x.check(i, b)
	c.blocks[i] = b
	return b
}

// bytes returns n bytes at an offset, or nil after an error. The caller must not
// change them.
func (c *cursor) bytes(off int64, n int) []byte {
	if off < 0 || n < 0 || int64(n) > c.x.end-off {
		c.fail(off, "no %d bytes there", n)
	}
	var out []byte
	for n > 0 && c.err == nil {
		b := c.block(off / indexBlock)
		if c.err != nil {
			break
		}
		b = b[off%indexBlock:]
		b = b[:min(n, len(b))]
		if out == nil && len(b) == n {
			return b
		}
		out = append(out, b...)
		off += int64(len(b))
		n -= len(b)
	}
	if c.err != nil {
		return nil
	}
	return out
}

func (c *cursor) fail(off int64, format string, args ...any) {
	if c.err == nil {
		c.err = indexError(off, format, args...)
	}
}

// record returns record i of a section of records of the given size, zeros after an error.
func (c *cursor) record(s section, i, size int) []byte {
	if i < 0 || int64(i+1)*int64(size) > s.n {
		c.fail(s.off, "no record %d in %d bytes", i, s.n)
	} else if b := c.bytes(s.off+int64(i)*int64(size), size); b != nil {
		return b
	}
	return make([]byte, size)
}

func (c *cursor) number(s section, i int) int {
	return int(binary.LittleEndian.Uint32(c.record(s, i, 4)))
}

// text returns the text at a reference.
func (c *cursor) text(s section, r ref) string {
	if int64(r.off)+int64(r.n) > s.n {
		c.fail(s.off, "no text at %d in %d bytes", r.off, s.n)
		return ""
	}
	return string(c.bytes(s.off+int64(r.off), int(r.n)))
}

// ref returns a reference.
func (c *cursor) ref(s section, i int) ref {
	b := c.record(s, i, 8)
	return ref{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// Stem returns a catalog of the versions of one package, with all that the index has of
// them, and of nothing else. It reads only what it needs for that. The catalog is
// not signed.
func (x *Index) Stem(publisher, stem string) (*Catalog, error) {
	out := &Catalog{created: x.attrs.Created, modified: x.attrs.Modified, unsigned: true, attrsChanged: true}
	c := x.cursor()
	lo, hi := c.span(publisher, stem)
	if c.err != nil {
		return nil, c.err
	}
	a := newAssembler(nil, hi-lo)
	for id := lo; id < hi && c.err == nil; id++ {
		if e := c.entry(publisher, stem, id); c.err == nil {
			a.add(e)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return out, a.finish(out)
}

// span finds the versions of a stem.
func (c *cursor) span(publisher, stem string) (lo, hi int) {
	pubs := c.x.section(secPubs, 0)
	list, _ := parsePublishers(c.bytes(pubs.off, int(pubs.n)))
	stems, text, first := c.x.section(secStems, 0), c.x.section(secText, 0), c.x.section(secFirst, 0)
	for _, p := range list {
		if p.name != publisher || c.err != nil {
			continue
		}
		i := p.lo + sort.Search(p.hi-p.lo, func(i int) bool { return c.text(text, c.ref(stems, p.lo+i)) >= stem })
		if i < p.hi && c.text(text, c.ref(stems, i)) == stem {
			lo, hi = c.number(first, i), c.number(first, i+1)
			if rows := c.x.section(secVersions, 0).n / rowSize; lo > hi || int64(hi) > rows {
				c.fail(first.off, "versions %d to %d of %d", lo, hi, rows)
			}
			return lo, hi
		}
	}
	return 0, 0
}

// entry returns what the index has of a version.
func (c *cursor) entry(publisher, stem string, id int) *entry {
	row := parseRow(c.record(c.x.section(secVersions, 0), id, rowSize))
	e := &entry{base: true, row: row, extra: c.extra(id)}
	v, err := fmri.ParseVersion(c.text(c.x.section(secText, 0), row.ref()))
	if err == nil {
		e.fmri, err = fmri.New(publisher, stem, v)
	}
	if err != nil {
		c.fail(0, "version %d: %w", id, err)
		return nil
	}
	for i, p := range c.x.parts {
		if lists := c.x.section(secLists, i); lists.n > 0 {
			c.addList(e, Part(p.Name), i, id)
		}
	}
	return e
}

// extra returns the further members of a base entry.
func (c *cursor) extra(id int) []scan.Member {
	s := c.x.section(secExtra, 0)
	if s.n == 0 {
		return nil
	}
	return c.members(c.x.section(secSetText, 0), c.ref(c.x.section(secSets, 0), c.number(s, id)))
}

// members returns the members at a reference.
func (c *cursor) members(s section, r ref) []scan.Member {
	text := c.text(s, r)
	if c.err != nil {
		return nil
	}
	set, err := parseMembers(text)
	c.err = err
	return set
}

// addList adds what a part has of a version.
func (c *cursor) addList(e *entry, name Part, part, id int) {
	lists, ids := c.x.section(secLists, part), c.x.section(secIDs, part)
	refs, actions := c.x.section(secRefs, part), c.x.section(secActions, part)
	l := list{part: name}
	for i, end := c.number(lists, id), c.number(lists, id+1); i < end && c.err == nil; i++ {
		l.actions = append(l.actions, c.text(actions, c.ref(refs, c.number(ids, i))))
	}
	if odd, ok := c.odd(part, id); ok {
		l.oddity = odd
	} else if len(l.actions) == 0 {
		return
	}
	e.lists = append(e.lists, l)
}

// odd returns what is unusual with the entry of a version in a part.
func (c *cursor) odd(part, id int) (oddity, bool) {
	s := c.x.section(secOdd, part)
	n := int(s.n / oddSize)
	i := sort.Search(n, func(i int) bool {
		o, _ := parseOdd(c.record(s, i, oddSize))
		return int(o.version) >= id
	})
	if i == n || c.err != nil {
		return oddity{}, false
	}
	o, r := parseOdd(c.record(s, i, oddSize))
	if int(o.version) != id {
		return oddity{}, false
	}
	o.extra = c.members(c.x.section(secOddText, part), r)
	return o, c.err == nil
}
