package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo"
)

// openRepository opens the repository of an earlier run, or makes one.
func (t *tour) openRepository(ctx context.Context) error {
	r, err := repo.OpenDir(ctx, t.path("repo"), nil)
	if errors.Is(err, fs.ErrNotExist) {
		r, err = repo.CreateDir(ctx, t.path("repo"), repo.Config{DefaultPublisher: publisher}, nil)
	}
	if err != nil {
		return err
	}
	t.repo = r
	t.close = append(t.close, r.Close)
	return nil
}

// publish publishes all packages of a build at once, or none. A build that an earlier
// run has published is left as it is.
func (t *tour) publish(ctx context.Context, b build) error {
	known, err := t.repo.Catalog(ctx, publisher)
	if err != nil {
		return err
	}
	if _, ok := known.Lookup(b.fmri(group)); ok {
		t.out.line("   was published by an earlier run")
		return nil
	}
	changed, err := t.change(b)
	if err != nil {
		return err
	}
	batch, err := t.repo.NewBatch(ctx)
	if err != nil {
		return err
	}
	defer batch.Abort(context.WithoutCancel(ctx))
	manifests, err := b.manifests()
	if err != nil {
		return err
	}
	opts := &repo.PublishOptions{
		Content:       repo.Proto(os.DirFS(changed), os.DirFS(t.release.Root)),
		KeepTimestamp: true,
	}
	for i, m := range manifests {
		if _, err := repo.Publish(ctx, batch, m, opts); err != nil {
			return err
		}
		t.out.progress("packages", i+1, len(manifests))
	}
	if err := batch.Commit(ctx); err != nil {
		return err
	}
	t.out.line("   %d packages", len(manifests))
	return nil
}

// change writes the one file of each package that the second build changes, and returns the
// directory, which lies before the library's own among those payloads come from.
func (t *tour) change(b build) (dir string, err error) {
	dir = t.path(fmt.Sprintf("changes-%d", b.number))
	if err := os.MkdirAll(dir, 0o755); err != nil || b.number == 1 {
		return dir, err
	}
	for _, p := range b.release.Packages {
		name := b.release.file(p.ImportPath)
		if name == "" {
			continue
		}
		if err := changeFile(filepath.Join(p.Dir, name), filepath.Join(dir, p.ImportPath, name)); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// changeFile copies a Go file and adds a comment.
func changeFile(src, dst string) error {
	text, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	return os.WriteFile(dst, append(text, "\n// build 2\n"...), 0o644)
}

// compare prints the figures of the catalog and what the second build changed in it.
func (t *tour) compare(ctx context.Context) error {
	now, err := t.repo.Catalog(ctx, publisher)
	if err != nil {
		return err
	}
	names := 0
	for range now.Stems(publisher) {
		names++
	}
	t.out.line("   catalog: %d versions of %d packages, changed %s", now.Len(), names, now.Modified().Format("2006-01-02 15:04:05"))
	newest, err := part(now, func(p catalog.Package) bool { return p.FMRI() == t.build(2).fmri(p.Name()) })
	if err != nil {
		return err
	}
	before, err := part(now, func(p catalog.Package) bool { return p.FMRI() == t.build(1).fmri(p.Name()) })
	if err != nil {
		return err
	}
	shown := 0
	for c := range catalog.DiffNewest(before, newest) {
		if shown++; shown <= 3 {
			t.out.line("   %s", c)
		}
	}
	t.out.line("   ... %d changes in all", shown)
	return nil
}

// part returns a catalog of those packages of c that keep is true for.
func part(c *catalog.Catalog, keep func(catalog.Package) bool) (*catalog.Catalog, error) {
	var b catalog.Builder
	for p := range c.All() {
		if !keep(p) {
			continue
		}
		if err := b.AddPackage(p, nil); err != nil {
			return nil, err
		}
	}
	return b.Build()
}
