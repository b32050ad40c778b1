package solver

import (
	"iter"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// A Source is where a [Model] learns what exists. [FromCatalog] makes one of a
// catalog; a program that has no catalog writes its own.
type Source interface {
	// Packages yields every known package version once, in any order.
	// An error ends the building of a model.
	Packages() iter.Seq2[Package, error]
}

// A Package is one version and what it says about its dependencies.
type Package struct {
	FMRI fmri.FMRI // with publisher and version

	// Actions are texts of the package's actions. Only depend and set actions
	// count; others are passed over. The slice may be reused for the next
	// package, the strings may not.
	Actions []string
}

// FromCatalog returns c as a [Source].
func FromCatalog(c *catalog.Catalog) Source { return catalogSource{c} }

type catalogSource struct{ c *catalog.Catalog }

// Packages yields the versions of the catalog with their dependency part.
func (s catalogSource) Packages() iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		var texts []string
		for p := range s.c.All() {
			texts = texts[:0]
			for text, err := range p.Texts(catalog.Dependency) {
				if err != nil {
					yield(Package{}, err)
					return
				}
				texts = append(texts, text)
			}
			if !yield(Package{p.FMRI(), texts}, nil) {
				return
			}
		}
	}
}
