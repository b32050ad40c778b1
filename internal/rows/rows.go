// Package rows is how packages of this module read a catalog by number, without
// handles and copies. It is not part of the API: what embedders need of a
// catalog, they get from its packages.
//
// A row is a version, in the order of the catalog. An action is a text; two actions of
// a table have the same number only if they have the same text. Numbers are dense.
package rows

import "github.com/goips/ips/fmri"

// A Catalog is a catalog by rows.
type Catalog interface {
	// Span returns the rows lo <= row < hi of one package. If it has none, lo == hi.
	Span(publisher, name string) (lo, hi int)
	// Version returns the version of a row.
	Version(row int) fmri.Version
	// Table returns the actions of a part. A part that the catalog does not have has none.
	Table(part string) (*Table, error)
}

// A Table says which row of a part has which actions.
type Table struct {
	First   []uint32 // by row, where in Numbers its actions begin; one more at the end
	Numbers []uint32
	Texts
}

// Texts are the distinct actions of a part.
type Texts interface {
	// Len returns how many there are.
	Len() int
	// Text returns the text of one.
	Text(action uint32) string
	// Has reports whether the part has an entry for a row, which may be one without actions.
	Has(row int) bool
}

// Actions returns the actions of a row, in the manifest's order. The caller must not
// change the slice.
func (t *Table) Actions(row int) []uint32 {
	return t.Numbers[t.First[row]:t.First[row+1]:t.First[row+1]]
}
