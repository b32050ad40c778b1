package repo

import (
	"io/fs"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A DependencyCheck says how thoroughly Verify looks at dependencies.
type DependencyCheck uint8

const (
	// NoDependencies means not at all.
	NoDependencies DependencyCheck = iota

	// UsualDependencies passes over optional dependencies on packages that the
	// source does not have in any version, and dependencies that say
	// ignore-check.
	UsualDependencies

	// AllDependencies passes over none of these.
	AllDependencies
)

// verifyDependencies returns the dependencies of a package that nothing in the
// source satisfies. Excluded packages, packages of a parent image and features
// are not looked for; of alternatives each is.
func (v *verifying) verifyDependencies(f fmri.FMRI, m *manifest.Manifest) []Finding {
	if v.opts.Dependencies == NoDependencies {
		return nil
	}
	var found []Finding
	for a := range m.Kind(manifest.KindDepend) {
		if v.opts.Dependencies == UsualDependencies && a.Attrs.Has("ignore-check") {
			continue
		}
		decoded, err := a.Decode()
		d, ok := decoded.(manifest.Depend)
		if err != nil || !ok {
			found = append(found, Finding{Fault: BadManifest, Publisher: f.Publisher(), FMRI: f, Name: v.manifestName(f), Err: err})
			continue
		}
		if d.Type == manifest.DependExclude || d.Type == manifest.DependParent {
			continue
		}
		for _, need := range d.FMRIs {
			if v.satisfied(f, d.Type, need) {
				continue
			}
			one := manifest.Depend{Type: d.Type, FMRIs: []fmri.FMRI{need}}
			found = append(found, Finding{
				Fault: BadDependency, Publisher: f.Publisher(), FMRI: f, Name: v.manifestName(f), Dependency: one,
				Err: because(fs.ErrNotExist, "%v dependency on %v", d.Type, need),
			})
		}
	}
	return found
}

// satisfied reports whether some package is what a dependency asks for, or need
// not be.
func (v *verifying) satisfied(f fmri.FMRI, kind manifest.DependType, need fmri.FMRI) bool {
	if strings.HasPrefix(need.Name(), "feature/") || v.opts.Ignore != nil && v.opts.Ignore(f, need) {
		return true
	}
	known := false
	for p := range v.versions(need) {
		known = true
		version := p.Version()
		switch {
		case !need.Version().IsValid(),
			kind == manifest.DependIncorporate && version.Succeeds(need.Version(), fmri.Auto),
			kind != manifest.DependIncorporate && version.Compare(need.Version()) >= 0:
			return true
		}
	}
	return !known && kind == manifest.DependOptional && v.opts.Dependencies != AllDependencies
}

// versions yields all versions of a package, of any publisher if it names none.
func (v *verifying) versions(need fmri.FMRI) func(func(catalog.Package) bool) {
	return func(yield func(catalog.Package) bool) {
		for _, c := range v.catalogs {
			for name := range c.Publishers() {
				if need.Publisher() != "" && need.Publisher() != name {
					continue
				}
				for p := range c.Versions(name, need.Name()) {
					if !yield(p) {
						return
					}
				}
			}
		}
	}
}
