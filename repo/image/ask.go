package image

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Manifest returns the manifest of a package that is installed or known: what the image
// keeps of it, or else what its publisher has. It must be the one that the catalog lists.
func (i *Image) Manifest(ctx context.Context, f fmri.FMRI) (_ *manifest.Manifest, err error) {
	defer wrap(&err, "manifest", i.path)
	s := i.state.Load()
	if _, ok := s.known.Lookup(f); !ok && !s.has(f) {
		return nil, because(fs.ErrNotExist, "%v is neither installed nor offered by a publisher", f)
	}
	ms := i.manifests(s, i.newTree())
	defer ms.close()
	return ms.get(ctx, f)
}

// Contents yields what an installed package delivers to this image: the actions that its
// variants and facets admit, and of mediated links those that it has settled on.
func (i *Image) Contents(ctx context.Context, f fmri.FMRI) iter.Seq2[manifest.Action, error] {
	return func(yield func(manifest.Action, error) bool) {
		r := i.newReader()
		defer r.close()
		m, err := r.installed(ctx, f)
		if err != nil {
			yield(manifest.Action{}, wrapped("contents", i.path, err))
			return
		}
		for a := range r.delivered(m) {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// A Delivery is what a package has at a path.
type Delivery struct {
	Package fmri.FMRI
	Action  manifest.Action
}

// Owners yields which installed packages deliver a path below the root of the image, by
// name; several may share a directory. An error concerns one package, and the next one
// follows.
func (i *Image) Owners(ctx context.Context, name string) iter.Seq2[Delivery, error] {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	return func(yield func(Delivery, error) bool) {
		r := i.newReader()
		defer r.close()
		for f := range r.state.packages() {
			m, err := r.installed(ctx, f)
			if err != nil {
				if !yield(Delivery{Package: f}, wrapped("owners", i.path, err)) || ctx.Err() != nil {
					return
				}
				continue
			}
			for a := range r.delivered(m) {
				if at, err := a.Path(); err == nil && at == name && !yield(Delivery{f, a}, nil) {
					return
				}
			}
		}
	}
}

// A License is what an installed package says about its terms.
type License struct {
	Name        string // which may be any text
	MustAccept  bool
	MustDisplay bool
	Text        []byte // as the image keeps it
}

// maxLicense bounds the text of a license, in bytes.
const maxLicense = 16 << 20

// Licenses yields the licenses of an installed package. Where the text is missing, the
// license comes with an error matching [fs.ErrNotExist].
func (i *Image) Licenses(ctx context.Context, f fmri.FMRI) iter.Seq2[License, error] {
	return func(yield func(License, error) bool) {
		r := i.newReader()
		defer r.close()
		m, err := r.installed(ctx, f)
		if err != nil {
			yield(License{}, wrapped("licenses", i.path, err))
			return
		}
		for a := range m.Kind(manifest.KindLicense) {
			if !r.filter.Allows(a) {
				continue
			}
			l, err := r.license(f, a)
			if !yield(l, wrapped("licenses", i.path, err)) {
				return
			}
		}
	}
}

// A reader answers questions about one state of an image.
type reader struct {
	image  *Image
	state  *state
	filter *manifest.Filter
	out    excluder
	tree   *tree
}

func (i *Image) newReader() *reader {
	s := i.state.Load()
	out, err := s.config.excluder()
	if err != nil {
		i.opts.Log.Warn("no path is taken to be left out of the image", "error", err)
	}
	return &reader{image: i, state: s, filter: s.config.Varcets.Filter(), out: out, tree: i.newTree()}
}

func (r *reader) close() { r.tree.forget() }

// installed returns the manifest of an installed package, which is on disk.
func (r *reader) installed(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !r.state.has(f) {
		return nil, because(fs.ErrNotExist, "%v is not installed", f)
	}
	m, err := r.image.localManifest(r.tree, f, r.state.manifestDigest(f))
	if errors.Is(err, fs.ErrNotExist) {
		err = because(fs.ErrNotExist, "the manifest of %v is missing from the image", f)
	}
	return m, err
}

// delivered yields the actions of a manifest that count in this image.
func (r *reader) delivered(m *manifest.Manifest) iter.Seq[manifest.Action] {
	return func(yield func(manifest.Action) bool) {
		for a := range m.All() {
			if r.filter.Allows(a) && r.state.settled(a) && !r.out.excludes(a) && !yield(a) {
				return
			}
		}
	}
}

func (r *reader) license(f fmri.FMRI, a manifest.Action) (l License, err error) {
	d, err := a.Decode()
	if err != nil {
		return l, err
	}
	terms, _ := d.(manifest.License)
	l = License{Name: terms.Name, MustAccept: terms.MustAccept, MustDisplay: terms.MustDisplay}
	l.Text, err = r.tree.readFile(r.image.licensePath(f, a), maxLicense)
	if errors.Is(err, fs.ErrNotExist) {
		err = because(fs.ErrNotExist, "the text of license %q of %v is missing", l.Name, f)
	}
	return l, err
}

// has reports whether a package is installed.
func (s *state) has(f fmri.FMRI) bool {
	_, ok := s.installed.Lookup(f)
	return ok
}
