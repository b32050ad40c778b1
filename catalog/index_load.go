package catalog

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/goips/ips/catalog/internal/scan"
)

// readHeads reads the attributes and the heads of the parts.
func (x *Index) readHeads(c *cursor) error {
	s := x.section(secAttrs, 0)
	text := c.bytes(s.off, int(s.n))
	if c.err != nil {
		return c.err
	}
	var opts *ReadOptions
	var err error
	if x.attrs, _, err = parseAttrs(text, opts.limits()); err != nil {
		return err
	}
	x.text = text
	for i, f := range x.attrs.Parts {
		p := &part{FileAttrs: f}
		if err := x.readHead(c, x.section(secPart, i), p); err != nil {
			return err
		}
		x.parts = append(x.parts, p)
	}
	return nil
}

// readHead reads the head of a part.
func (x *Index) readHead(c *cursor, sec section, p *part) error {
	text := c.bytes(sec.off, int(sec.n))
	if c.err != nil {
		return c.err
	}
	var opts *ReadOptions
	s := scan.NewBytes(text, opts.limits().scan())
	for s.Begin('{'); s.More('}'); {
		switch string(s.Key()) {
		case "meta":
			p.meta = s.Members()
		case "skipped":
			p.skipped = s.Value() == "true"
		default:
			if name := string(s.Str()); name != p.Name {
				return indexError(sec.off, "part %.100q in the place of %s", name, p.Name)
			}
		}
	}
	return fileError(indexName, s.Err())
}

// Attrs returns the attributes of the catalog that the index was made of. They must not
// be changed.
func (x *Index) Attrs() *Attrs { return x.attrs }

// Catalog returns the catalog. The columns of names and versions are read at once, the
// actions of a part when they are first asked for.
func (x *Index) Catalog() (*Catalog, error) {
	c := newCatalog(x.attrs)
	if err := x.loadColumns(&c.columns); err != nil {
		return nil, err
	}
	for i, p := range x.parts {
		q := c.parts[i]
		q.meta, q.skipped = p.meta, p.skipped
		if err := x.loadOrder(i, q, &c.columns); err != nil {
			return nil, err
		}
		if !q.skipped && q.Name != string(Base) {
			q.load = sync.OnceValues(func() (*table, error) { return x.loadTable(i, len(c.versions)) })
		}
	}
	return c, nil
}

// loadOrder reads which versions of a part are not in order.
func (x *Index) loadOrder(i int, p *part, c *columns) error {
	s := x.section(secOrder, i)
	list, err := x.numbers(s, math.MaxUint32)
	for err == nil && len(list) > 0 {
		if len(list) < 2 || int(list[0]) >= len(c.stems) || int64(list[1]) > int64(len(list)-2) {
			return indexError(s.off, "order of %s is cut off", p.Name)
		}
		stem, ids := int(list[0]), list[2:][:list[1]]
		if slices.ContainsFunc(ids, func(id uint32) bool { return id < c.first[stem] || id >= c.first[stem+1] }) {
			return indexError(s.off, "order of %s has a version of another stem than %d", p.Name, stem)
		}
		p.order.set(stem, ids)
		list = list[2+len(ids):]
	}
	return err
}

// loadColumns reads the columns, the two large ones at the same time.
func (x *Index) loadColumns(c *columns) error {
	var wg sync.WaitGroup
	var versions error
	wg.Go(func() { versions = x.loadVersions(c) })
	text, err := x.string(x.section(secText, 0))
	if err == nil {
		c.text = newText(text)
		c.stems, err = x.refs(x.section(secStems, 0), text)
	}
	wg.Wait()
	if err = cmp.Or(err, versions); err != nil {
		return err
	}
	if c.first, err = x.loadStarts(x.section(secFirst, 0), len(c.stems), len(c.versions)); err != nil {
		return err
	}
	if err := x.loadPublishers(c); err != nil {
		return err
	}
	return x.loadExtras(c)
}

// loadStarts reads a column that divides entries among owners. An empty catalog has none.
func (x *Index) loadStarts(s section, owners, entries int) ([]uint32, error) {
	if owners == 0 && entries == 0 && s.n == 0 {
		return []uint32{0}, nil
	}
	return x.starts(s, owners, entries)
}

// loadVersions reads the rows of the versions.
func (x *Index) loadVersions(c *columns) error {
	s := x.section(secVersions, 0)
	text, stems := x.section(secText, 0).n, x.section(secStems, 0).n/8
	c.versions = make([]version, 0, s.n/rowSize)
	return x.each(s, func(p []byte) error {
		for ; len(p) >= rowSize; p = p[rowSize:] {
			v := parseRow(p)
			if int64(v.off)+int64(v.n) > text || int64(v.stem) >= stems {
				return indexError(s.off, "version %d is of stem %d and at %d", len(c.versions), v.stem, v.off)
			}
			c.versions = append(c.versions, v)
		}
		return nil
	})
}

const rowSize = 32

// parseRow is the reverse of appendRow.
func parseRow(b []byte) version {
	v := version{
		off: binary.LittleEndian.Uint32(b), n: binary.LittleEndian.Uint16(b[4:]),
		marks: mark(b[6]), stem: binary.LittleEndian.Uint32(b[8:]),
	}
	copy(v.digest[:], b[12:])
	return v
}

// loadPublishers reads the publishers, which divide the stems among them.
func (x *Index) loadPublishers(c *columns) error {
	s := x.section(secPubs, 0)
	text, err := x.string(s)
	if err != nil {
		return err
	}
	pubs, ok := parsePublishers([]byte(text))
	at := 0
	for _, p := range pubs {
		ok = ok && p.lo == at && p.hi >= at
		at = p.hi
	}
	if !ok || at != len(c.stems) {
		return indexError(s.off, "publishers do not divide %d stems", len(c.stems))
	}
	c.pubs = pubs
	return nil
}

// parsePublishers parses the section of publishers.
func parsePublishers(b []byte) (pubs []publisher, ok bool) {
	for len(b) >= 12 {
		p := publisher{lo: int(binary.LittleEndian.Uint32(b)), hi: int(binary.LittleEndian.Uint32(b[4:]))}
		n := int(binary.LittleEndian.Uint32(b[8:]))
		if b = b[12:]; n > len(b) {
			return nil, false
		}
		p.name = string(b[:n])
		pubs = append(pubs, p)
		b = b[n:]
	}
	return pubs, len(b) == 0
}

// loadExtras reads the further members of base entries.
func (x *Index) loadExtras(c *columns) error {
	s := x.section(secExtra, 0)
	if s.n == 0 {
		return nil
	}
	text, err := x.string(x.section(secSetText, 0))
	if err != nil {
		return err
	}
	refs, err := x.refs(x.section(secSets, 0), text)
	if err != nil {
		return err
	}
	c.extras = make([][]scan.Member, len(refs))
	for i, r := range refs {
		if c.extras[i], err = parseMembers(text[r.off:][:r.n]); err != nil {
			return err
		}
	}
	c.extra, err = x.numbers(s, int64(len(c.extras)))
	if err == nil && len(c.extra) != len(c.versions) {
		err = indexError(s.off, "%d versions, but members of %d", len(c.versions), len(c.extra))
	}
	return err
}

// parseMembers parses a set of members.
func parseMembers(text string) ([]scan.Member, error) {
	var opts *ReadOptions
	s := scan.NewBytes([]byte(text), opts.limits().scan())
	set := s.Members()
	s.End()
	return set, fileError(indexName, s.Err())
}

// loadTable reads the actions of a part.
func (x *Index) loadTable(i, versions int) (*table, error) {
	text, err := x.string(x.section(secActions, i))
	if err != nil {
		return nil, err
	}
	t := &table{text: newText(text)}
	if t.refs, err = x.refs(x.section(secRefs, i), text); err != nil {
		return nil, err
	}
	marks, err := x.string(x.section(secMarks, i))
	if err != nil {
		return nil, err
	}
	if len(marks) != len(t.refs) {
		return nil, indexError(0, "%d actions, but marks of %d", len(t.refs), len(marks))
	}
	t.marks = make([]mark, len(marks))
	for i := range marks {
		t.marks[i] = mark(marks[i])
	}
	if t.ids, err = x.numbers(x.section(secIDs, i), int64(len(t.refs))); err != nil {
		return nil, err
	}
	if t.first, err = x.loadStarts(x.section(secLists, i), versions, len(t.ids)); err != nil {
		return nil, err
	}
	t.odd, err = x.loadOdd(i, versions)
	return t, err
}

// loadOdd reads the unusual entries of a part.
func (x *Index) loadOdd(i, versions int) ([]oddity, error) {
	s := x.section(secOdd, i)
	text, err := x.string(x.section(secOddText, i))
	if err != nil || s.n == 0 {
		return nil, err
	}
	odd := make([]oddity, 0, s.n/oddSize)
	err = x.each(s, func(p []byte) error {
		for ; len(p) >= oddSize; p = p[oddSize:] {
			o, r := parseOdd(p)
			if int64(r.off)+int64(r.n) > int64(len(text)) || int(o.version) >= versions ||
				len(odd) > 0 && odd[len(odd)-1].version >= o.version {
				return indexError(s.off, "unusual entry of version %d at %d", o.version, r.off)
			}
			var err error
			if o.extra, err = parseMembers(text[r.off:][:r.n]); err != nil {
				return err
			}
			odd = append(odd, o)
		}
		return nil
	})
	return odd, err
}

const oddSize = 16

// parseOdd parses a record of secOdd.
func parseOdd(b []byte) (oddity, ref) {
	o := oddity{version: binary.LittleEndian.Uint32(b), missing: b[4] != 0}
	return o, ref{binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])}
}
