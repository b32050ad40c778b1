package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"sync"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A form is what a manifest says about the stored form of a payload.
type form struct {
	digests manifest.Digests
	size    int64
}

// forms are the stored forms that manifests name. Nearly all payloads have one:
// others come of copying between repositories that compress differently.
type forms struct {
	first map[manifest.Digest]form
	more  map[manifest.Digest][]form
}

// add takes in what a manifest says.
func (x *forms) add(m *manifest.Manifest) {
	for p := range payloadsOf(m) {
		f := form{p.Stored, p.StoredSize}
		first, ok := x.first[p.Name()]
		switch {
		case !ok:
			x.first[p.Name()] = f
		case first != f && !slices.Contains(x.more[p.Name()], f):
			x.more[p.Name()] = append(x.more[p.Name()], f)
		}
	}
}

// addSuspended takes in what manifests of suspended transactions say.
func (x *forms) addSuspended(ctx context.Context, r *Repository, publisher string) error {
	for info, err := range r.store.List(ctx, r.home(publisher).transactions()) {
		if err != nil {
			return err
		}
		if path.Base(info.Name) != transManifest {
			continue
		}
		text, err := readObject(ctx, r.store, info.Name, maxManifest)
		if err := ignore(err, fs.ErrNotExist); err != nil {
			return err
		}
		m, _ := manifest.Parse(info.Name, text) // with what could be read
		x.add(m)
	}
	return nil
}

// others yields p with each form that it has elsewhere.
func (x *forms) others(p manifest.Payload) iter.Seq[manifest.Payload] {
	return func(yield func(manifest.Payload) bool) {
		own := form{p.Stored, p.StoredSize}
		first, ok := x.first[p.Name()]
		if !ok {
			return
		}
		for _, f := range append([]form{first}, x.more[p.Name()]...) {
			p.Stored, p.StoredSize = f.digests, f.size
			if f != own && !yield(p) {
				return
			}
		}
	}
}

// readForms reads all manifests of a publisher, in a Repository those that are
// not listed as well, and those of suspended transactions. Those that cannot be
// read say nothing.
func readForms(ctx context.Context, s Source, publisher string) (*forms, error) {
	x := &forms{map[manifest.Digest]form{}, map[manifest.Digest][]form{}}
	if r, ok := s.(*Repository); ok {
		for m, err := range r.manifests(ctx, r.home(publisher)) {
			if err != nil {
				return nil, err
			}
			x.add(m.manifest)
		}
		return x, x.addSuspended(ctx, r, publisher)
	}
	c, err := s.Catalog(ctx, publisher)
	if err != nil {
		return nil, err
	}
	var listed []fmri.FMRI
	for p := range c.All() {
		listed = append(listed, p.FMRI())
	}
	for m, err := range ordered(ctx, withoutError(listed), workers(0), func(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
		m, err := s.Manifest(ctx, f)
		if err != nil {
			return nil, ctx.Err()
		}
		return m, nil
	}) {
		if err != nil {
			return nil, err
		}
		x.add(m)
	}
	return x, nil
}

// knownForms reads the forms of a publisher when they are first asked for: where
// all is well they never are.
type knownForms struct {
	mu          sync.Mutex
	ofPublisher map[string]*forms
}

func (k *knownForms) of(ctx context.Context, s Source, publisher string) (*forms, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if x := k.ofPublisher[publisher]; x != nil {
		return x, nil
	}
	x, err := readForms(ctx, s, publisher)
	if err != nil {
		return nil, err
	}
	if k.ofPublisher == nil {
		k.ofPublisher = map[string]*forms{}
	}
	k.ofPublisher[publisher] = x
	return x, nil
}

// isOtherForm reports whether an error says that bytes are another stored form
// than a manifest names. Their content may be right.
func isOtherForm(err error) bool {
	var bad *manifest.PayloadError
	var size *manifest.SizeError
	var hash *manifest.HashError
	return errors.As(err, &bad) && bad.Form == manifest.FormStored && (errors.As(err, &size) || errors.As(err, &hash))
}

// hasForm reports whether a payload is stored in the form that p names or, if it
// names none, at all. An error matches fs.ErrNotExist if it is not stored.
func (r *Repository) hasForm(ctx context.Context, publisher string, p manifest.Payload) (bool, error) {
	stored, info, err := r.store.Open(ctx, r.home(publisher).payload(p.Name()))
	if err != nil {
		return false, err
	}
	defer stored.Close()
	best := p.Stored.Best()
	if !best.IsValid() {
		return true, nil
	}
	if p.StoredSize >= 0 && p.StoredSize != info.Size {
		return false, nil
	}
	h := best.Algorithm().New()
	if _, err := io.Copy(h, contextReader{ctx, stored}); err != nil {
		return false, err
	}
	got, err := best.Algorithm().Digest(h.Sum(nil))
	return got == best, err
}
