package catalog

import (
	"cmp"
	"slices"
	"sort"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// columns are the versions of a catalog and what the base part says about them.
// Publishers, stems and versions are in ascending order, and versions are numbered
// through: a version's id is its place.
type columns struct {
	text     text
	pubs     []publisher
	stems    []ref
	first    []uint32 // first version of each stem; one more at the end
	versions []version
	extra    []uint32        // by version, an index into extras; nil if none has any
	extras   [][]scan.Member // distinct further members of base entries; the first is empty
}

// A publisher owns the stems lo <= i < hi.
type publisher struct {
	name   string
	lo, hi int
}

// A version is 32 bytes without a pointer.
type version struct {
	off    uint32 // of its text
	n      uint16 // length of its text; package fmri admits no longer one
	marks  mark
	_      byte
	stem   uint32
	digest [20]byte // SHA-1 of the manifest, if markDigest
}

func (v *version) ref() ref { return ref{v.off, uint32(v.n)} }

func (c *columns) stem(i int) string     { return c.text.at(c.stems[i]) }
func (c *columns) version(id int) string { return c.text.at(c.versions[id].ref()) }

// publisherOf returns the publisher of a stem.
func (c *columns) publisherOf(stem int) *publisher {
	i := sort.Search(len(c.pubs), func(i int) bool { return c.pubs[i].hi > stem })
	return &c.pubs[i]
}

// publisher returns the named publisher, or nil.
func (c *columns) publisher(name string) *publisher {
	i, ok := slices.BinarySearchFunc(c.pubs, name, func(p publisher, name string) int { return cmp.Compare(p.name, name) })
	if !ok {
		return nil
	}
	return &c.pubs[i]
}

// find returns the place of a stem of a publisher, and whether it is there.
func (c *columns) find(p *publisher, stem string) (int, bool) {
	i := p.lo + sort.Search(p.hi-p.lo, func(i int) bool { return c.stem(p.lo+i) >= stem })
	return i, i < p.hi && c.stem(i) == stem
}

// span returns the versions of a stem, lo <= id < hi.
func (c *columns) span(publisher, stem string) (lo, hi int) {
	p := c.publisher(publisher)
	if p == nil {
		return 0, 0
	}
	i, ok := c.find(p, stem)
	if !ok {
		return 0, 0
	}
	return int(c.first[i]), int(c.first[i+1])
}

// parsed returns the parsed version.
func (c *columns) parsed(id int) fmri.Version {
	v, _ := fmri.ParseVersion(c.version(id)) // was checked when it was added
	return v
}

// search returns the id in [lo,hi) of the version v, and whether it is there.
// Versions that differ only in their build are equal in order; the text decides.
func (c *columns) search(lo, hi int, v fmri.Version) (int, bool) {
	i := lo + sort.Search(hi-lo, func(i int) bool { return c.parsed(lo+i).Compare(v) >= 0 })
	for j := i; j < hi; j++ {
		if c.version(j) == v.String() {
			return j, true
		}
		if c.parsed(j).Compare(v) != 0 {
			break
		}
	}
	return i, false
}

// extraOf returns the further members of a base entry.
func (c *columns) extraOf(id int) []scan.Member {
	if c.extra == nil {
		return nil
	}
	return c.extras[c.extra[id]]
}
