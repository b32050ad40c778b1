package repo

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Selection says which packages of a source are meant. The zero Selection
// means all.
type Selection struct {
	Patterns     []fmri.Pattern // nil means every package
	Publishers   []string       // nil means every publisher
	Versions     Versions
	Dependencies bool // with all that these packages depend on
}

// Versions says which of the versions that fit are meant.
type Versions uint8

const (
	AllTimestamps Versions = iota // all
	AllVersions                   // of versions that differ only by timestamp the newest
	Latest                        // of each package the newest
)

// A NoMatchError reports patterns that fit no package.
type NoMatchError struct{ Patterns []fmri.Pattern }

func (e *NoMatchError) Error() string {
	texts := make([]string, len(e.Patterns))
	for i, p := range e.Patterns {
		texts[i] = p.String()
	}
	return "no package matches " + strings.Join(texts, ", ")
}

// Unwrap returns fs.ErrNotExist.
func (e *NoMatchError) Unwrap() error { return fs.ErrNotExist }

// Find returns the packages of a source that are meant, sorted. If there are
// patterns that fit none, it returns a *NoMatchError beside what fits others.
func (s *Selection) Find(ctx context.Context, src Source) ([]fmri.FMRI, error) {
	catalogs, err := s.catalogs(ctx, src)
	if err != nil {
		return nil, err
	}
	found := map[fmri.FMRI]bool{}
	var missed []fmri.Pattern
	if s.Patterns == nil {
		for _, c := range catalogs {
			add(found, c.All())
		}
	}
	for _, p := range s.Patterns {
		if !s.match(p, catalogs, found) {
			missed = append(missed, p)
		}
	}
	chosen := s.Versions.choose(found)
	if s.Dependencies {
		if chosen, err = s.withDependencies(catalogs, chosen); err != nil {
			return nil, err
		}
	}
	if missed != nil {
		err = &NoMatchError{missed}
	}
	return chosen, err
}

// catalogs reads the catalogs that are searched.
func (s *Selection) catalogs(ctx context.Context, src Source) ([]*catalog.Catalog, error) {
	names, err := src.Publishers(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range s.Publishers {
		if !slices.Contains(names, name) {
			return nil, &Error{Op: "search", Publisher: name, Err: because(fs.ErrNotExist, "the source has no such publisher")}
		}
	}
	var all []*catalog.Catalog
	for _, name := range names {
		if s.Publishers != nil && !slices.Contains(s.Publishers, name) {
			continue
		}
		c, err := src.Catalog(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// match adds what a pattern fits, and reports whether that is anything.
func (s *Selection) match(p fmri.Pattern, catalogs []*catalog.Catalog, found map[fmri.FMRI]bool) bool {
	var fits []fmri.FMRI
	for _, c := range catalogs {
		for e := range c.Match(p) {
			fits = append(fits, e.FMRI())
		}
	}
	if p.IsLatest() {
		fits = p.Select(fits) // of all publishers
	}
	for _, f := range fits {
		found[f] = true
	}
	return len(fits) > 0
}

func add(found map[fmri.FMRI]bool, entries iter.Seq[catalog.Package]) {
	for e := range entries {
		found[e.FMRI()] = true
	}
}

// choose returns those that are meant, sorted.
func (v Versions) choose(found map[fmri.FMRI]bool) []fmri.FMRI {
	all := sortedNames(found)
	if v == AllTimestamps {
		return all
	}
	var chosen []fmri.FMRI
	for i, f := range all {
		if i+1 < len(all) && v.same(f, all[i+1]) {
			continue // a newer one follows
		}
		chosen = append(chosen, f)
	}
	return chosen
}

// same reports whether only one of two is meant.
func (v Versions) same(f, g fmri.FMRI) bool {
	if f.Stem() != g.Stem() {
		return false
	}
	return v == Latest || f.Version().Release() == g.Version().Release() && f.Version().Branch() == g.Version().Branch()
}

func sortedNames(found map[fmri.FMRI]bool) []fmri.FMRI {
	all := make([]fmri.FMRI, 0, len(found))
	for f := range found {
		all = append(all, f)
	}
	slices.SortFunc(all, fmri.FMRI.Compare)
	return all
}

// withDependencies adds what packages depend on, and what that depends on. A
// dependency means the newest version that it allows. What is not in the
// catalogs is left out.
func (s *Selection) withDependencies(catalogs []*catalog.Catalog, pkgs []fmri.FMRI) ([]fmri.FMRI, error) {
	found := map[fmri.FMRI]bool{}
	todo := slices.Clone(pkgs)
	for len(todo) > 0 {
		f := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if found[f] {
			continue
		}
		found[f] = true
		needs, err := dependencies(catalogs, f)
		if err != nil {
			return nil, err
		}
		todo = append(todo, needs...)
	}
	return sortedNames(found), nil
}

// dependencies returns the packages that one depends on directly.
func dependencies(catalogs []*catalog.Catalog, f fmri.FMRI) ([]fmri.FMRI, error) {
	var needs []fmri.FMRI
	for _, c := range catalogs {
		p, ok := c.Lookup(f)
		if !ok {
			continue
		}
		for d, err := range p.Depends() {
			if err != nil {
				return nil, fmt.Errorf("dependencies of %s: %w", f, err)
			}
			if d.Type == manifest.DependExclude || d.Type == manifest.DependParent {
				continue
			}
			for _, want := range d.FMRIs {
				if need, ok := newest(catalogs, f.Publisher(), want); ok {
					needs = append(needs, need)
				}
			}
		}
	}
	return needs, nil
}

// newest returns the newest version that a dependency allows, of the publisher
// of the dependent package if it has one.
func newest(catalogs []*catalog.Catalog, publisher string, want fmri.FMRI) (fmri.FMRI, bool) {
	if want.Publisher() != "" {
		publisher = want.Publisher()
	}
	var other fmri.FMRI
	for _, c := range catalogs {
		for name := range c.Publishers() {
			f, ok := newestOf(c, name, want)
			if ok && name == publisher {
				return f, true
			}
			if ok && (!other.IsValid() || other.Version().Compare(f.Version()) < 0) {
				other = f
			}
		}
	}
	return other, other.IsValid()
}

// newestOf prefers versions that continue the one wanted to others that are not
// older.
func newestOf(c *catalog.Catalog, publisher string, want fmri.FMRI) (fmri.FMRI, bool) {
	var later fmri.FMRI
	for p := range c.Versions(publisher, want.Name()) { // newest first
		f := p.FMRI()
		if !want.Version().IsValid() || f.Version().Succeeds(want.Version(), fmri.Auto) {
			return f, true
		}
		if !later.IsValid() && f.Version().Compare(want.Version()) >= 0 {
			later = f
		}
	}
	return later, later.IsValid()
}
