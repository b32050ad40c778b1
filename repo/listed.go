package repo

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// checkListed compares a manifest with what a catalog says about it, if it does.
func checkListed(c *catalog.Catalog, f fmri.FMRI, m *manifest.Manifest) error {
	p, ok := c.Lookup(f)
	if !ok {
		return nil
	}
	want, ok := p.ManifestDigest()
	if !ok || manifest.SHA1.Sum(m.Text()) == want {
		return nil
	}
	return because(fs.ErrInvalid, "manifest is not the one with digest %v in the catalog", want)
}

// A listing is a source whose manifests are those of its catalogs.
type listing struct {
	Source

	mu       sync.Mutex
	catalogs map[string]*catalog.Catalog // nil: cannot be read, so that it says nothing
}

// Listed returns a source that takes no manifest of s but the one whose digest the
// catalog of s lists; it refuses another with an error that matches fs.ErrInvalid. It
// has no other methods than those of Source. [Copy] and [Clone] read so.
func Listed(s Source) Source { return &listing{Source: s} }

// Manifest returns the manifest of a package. While somebody signs it, the catalog
// follows a moment later.
func (l *listing) Manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	deadline := time.Now().Add(catalogPatience)
	for pause := time.Millisecond; ; pause *= 2 {
		m, err := l.Source.Manifest(ctx, f)
		if err != nil {
			return nil, err
		}
		known, err := l.catalog(ctx, f.Publisher(), pause > time.Millisecond)
		if err != nil || known == nil {
			return m, err
		}
		err = checkListed(known, f, m)
		if err == nil {
			return m, nil
		}
		if pause > time.Millisecond && (!l.isBusy(ctx, f.Publisher()) || time.Now().After(deadline)) {
			return nil, &Error{Op: "read", FMRI: f, Err: err}
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// isBusy reports whether somebody is known to write for a publisher.
func (l *listing) isBusy(ctx context.Context, publisher string) bool {
	r, ok := l.Source.(*Repository)
	return ok && r.isBusy(ctx, r.home(publisher))
}

// catalog reads the catalog of a publisher when it is first asked for, or again.
func (l *listing) catalog(ctx context.Context, publisher string, again bool) (*catalog.Catalog, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.catalogs[publisher]; ok && !again {
		return c, nil
	}
	c, err := l.Source.Catalog(ctx, publisher)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		c = nil
	}
	if l.catalogs == nil {
		l.catalogs = map[string]*catalog.Catalog{}
	}
	l.catalogs[publisher] = c
	return c, nil
}
