package repo

import "github.com/goips/ips/manifest"

// A sketch has as much of a package as shows a contradiction: whether it is obsolete or
// renamed, and one action of each kind. The zero sketch is of an empty package.
type sketch struct {
	manifest manifest.Manifest
	kinds    map[manifest.Kind]bool
}

// add takes an action into the sketch, unless it contradicts the others: an obsolete
// package, for one, has no contents.
func (s *sketch) add(a manifest.Action) error {
	if !s.tells(a) {
		return nil
	}
	var with manifest.Manifest
	for old := range s.manifest.All() {
		if err := with.Add(old); err != nil {
			return err
		}
	}
	if err := with.Add(a); err != nil {
		return err
	}
	if err := with.Validate().Err(); err != nil {
		return err
	}
	s.manifest = with
	return nil
}

// tells reports whether an action is to be in the sketch.
func (s *sketch) tells(a manifest.Action) bool {
	if a.Kind == manifest.KindSet {
		name, _ := a.Key()
		return name == "pkg.obsolete" || name == "pkg.renamed"
	}
	if s.kinds == nil {
		s.kinds = map[manifest.Kind]bool{}
	}
	first := !s.kinds[a.Kind]
	s.kinds[a.Kind] = true
	return first
}
