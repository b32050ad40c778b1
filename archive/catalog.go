package archive

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/manifest"
)

// Catalog returns what a publisher has in the archive: its catalog, if the archive has
// that, or else one that is made from the manifests. It is kept for the
// next time. The error matches [fs.ErrNotExist] if there is no such publisher.
func (a *Reader) Catalog(ctx context.Context, publisher string) (*catalog.Catalog, error) {
	if err := a.checkPublisher(publisher); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.catalogs[publisher]; ok {
		return c, nil
	}
	c, err := a.newCatalog(ctx, publisher)
	if err != nil {
		return nil, err
	}
	if a.catalogs == nil {
		a.catalogs = map[string]*catalog.Catalog{}
	}
	a.catalogs[publisher] = c
	return c, nil
}

// newCatalog reads the catalog of a publisher, or makes it.
func (a *Reader) newCatalog(ctx context.Context, publisher string) (*catalog.Catalog, error) {
	dir := below(publisher, catalogDir)
	prefix := dir + "/"
	if slices.ContainsFunc(a.members, func(m Member) bool { return strings.HasPrefix(m.Name, prefix) }) {
		return catalog.Read(memberFS{a, dir}, nil)
	}
	packages, err := a.sortedPackages(publisher)
	if err != nil {
		return nil, err
	}
	b := &catalog.Builder{Now: newest(packages)}
	next := 0
	for m, err := range a.manifests(ctx, packages) {
		if err == nil {
			err = b.Add(packages[next].fmri, m)
		}
		if err != nil {
			return nil, err
		}
		next++
	}
	return b.Build()
}

// manifests returns the manifests of packages in their order, reading ahead of the loop
// that uses them. It ends with the first error.
func (a *Reader) manifests(ctx context.Context, packages []listed) iter.Seq2[*manifest.Manifest, error] {
	type result struct {
		m   *manifest.Manifest
		err error
	}
	return func(yield func(*manifest.Manifest, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		results := make(chan result, 64)
		go func() {
			defer close(results)
			var buf []byte
			for _, p := range packages {
				var m *manifest.Manifest
				err := ctx.Err()
				if err == nil {
					m, err = a.manifest(p, &buf)
				}
				results <- result{m, err}
				if err != nil {
					return
				}
			}
		}()
		defer func() { // ends the goroutine and waits for it
			cancel()
			for range results {
			}
		}()
		for r := range results {
			if !yield(r.m, r.err) {
				return
			}
		}
	}
}

// sortedPackages returns the packages of a publisher in the order of catalogs.
func (a *Reader) sortedPackages(publisher string) ([]listed, error) {
	var packages []listed
	for p, err := range a.packages(publisher) {
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(p, q listed) int {
		f, g := p.fmri, q.fmri
		return cmp.Or(f.Compare(g), strings.Compare(f.Version().String(), g.Version().String()))
	})
	return packages, nil
}

// newest returns the latest time of publication, or the beginning of 1970 if there is
// none.
func newest(packages []listed) time.Time {
	latest := time.Unix(0, 0).UTC()
	for _, p := range packages {
		if t, ok := p.fmri.Version().Time(); ok && t.After(latest) {
			latest = t
		}
	}
	return latest
}

// A memberFS has the files of one directory of an archive.
type memberFS struct {
	a   *Reader
	dir string
}

// Open opens a file.
func (m memberFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	c, err := m.a.open(path.Join(m.dir, name))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Stat returns the name and size of a member that is open as a file.
func (c *content) Stat() (fs.FileInfo, error) { return fileInfo{c.member}, nil }

// A fileInfo describes a file in an archive.
type fileInfo struct{ member Member }

func (i fileInfo) Name() string       { return path.Base(i.member.Name) }
func (i fileInfo) Size() int64        { return i.member.Size }
func (i fileInfo) Mode() fs.FileMode  { return 0o644 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
