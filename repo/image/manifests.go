package image

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

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

// A manifestCache is what was fetched and is not on disk.
type manifestCache struct {
	mu     sync.Mutex
	byName map[fmri.FMRI]*manifest.Manifest
}

func (c *manifestCache) get(f fmri.FMRI) *manifest.Manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byName[f]
}

func (c *manifestCache) put(f fmri.FMRI, m *manifest.Manifest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = map[fmri.FMRI]*manifest.Manifest{}
	}
	c.byName[f] = m
}

func (c *manifestCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byName = nil
}

// manifests gives manifests from disk and fetches those that are not there.
type manifests struct {
	image *Image
	tree  *tree
	state *state
	srcs  *sources
}

// manifests returns what reads manifests by way of a tree, and is to be closed.
func (i *Image) manifests(s *state, t *tree) *manifests {
	return &manifests{image: i, tree: t, state: s, srcs: i.sources(s)}
}

func (ms *manifests) close() {
	ms.tree.forget()
	ms.srcs.Close()
}

// get returns the manifest of a package, in the form its publisher's catalog lists.
func (ms *manifests) get(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	m, _, err := ms.find(ctx, f)
	return m, err
}

// keep makes sure that the manifest of a package is on disk.
func (ms *manifests) keep(ctx context.Context, f fmri.FMRI) error {
	m, onDisk, err := ms.find(ctx, f)
	if err != nil || onDisk {
		return err
	}
	name := ms.image.manifestPath(f)
	if err := ms.tree.mkdirAll(path.Dir(name)); err != nil {
		return err
	}
	return ms.image.replaceBytes(name, m.Text(), time.Time{})
}

// find looks for a manifest on disk, then in memory, and then asks the publisher.
func (ms *manifests) find(ctx context.Context, f fmri.FMRI) (m *manifest.Manifest, onDisk bool, err error) {
	want := ms.state.manifestDigest(f)
	m, err = ms.image.localManifest(ms.tree, f, want)
	if err == nil {
		return m, true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		ms.image.opts.Log.Warn("manifest on disk is not used", "package", f.String(), "error", err)
	}
	if m = ms.image.fetched.get(f); m != nil && checkDigest(f, m, want) == nil {
		return m, false, nil
	}
	err = ms.srcs.try(ctx, f.Publisher(), false, func(src repo.Source) error {
		if m, err = src.Manifest(ctx, f); err != nil {
			return err
		}
		return checkDigest(f, m, want)
	})
	if err != nil {
		return nil, false, err
	}
	ms.image.fetched.put(f, m)
	return m, false, nil
}

// manifestDigest returns the hash of a manifest that the catalogs list, if one does.
func (s *state) manifestDigest(f fmri.FMRI) (want manifest.Digest) {
	p, ok := s.known.Lookup(f)
	if !ok {
		p, ok = s.installed.Lookup(f)
	}
	if ok {
		want, _ = p.ManifestDigest()
	}
	return want
}
