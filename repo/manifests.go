package repo

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A storedManifest is an object where manifests are kept.
type storedManifest struct {
	name     string
	fmri     fmri.FMRI
	text     []byte             // nil: removed since it was listed
	manifest *manifest.Manifest // what could be read of it
	err      error              // of the name or the text
}

// manifests yields the manifests stored for a publisher, catalogued or not, in
// the order of their names. They are read in parallel.
func (r *Repository) manifests(ctx context.Context, h home) iter.Seq2[storedManifest, error] {
	found := ordered(ctx, r.store.List(ctx, h.packages()), 2*workers(0), func(ctx context.Context, info store.Info) (storedManifest, error) {
		return r.readManifest(ctx, h, info.Name)
	})
	return func(yield func(storedManifest, error) bool) {
		for m, err := range found {
			if err == nil && m.text == nil {
				continue
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// readManifest reads one object. Its error is that of the store; what is wrong
// with the object itself is in the result.
func (r *Repository) readManifest(ctx context.Context, h home, name string) (m storedManifest, err error) {
	m.name = name
	m.text, err = readObject(ctx, r.store, name, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if m.text == nil {
		m.text = []byte{}
	}
	if m.fmri, m.err = h.packageOf(name); m.err == nil {
		m.manifest, m.err = manifest.Parse(m.fmri.String(), m.text)
	}
	return m, nil
}

// unlisted yields the stored manifests that can be read and are not in the
// catalog. Only these are read.
func (w *writer) unlisted(ctx context.Context, c *catalog.Catalog) iter.Seq2[storedManifest, error] {
	return func(yield func(storedManifest, error) bool) {
		for info, err := range w.repo.store.List(ctx, w.home.packages()) {
			if err != nil {
				yield(storedManifest{}, err)
				return
			}
			f, err := w.home.packageOf(info.Name)
			if _, listed := c.Lookup(f); listed || err != nil {
				continue
			}
			m, err := w.repo.readManifest(ctx, w.home, info.Name)
			if err == nil && m.manifest == nil || m.err != nil {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// removeManifests removes the manifests of packages that are in no catalog any
// more, and then the payloads that no other manifest needs, and returns how much
// these were.
func (w *writer) removeManifests(ctx context.Context, pkgs []fmri.FMRI) (freed Amount, err error) {
	payloads := map[string]manifest.Digest{} // by hexadecimal digits
	var names []string
	for _, f := range pkgs {
		m, err := w.repo.readManifest(ctx, w.home, w.home.manifest(f))
		if err != nil {
			return freed, err
		}
		if m.text == nil {
			continue
		}
		for p := range payloadsOf(m.manifest) {
			payloads[p.Name().Hex()] = p.Name()
		}
		names = append(names, m.name)
	}
	if len(names) > 0 {
		if err := w.purgeIndex(ctx); err != nil {
			return freed, err
		}
	}
	if err := removeObjects(ctx, w.repo.store, names...); err != nil {
		return freed, err
	}
	if freed, err = w.collect(ctx, payloads); err != nil {
		return freed, err
	}
	return freed, w.repo.keepDirs(w.home)
}

// payloadsOf yields all payloads that a manifest names and that a repository can
// have. M may be nil.
func payloadsOf(m *manifest.Manifest) iter.Seq[manifest.Payload] {
	return func(yield func(manifest.Payload) bool) {
		if m == nil {
			return
		}
		for a := range m.All() {
			payloads, _ := a.Payloads() // what is damaged is no payload
			for _, p := range payloads {
				if p.Name().IsValid() && !yield(p) {
					return
				}
			}
		}
	}
}

// collect removes those of the payloads that nothing needs. All manifests are
// searched for their digests, whether they can be parsed or not, and those of
// open transactions as well.
func (w *writer) collect(ctx context.Context, payloads map[string]manifest.Digest) (freed Amount, err error) {
	if len(payloads) == 0 {
		return freed, nil
	}
	texts := ordered(ctx, w.referrers(ctx), 2*workers(0), func(ctx context.Context, name string) ([]byte, error) {
		text, err := readObject(ctx, w.repo.store, name, maxManifest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return text, err
	})
	for text, err := range texts {
		if err != nil {
			return freed, err
		}
		for digits := range hexRuns(text) {
			delete(payloads, string(digits))
		}
	}
	var unused []string
	for _, d := range payloads {
		name := w.home.payload(d)
		info, err := store.Stat(ctx, w.repo.store, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return freed, err
		}
		unused = append(unused, name)
		freed.add(info.Size)
	}
	slices.Sort(unused)
	return freed, removeObjects(ctx, w.repo.store, unused...)
}

// referrers yields the names of all manifests, of packages and of open
// transactions.
func (w *writer) referrers(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for info, err := range w.repo.store.List(ctx, w.home.packages()) {
			if !yield(info.Name, err) {
				return
			}
		}
		for info, err := range w.repo.store.List(ctx, w.home.transactions()) {
			if (err != nil || path.Base(info.Name) == transManifest) && !yield(info.Name, err) {
				return
			}
		}
	}
}

// hexRuns yields what in a text may be the name of a payload: each run of 40 or
// more lower-case hexadecimal digits.
func hexRuns(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && (text[i]-'0' < 10 || text[i]-'a' < 6) {
				continue
			}
			if i-start >= 40 && !yield(text[start:i]) {
				return
			}
			start = i + 1
		}
	}
}
