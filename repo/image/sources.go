package image

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// sources are the origins of an image's publishers, opened when first asked.
type sources struct {
	image *Image
	pubs  []Publisher

	mu   sync.Mutex
	open map[string]repo.SourceCloser
}

func (i *Image) sources() *sources {
	return &sources{image: i, pubs: i.state.Load().config.Publishers, open: map[string]repo.SourceCloser{}}
}

// Close closes the origins.
func (s *sources) Close() error {
	var errs []error
	for _, src := range s.open {
		errs = append(errs, src.Close())
	}
	return errors.Join(errs...)
}

// origin opens one origin.
func (s *sources) origin(ctx context.Context, uri string) (repo.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.open[uri]; src != nil {
		return src, nil
	}
	src, err := s.image.opts.Openers.OpenSource(ctx, uri)
	if err != nil {
		return nil, err
	}
	s.open[uri] = src
	return src, nil
}

// An OriginError says which origin of which publisher did not give something.
type OriginError struct {
	Publisher, Origin string
	Err               error
}

func (e *OriginError) Error() string {
	return fmt.Sprintf("publisher %s: origin %s: %v", e.Publisher, e.Origin, e.Err)
}

// Unwrap returns the cause.
func (e *OriginError) Unwrap() error { return e.Err }

// try calls get with each of the URIs of a publisher until one succeeds. If none does,
// it returns what each of them said.
func (s *sources) try(ctx context.Context, publisher string, mirrors bool, get func(repo.Source) error) error {
	n := slices.IndexFunc(s.pubs, func(p Publisher) bool { return p.Name == publisher })
	if n < 0 {
		return fmt.Errorf("publisher %s is not configured: %w", publisher, fs.ErrNotExist)
	}
	uris := s.pubs[n].Origins
	if mirrors {
		uris = slices.Concat(s.pubs[n].Mirrors, uris)
	}
	var errs []error
	for _, uri := range uris {
		src, err := s.origin(ctx, uri)
		if err == nil {
			err = get(src)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, &OriginError{Publisher: publisher, Origin: uri, Err: err})
	}
	if len(errs) == 0 {
		return fmt.Errorf("publisher %s has no origin: %w", publisher, fs.ErrNotExist)
	}
	return errors.Join(errs...)
}

// catalog returns what all origins of a publisher offer together.
func (s *sources) catalog(ctx context.Context, p Publisher) (*catalog.Catalog, error) {
	var all []*catalog.Catalog
	for _, uri := range p.Origins {
		src, err := s.origin(ctx, uri)
		if err != nil {
			return nil, &OriginError{Publisher: p.Name, Origin: uri, Err: err}
		}
		c, err := src.Catalog(ctx, p.Name)
		if err != nil {
			return nil, &OriginError{Publisher: p.Name, Origin: uri, Err: err}
		}
		all = append(all, c)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return catalog.Merge(all...)
}

// Refresh reads the catalogs of all enabled publishers. If it fails for one of them,
// nothing has changed; the errors of all of them are returned.
func (i *Image) Refresh(ctx context.Context) error {
	return i.change(ctx, "refresh", func() error { return i.refresh(ctx) })
}

func (i *Image) refresh(ctx context.Context) error {
	srcs := i.sources()
	defer srcs.Close()
	var names []string
	var offered []*catalog.Catalog
	var errs []error
	for n, p := range srcs.pubs {
		i.opts.Progress(Event{Stage: Refreshing, Name: p.Name, Done: n, Total: len(srcs.pubs)})
		if p.Disabled || len(p.Origins) == 0 {
			continue
		}
		c, err := srcs.catalog(ctx, p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		names, offered = append(names, p.Name), append(offered, c)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	i.opts.Progress(Event{Stage: Refreshing, Done: len(srcs.pubs), Total: len(srcs.pubs)})
	return i.keepCatalogs(names, offered)
}

// keepCatalogs writes the publishers' catalogs and, if they offer something else than
// before, the catalogs of the image.
func (i *Image) keepCatalogs(names []string, offered []*catalog.Catalog) error {
	for n, name := range names {
		if err := i.writePublished(name, offered[n]); err != nil {
			return err
		}
	}
	old := i.state.Load()
	next, err := old.refreshed(offered, i.now())
	if err != nil || sameCatalog(old.known, next.known) {
		return err
	}
	if err := i.writeState(next); err != nil {
		return err
	}
	i.state.Store(next)
	return i.touch()
}

// sameCatalog reports whether two catalogs have the same packages in the same states.
func sameCatalog(a, b *catalog.Catalog) bool {
	if a.Len() != b.Len() {
		return false
	}
	for n := range a.Len() {
		p, q := a.At(n), b.At(n)
		da, _ := p.ManifestDigest()
		db, _ := q.ManifestDigest()
		if p.FMRI() != q.FMRI() || da != db || !bytes.Equal(p.Metadata(), q.Metadata()) {
			return false
		}
	}
	return true
}

// writePublished keeps a publisher's catalog as it was received: the parts, and at the
// end the attributes. Files of an older catalog go.
func (i *Image) writePublished(publisher string, c *catalog.Catalog) error {
	dir := i.meta("publisher", publisher, "catalog")
	if err := i.tree.mkdirAll(dir); err != nil {
		return err
	}
	keep := map[string]bool{}
	for f := range c.Files() {
		if isLog(f.Name) {
			continue
		}
		keep[f.Name] = true
		if err := i.replaceFile(path.Join(dir, f.Name), f); err != nil {
			return err
		}
	}
	entries, err := i.tree.readDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := i.tree.removeAll(path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return i.stamp(publisher)
}

// isLog reports whether a catalog file is an update log, which clients do not keep.
func isLog(name string) bool {
	ok, _ := path.Match("update.*", name)
	return ok
}

func (i *Image) replaceFile(name string, f catalog.File) error {
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		return err
	}
	return i.replaceBytes(name, b.Bytes(), f.ModTime)
}

// stamp records when a publisher was refreshed: the time of change of a file.
func (i *Image) stamp(publisher string) error {
	name := i.meta("publisher", publisher, "last_refreshed")
	if err := i.tree.remove(name); err != nil {
		return err
	}
	return i.writeNew(name, []byte(formatTime(i.now())+"\n"), i.now())
}

// manifestPath is where the manifest of a package is kept as it was received.
func (i *Image) manifestPath(f fmri.FMRI) string {
	return i.meta("publisher", f.Publisher(), "pkg", fmri.Escape(f.Name()), fmri.Escape(f.Version().String()))
}

// maxManifest bounds the size of a manifest, in bytes.
const maxManifest = 256 << 20

// A DigestError says that a manifest is not the one that the catalog lists.
type DigestError struct {
	Package   fmri.FMRI
	Got, Want manifest.Digest
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("manifest of %v has hash %v instead of %v", e.Package, e.Got, e.Want)
}

// localManifest reads a manifest from disk. If want is valid, it must have that hash.
func (i *Image) localManifest(t *tree, f fmri.FMRI, want manifest.Digest) (*manifest.Manifest, error) {
	name := i.manifestPath(f)
	src, err := t.readFile(name, maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse(name, src)
	if err != nil {
		return nil, err
	}
	return m, checkDigest(f, m, want)
}

func checkDigest(f fmri.FMRI, m *manifest.Manifest, want manifest.Digest) error {
	sum := m.SHA1()
	got, err := manifest.ParseDigest(hex.EncodeToString(sum[:]))
	if err == nil && want.IsValid() && got != want {
		return &DigestError{Package: f, Got: got, Want: want}
	}
	return err
}

// manifests gives manifests from disk and fetches those that are not there.
type manifests struct {
	image *Image
	srcs  *sources
}

// get returns the manifest of a package, in the form its publisher's catalog lists.
func (ms *manifests) get(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	s := ms.image.state.Load()
	p, ok := s.known.Lookup(f)
	if !ok {
		p, _ = s.installed.Lookup(f)
	}
	var want manifest.Digest
	if p.IsValid() {
		want, _ = p.ManifestDigest()
	}
	m, err := ms.image.localManifest(ms.image.tree, f, want)
	if err == nil {
		return m, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		ms.image.opts.Log.Warn("manifest on disk is not used", "package", f.String(), "error", err)
	}
	return ms.fetch(ctx, f, want)
}

func (ms *manifests) fetch(ctx context.Context, f fmri.FMRI, want manifest.Digest) (m *manifest.Manifest, err error) {
	err = ms.srcs.try(ctx, f.Publisher(), false, func(src repo.Source) error {
		if m, err = src.Manifest(ctx, f); err != nil {
			return err
		}
		return checkDigest(f, m, want)
	})
	if err != nil {
		return nil, err
	}
	name := ms.image.manifestPath(f)
	if err := ms.image.tree.mkdirAll(path.Dir(name)); err != nil {
		return nil, err
	}
	return m, ms.image.replaceBytes(name, m.Text(), time.Time{})
}

// replaceBytes writes a file of the metadata directory in one moment; it is flushed by
// the next sync. All such files have the same name until they are complete, so that at
// most one is left over.
func (i *Image) replaceBytes(name string, content []byte, mtime time.Time) error {
	tmp := i.meta(tmpDir, "ips-new")
	if err := i.tree.remove(tmp); err != nil {
		return err
	}
	if err := i.writeNew(tmp, content, mtime); err != nil {
		return err
	}
	return i.tree.rename(tmp, name)
}
