package repo

import (
	"fmt"
	"io/fs"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// transform changes a package as the options say. Its manifest is nil if it is to be
// left out.
func (c *copying) transform(p *toCopy) error {
	if c.opts.Transform == nil {
		return nil
	}
	old := p.manifest
	m, err := c.opts.Transform(old)
	if p.manifest = m; err != nil || m == nil || m == old {
		return err
	}
	f, ok := m.FMRI()
	if !ok {
		return fmt.Errorf("changed manifest without pkg.fmri: %w", fs.ErrInvalid)
	}
	p.fmri = completed(f, p.source)
	if f != p.fmri {
		if p.manifest, err = renamed(m, p.fmri); err != nil {
			return err
		}
	}
	return publishable(p.manifest)
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
