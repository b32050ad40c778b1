package catalog

import (
	"cmp"
	"errors"
	"slices"
)

// An assembler makes the columns and tables of a catalog out of entries that come in
// order: runs of other catalogs, and single new ones. The text and the action ids
// of one of these catalogs, the trunk, are taken over as they are, so that what
// does not change costs no more than a copy of its columns.
type assembler struct {
	columns
	text   textBuilder
	extras memberSets
	trunk  *Catalog        // may be nil
	tables []*tableBuilder // sorted by part
	err    error
}

var errFull = errors.New("a catalog can have 4 GiB of text and 2^31 actions")

// newAssembler returns an assembler for a catalog of about size versions.
func newAssembler(trunk *Catalog, size int) *assembler {
	a := &assembler{trunk: trunk}
	a.versions = make([]version, 0, size)
	if trunk == nil {
		return a
	}
	a.text.extend(trunk.columns.text)
	a.extras.sets = trunk.columns.extras
	a.stems = make([]ref, 0, len(trunk.stems)+len(trunk.stems)/64)
	a.first = make([]uint32, 0, len(trunk.first)+len(trunk.first)/64)
	for _, p := range trunk.parts {
		t := a.actions(p)
		if t == nil {
			continue
		}
		b := a.table(Part(p.Name))
		b.trunk = t
		b.text, b.refs, b.marks = t.text, t.refs, t.marks
		b.first = slices.Grow(b.first, size)
		b.ids = make([]uint32, 0, len(t.ids)+len(t.ids)/64)
	}
	return a
}

// actions returns the table of a part, or nil for the base part and one that was not
// read. If it cannot be loaded, assembling fails.
func (a *assembler) actions(p *part) *table {
	t, err := p.actions()
	a.err = cmp.Or(a.err, err)
	return t
}

// table returns the builder of a part, which is added if it is new.
func (a *assembler) table(part Part) *tableBuilder {
	i, ok := slices.BinarySearchFunc(a.tables, part, func(b *tableBuilder, part Part) int {
		return cmp.Compare(b.part, part)
	})
	if !ok {
		b := &tableBuilder{part: part}
		b.first = []uint32{0}
		a.tables = slices.Insert(a.tables, i, b)
	}
	return a.tables[i]
}

// place adds a string of c, unless it is there as one of the trunk.
func (a *assembler) place(c *Catalog, r ref) ref {
	if c == a.trunk {
		return r
	}
	return a.addText(c.columns.text.at(r))
}

func (a *assembler) addText(s string) ref {
	if !a.text.room(len(s)) {
		a.err = errFull
		return ref{}
	}
	return a.text.addString(s)
}

// open makes the named stem the current one and reports whether it is new. A new
// one has yet to be placed.
func (a *assembler) open(name, stem string) bool {
	n := len(a.pubs)
	if n == 0 || a.pubs[n-1].name != name {
		a.pubs = append(a.pubs, publisher{name, len(a.stems), len(a.stems)})
		n++
	}
	p := &a.pubs[n-1]
	if p.lo < p.hi && a.text.at(a.stems[p.hi-1]) == stem {
		return false
	}
	p.hi++
	a.first = append(a.first, uint32(len(a.versions)))
	return true
}

// run adds the versions lo <= id < hi of a catalog.
func (a *assembler) run(c *Catalog, lo, hi int) {
	for id := lo; id < hi; {
		stem := int(c.versions[id].stem)
		if a.open(c.publisherOf(stem).name, c.stem(stem)) {
			a.stems = append(a.stems, a.place(c, c.stems[stem]))
		}
		for end := min(hi, int(c.first[stem+1])); id < end; id++ {
			a.copyRow(c, id)
		}
	}
	for _, p := range c.parts {
		if t := a.actions(p); t != nil {
			a.table(Part(p.Name)).run(t, lo, hi, len(a.versions)-(hi-lo))
		}
	}
}

// copyRow adds the row of a version to the current stem.
func (a *assembler) copyRow(c *Catalog, id int) {
	v := c.versions[id]
	v.off = a.place(c, v.ref()).off
	switch {
	case c.extra == nil:
		a.addRow(v, 0)
	case c == a.trunk:
		a.addRow(v, c.extra[id])
	default:
		a.addRow(v, a.extras.id(c.extraOf(id)))
	}
}

// addRow adds a row to the current stem.
func (a *assembler) addRow(v version, extra uint32) {
	v.stem = uint32(len(a.stems) - 1)
	if extra != 0 || a.extra != nil {
		a.extra = append(a.extra, make([]uint32, len(a.versions)-len(a.extra))...)
		a.extra = append(a.extra, extra)
	}
	a.versions = append(a.versions, v)
}

// add adds a single entry.
func (a *assembler) add(e *entry) {
	if a.open(e.fmri.Publisher(), e.fmri.Name()) {
		a.stems = append(a.stems, a.addText(e.fmri.Name()))
	}
	at, v := len(a.versions), e.row
	r := a.addText(e.fmri.Version().String())
	v.off, v.n = r.off, uint16(r.n)
	a.addRow(v, a.extras.id(e.extra))
	if e.source.IsValid() {
		a.lists(e.source, at)
		return
	}
	for i := range e.lists {
		b := a.table(e.lists[i].part)
		marks := b.add(&e.lists[i], at)
		if b.part == Dependency {
			a.versions[at].marks |= marks & markStates
		}
	}
}

// lists adds the lists of an entry of another catalog.
func (a *assembler) lists(p Package, at int) {
	for _, part := range p.c.parts {
		if t := a.actions(part); t != nil && t.Has(p.row()) {
			a.table(Part(part.Name)).run(t, p.row(), p.row()+1, at)
		}
	}
}

// finish puts columns and tables into a catalog that has the parts. Parts of the
// tables that it has not are added.
func (a *assembler) finish(c *Catalog) error {
	a.first = append(a.first, uint32(len(a.versions)))
	if a.extra != nil {
		a.extra = append(a.extra, make([]uint32, len(a.versions)-len(a.extra))...)
	}
	c.columns = a.columns
	c.columns.text, c.columns.extras = a.text.done(), a.extras.sets
	if len(a.versions) > 0 {
		c.addPart(Base)
	}
	for _, b := range a.tables {
		c.addPart(b.part).table = b.finish(len(a.versions))
		a.err = cmp.Or(a.err, b.err)
	}
	return a.err
}
