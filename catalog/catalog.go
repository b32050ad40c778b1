package catalog

import (
	"cmp"
	"crypto/sha1"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/rows"
)

// A Catalog is an immutable, sorted set of package versions with what is known of
// each without its manifest. It is safe for concurrent use. The zero Catalog
// is empty.
//
// It is kept in columns without pointers: 32 bytes for each version and its name, and for
// each action a number that stands for its text. The text of the files is not kept.
type Catalog struct {
	columns
	created, modified time.Time
	v0                bool // converted from format 0
	unsigned          bool
	members           []scan.Member // further ones of the attributes
	parts             []*part       // sorted by name
	updates           []FileAttrs
	logs              []*Update // to be written
	attrsChanged      bool
	attrs             func() (*Attrs, error)
}

// newCatalog returns a catalog with the attributes and parts that attrs describe,
// and no packages.
func newCatalog(attrs *Attrs) *Catalog {
	c := &Catalog{
		created: attrs.Created, modified: attrs.Modified, v0: attrs.Format == 0,
		unsigned: attrs.Signature == "", members: attrs.extra, updates: attrs.Updates,
	}
	for _, f := range attrs.Parts {
		c.parts = append(c.parts, &part{FileAttrs: f})
	}
	c.attrs = sync.OnceValues(c.makeAttrs)
	return c
}

// part returns the part of that name, or nil.
func (c *Catalog) part(name Part) *part {
	for _, p := range c.parts {
		if p.Name == string(name) {
			return p
		}
	}
	return nil
}

// addPart adds a part unless there is one of that name, and returns it.
func (c *Catalog) addPart(name Part) *part {
	i, ok := slices.BinarySearchFunc(c.parts, name, func(p *part, name Part) int {
		return cmp.Compare(p.Name, string(name))
	})
	if !ok {
		p := &part{FileAttrs: FileAttrs{Name: string(name), Modified: c.modified}, changed: true}
		c.parts = slices.Insert(c.parts, i, p)
	}
	return c.parts[i]
}

// markStates notes which versions are obsolete or renamed.
func (c *Catalog) markStates() {
	p := c.part(Dependency)
	if p == nil || p.table == nil {
		return
	}
	for id, m := range p.table.states() {
		c.versions[id].marks |= m
	}
}

// Len returns the number of package versions.
func (c *Catalog) Len() int { return len(c.versions) }

// at returns a version by its place in the order of All.
func (c *Catalog) at(id int) Package { return Package{c, uint32(id)} }

// All returns every package version in ascending order of publisher, name and version.
func (c *Catalog) All() iter.Seq[Package] { return c.ids(0, c.Len()) }

// ids returns the versions lo <= id < hi.
func (c *Catalog) ids(lo, hi int) iter.Seq[Package] {
	return func(yield func(Package) bool) {
		for id := lo; id < hi && yield(Package{c, uint32(id)}); id++ {
		}
	}
}

// Newest returns the newest version of each name of each publisher, in order.
func (c *Catalog) Newest() iter.Seq[Package] {
	return func(yield func(Package) bool) {
		for i := range c.stems {
			if !yield(Package{c, c.first[i+1] - 1}) {
				return
			}
		}
	}
}

// Publishers returns the publishers that have packages, in order.
func (c *Catalog) Publishers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range c.pubs {
			if p.lo < p.hi && !yield(p.name) {
				return
			}
		}
	}
}

// Stems returns the names of a publisher's packages, in order.
func (c *Catalog) Stems(publisher string) iter.Seq[string] {
	return func(yield func(string) bool) {
		p := c.publisher(publisher)
		if p == nil {
			return
		}
		for i := p.lo; i < p.hi && yield(c.stem(i)); i++ {
		}
	}
}

// Versions returns the versions of one package, newest first.
func (c *Catalog) Versions(publisher, stem string) iter.Seq[Package] {
	return func(yield func(Package) bool) {
		lo, hi := c.span(publisher, stem)
		for id := hi - 1; id >= lo && yield(Package{c, uint32(id)}); id-- {
		}
	}
}

// Lookup returns the entry of exactly this publisher, name and version.
func (c *Catalog) Lookup(f fmri.FMRI) (Package, bool) {
	lo, hi := c.span(f.Publisher(), f.Name())
	id, ok := c.search(lo, hi, f.Version())
	if !ok {
		return Package{}, false
	}
	return Package{c, uint32(id)}, true
}

// Match returns what a pattern selects, in the order of All. It looks at each
// name once. A pattern that asks for the latest version gets, of each name, the
// newest over all publishers.
func (c *Catalog) Match(p fmri.Pattern) iter.Seq[Package] {
	return func(yield func(Package) bool) {
		newest := c.newestOf(p)
		for _, pub := range c.pubs {
			if p.Publisher() != "" && p.Publisher() != pub.name {
				continue
			}
			for i := pub.lo; i < pub.hi; i++ {
				if p.MatchesName(c.stem(i)) && !c.matchVersions(p, i, newest, yield) {
					return
				}
			}
		}
	}
}

// matchVersions yields the versions of a stem that a pattern selects.
func (c *Catalog) matchVersions(p fmri.Pattern, stem int, newest map[string]fmri.Version, yield func(Package) bool) bool {
	for id := c.first[stem]; id < c.first[stem+1]; id++ {
		v := fmri.Version{}
		if p.HasVersion() || newest != nil {
			v = c.parsed(int(id))
		}
		if p.HasVersion() && !p.MatchesVersion(v) || newest != nil && newest[c.stem(stem)].Compare(v) != 0 {
			continue
		}
		if !yield(Package{c, id}) {
			return false
		}
	}
	return true
}

// newestOf returns the newest version of each name that a pattern matches, over all
// publishers, or nil if the pattern does not ask for the latest.
func (c *Catalog) newestOf(p fmri.Pattern) map[string]fmri.Version {
	if !p.IsLatest() {
		return nil
	}
	newest := map[string]fmri.Version{}
	for _, pub := range c.pubs {
		if p.Publisher() != "" && p.Publisher() != pub.name {
			continue
		}
		for i := pub.lo; i < pub.hi; i++ {
			name := c.stem(i)
			if !p.MatchesName(name) {
				continue
			}
			v := c.parsed(int(c.first[i+1]) - 1)
			if old, ok := newest[name]; !ok || old.Compare(v) < 0 {
				newest[name] = v
			}
		}
	}
	return newest
}

// Parts returns the names of the parts that the catalog has and that were read, sorted.
func (c *Catalog) Parts() []Part {
	var names []Part
	for _, p := range c.parts {
		if !p.skipped {
			names = append(names, Part(p.Name))
		}
	}
	return names
}

// Created returns when the catalog was made, which is its identity for
// incremental updates.
func (c *Catalog) Created() time.Time { return c.created }

// Modified returns when the catalog was last changed.
func (c *Catalog) Modified() time.Time { return c.modified }

// table returns the distinct actions of a part and which version has which. A
// part that the catalog does not have has none.
func (c *Catalog) table(name Part) (*table, error) {
	if p := c.part(name); p != nil && name != Base {
		if p.skipped {
			return nil, errSkipped(name)
		}
		return p.actions()
	}
	return &table{first: make([]uint32, c.Len()+1)}, nil
}

// Attrs returns the attributes as they are written. If digests of parts are not
// known yet, it finds them.
func (c *Catalog) Attrs() (*Attrs, error) {
	if c.attrs == nil {
		return c.makeAttrs()
	}
	return c.attrs()
}

func (c *Catalog) makeAttrs() (*Attrs, error) {
	a := &Attrs{
		Created: c.created, Modified: c.modified, Format: 1, extra: c.members,
		Packages: len(c.stems), Versions: len(c.versions), Updates: slices.Clip(c.updates),
	}
	if c.v0 {
		a.Format = 0
	}
	for _, p := range c.parts {
		f := p.FileAttrs
		var err error
		if f.Signature, err = p.sum(c); err != nil {
			return nil, err
		}
		a.Parts = append(a.Parts, f)
	}
	if !c.unsigned {
		sum := sha1.New()
		sum.Write(a.appendText(nil, ""))
		a.Signature = hexSum(sum)
	}
	return a, nil
}

// Rows returns the catalog by rows. It is for packages of this module that read all of it
// at speed; others have [Catalog.All] and its like.
func (c *Catalog) Rows() rows.Catalog { return byRow{c} }

// byRow is a catalog by rows.
type byRow struct{ c *Catalog }

func (r byRow) Span(publisher, name string) (lo, hi int) { return r.c.span(publisher, name) }
func (r byRow) Version(row int) fmri.Version             { return r.c.parsed(row) }

func (r byRow) Table(part string) (*rows.Table, error) {
	t, err := r.c.table(Part(part))
	if err != nil {
		return nil, err
	}
	return &rows.Table{First: t.first, Numbers: t.ids, Texts: t}, nil
}
