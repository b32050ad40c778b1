package repo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goips/ips/repo/store"
)

// OpenDir opens the repository in a directory, as Open does. Close closes it.
func OpenDir(ctx context.Context, path string, opts *Options) (_ *Repository, err error) {
	defer Error{Op: "open", Place: path}.explain(&err)
	isDir, err := look(path)
	if err == nil && !isDir {
		err = because(fs.ErrInvalid, "it is a file; a repository is a directory")
	}
	if err != nil {
		return nil, err
	}
	s, err := store.OpenDir(path)
	if err != nil {
		return nil, err
	}
	r, err := open(ctx, s, opts)
	if err != nil {
		return nil, join(err, s.Close())
	}
	return r, r.own(s, path)
}

// own makes Close close the store of a directory.
func (r *Repository) own(s store.Closer, path string) (err error) {
	r.opened, r.named = s, path
	r.path, err = filepath.Abs(path) // for the directory may change
	return err
}

// CreateDir makes a repository in a directory, as Create does. The directory, and
// those above it, are made if they are not there.
func CreateDir(ctx context.Context, path string, c Config, opts *Options) (_ *Repository, err error) {
	defer Error{Op: "create", Place: path}.explain(&err)
	if err := c.check(); err != nil {
		return nil, err
	}
	switch isDir, err := look(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !isDir:
		return nil, because(fs.ErrExist, "there is a file of that name already")
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	s, err := store.OpenDir(path)
	if err != nil {
		return nil, err
	}
	r, err := create(ctx, s, c, opts)
	if err == nil && c.Version == 3 {
		err = makeOldDirs(path)
	}
	if err != nil {
		return nil, join(err, s.Close())
	}
	return r, r.own(s, path)
}

// makeOldDirs makes the directories without which old programs take version 3 for no
// repository. A store has none that are empty.
func makeOldDirs(path string) error {
	for _, dir := range []string{"catalog", "file", "index", "pkg", "tmp", "trans"} {
		if err := os.Mkdir(filepath.Join(path, dir), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// tidy removes what a killed process has left half written, which the begin of a batch
// does, although there may be nothing to write.
func (r *Repository) tidy(ctx context.Context) error {
	b, err := store.NewBatch(ctx, r.store)
	if err != nil {
		return err
	}
	return b.Close()
}

// keepDirs makes the directories that a publisher of whom all packages are removed still
// has, as other programs expect. A store that is no directory has none that are empty.
func (r *Repository) keepDirs(h home) error {
	if r.path == "" {
		return nil
	}
	root, err := os.OpenRoot(r.path)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, dir := range []string{"file", "pkg"} {
		if err := root.MkdirAll(h.prefix+dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Close closes what lies open, and the directory that OpenDir or CreateDir has opened.
// Transactions and batches end before. Readers of payloads may go on, and catalogs are
// values that stay what they are, unless another writes before they were asked for all.
func (r *Repository) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.states {
		errs = append(errs, s.close())
	}
	if r.opened != nil {
		errs = append(errs, r.opened.Close())
		r.opened = nil
	}
	return join(errs...)
}
