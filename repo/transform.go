package repo

import (
	"io/fs"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Transformed returns the name and the manifest with which Copy publishes a package of
// a source; the manifest is nil if it leaves the package out. It is for programs that
// put packages elsewhere than into a Sink. The error is an *Error.
func (o *CopyOptions) Transformed(f fmri.FMRI, m *manifest.Manifest) (fmri.FMRI, *manifest.Manifest, error) {
	if o == nil || o.Transform == nil {
		return f, m, nil
	}
	name := f
	changed, err := o.Transform(m)
	if err == nil && changed != nil && changed != m {
		name, changed, err = named(changed, f)
	}
	if err != nil {
		return f, nil, &Error{Op: "transform", FMRI: f, Err: err}
	}
	return name, changed, nil
}

// named returns a changed manifest with the name that is published, and that name.
func named(m *manifest.Manifest, source fmri.FMRI) (fmri.FMRI, *manifest.Manifest, error) {
	said, ok := m.FMRI()
	if !ok {
		return source, nil, because(fs.ErrInvalid, "changed manifest without pkg.fmri")
	}
	f := completed(said, source)
	if f != said {
		var err error
		if m, err = renamed(m, f); err != nil {
			return source, nil, err
		}
	}
	return f, m, publishable(m)
}

// completed returns a name with the publisher and the timestamp of another, if it
// lacks them.
func completed(f, other fmri.FMRI) fmri.FMRI {
	if f.Publisher() == "" {
		f = f.WithPublisher(other.Publisher())
	}
	if _, ok := f.Version().Time(); ok || !f.Version().IsValid() {
		return f
	}
	if t, ok := other.Version().Time(); ok {
		f = f.WithVersion(f.Version().WithTime(t))
	}
	return f
}

// renamed returns a manifest in which the package has another name.
func renamed(m *manifest.Manifest, f fmri.FMRI) (*manifest.Manifest, error) {
	changed := new(manifest.Manifest)
	for a := range m.All() {
		if key, _ := a.Key(); a.Kind == manifest.KindSet && (key == "pkg.fmri" || key == "fmri") {
			a.Attrs = a.Attrs.With("value", f.String())
		}
		if err := changed.Add(a); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// publishable refuses manifests that could not come from actions added to a Tx.
func publishable(m *manifest.Manifest) error {
	if err := checkManifest(m); err != nil {
		return err
	}
	for a := range m.All() {
		if err := hasPayload(a); err != nil {
			return err
		}
	}
	return nil
}
