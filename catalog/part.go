package catalog

import (
	"io"
	"strings"
	"sync"

	"github.com/goips/ips/catalog/internal/scan"
)

// Part is the name of a part, the file that holds one kind of fact about all
// package versions.
type Part string

// The parts that repositories have. A summary in another language than C is
// [SummaryIn] its locale.
const (
	Base       Part = "catalog.base.C"       // the versions and the digests of their manifests
	Dependency Part = "catalog.dependency.C" // depend actions, and set actions that matter for solving
	Summary    Part = "catalog.summary.C"    // all other set actions
)

const attrsName = "catalog.attrs"

// SummaryIn returns the name of the summary part for a locale such as "pt_BR".
func SummaryIn(locale string) Part { return Part("catalog.summary." + locale) }

// Locale returns what follows the second dot of the part's name.
func (p Part) Locale() string { return locale(string(p)) }

// locale returns the locale of a part or update log.
func locale(name string) string {
	if fields := strings.SplitN(name, ".", 3); len(fields) == 3 {
		return fields[2]
	}
	return ""
}

// plainName reports whether name is a bare file name with the prefix, which is
// what attributes may list.
func plainName(name, prefix string) bool {
	return strings.HasPrefix(name, prefix) && !strings.ContainsAny(name, "/\\\x00")
}

// isSummary reports whether p has actions for people rather than for the solver.
func (p Part) isSummary() bool { return strings.HasPrefix(string(p), "catalog.summary") }

// A part is one file of a catalog in memory. It does not change once its catalog
// is made.
type part struct {
	FileAttrs               // as listed; the signature is empty if it is not known yet
	meta      []scan.Member // members of the file that are no publishers
	table     *table        // nil for the base part
	order     fileOrder
	load      func() (*table, error)
	skipped   bool // was not read
	loose     bool // was read from a file that is not in canonical form
	changed   bool // differs from the file of the catalog it comes from, or is new
	digest    digest
}

// A fileOrder gives the versions of stems, by the stems' place, that a file does not have in
// ascending order. It is nil nearly always. Writers sort; but what was read is
// to be written back as it was.
type fileOrder map[int][]uint32

func (o *fileOrder) set(stem int, ids []uint32) {
	if *o == nil {
		*o = fileOrder{}
	}
	(*o)[stem] = ids
}

// A digest is the digest of a part, found when it is first needed.
type digest struct {
	once sync.Once
	sum  string
	err  error
}

// sum returns the digest of a part, or nothing if the catalog is not signed.
func (p *part) sum(c *Catalog) (string, error) {
	if p.Signature != "" || c.unsigned {
		return p.Signature, nil
	}
	p.digest.once.Do(func() { p.digest.sum, p.digest.err = c.encode(io.Discard, p) })
	return p.digest.sum, p.digest.err
}

// actions returns the table of a part, which may first have to be loaded.
func (p *part) actions() (*table, error) {
	if p.load != nil {
		return p.load()
	}
	return p.table, nil
}
