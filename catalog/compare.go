package catalog

import (
	"cmp"
	"sort"

	"github.com/goips/ips/fmri"
)

// compareVersions orders versions as pkg(7) does, and those that are equal in its
// eyes, which differ only in their build, by their text.
func compareVersions(v, w fmri.Version) int {
	if c := v.Compare(w); c != 0 {
		return c
	}
	return cmp.Compare(v.String(), w.String())
}

// compareFMRIs orders FMRIs as catalogs do: by publisher, name and version.
func compareFMRIs(f, g fmri.FMRI) int {
	if c := cmp.Compare(f.Publisher(), g.Publisher()); c != 0 {
		return c
	}
	if c := cmp.Compare(f.Name(), g.Name()); c != 0 {
		return c
	}
	return compareVersions(f.Version(), g.Version())
}

// compareAt orders the version id of c and the version jd of d. Versions with the
// same text, which are most, need not be parsed.
func compareAt(c *Catalog, id int, d *Catalog, jd int) int {
	if r := compareStems(c, c.versions[id].stem, d, d.versions[jd].stem); r != 0 {
		return r
	}
	return compareTexts(c, id, d, jd)
}

// compareStems orders two stems.
func compareStems(c *Catalog, i uint32, d *Catalog, j uint32) int {
	if r := cmp.Compare(c.publisherOf(int(i)).name, d.publisherOf(int(j)).name); r != 0 {
		return r
	}
	return cmp.Compare(c.stem(int(i)), d.stem(int(j)))
}

// compareTexts orders two versions of one stem.
func compareTexts(c *Catalog, id int, d *Catalog, jd int) int {
	if c.version(id) == d.version(jd) {
		return 0
	}
	return compareVersions(c.parsed(id), d.parsed(jd))
}

// lowerBound returns the first id that is not before f, at least from.
func (c *Catalog) lowerBound(from int, f fmri.FMRI) int {
	n := c.Len() - from
	return from + sort.Search(n, func(i int) bool { return compareFMRIs(c.at(from+i).FMRI(), f) >= 0 })
}
