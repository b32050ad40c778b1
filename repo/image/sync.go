package image

import (
	"errors"
	"os"
	"path"
	"syscall"
)

// syncDir makes the entries of a directory durable.
func (t *tree) syncDir(name string) error {
	if err := t.announce("sync", name); err != nil {
		return err
	}
	if t.hooks.volatile {
		return nil
	}
	dir, base := &t.top, "."
	if name != "." {
		var err error
		if dir, base, err = t.parent(name); err != nil {
			return err
		}
	}
	d, err := dir.root.Open(base)
	if err != nil {
		return err
	}
	defer d.Close()
	return ignoreUnsupported(d.Sync())
}

// sync makes everything durable that was changed since the last call. On systems
// that can flush a whole file system, it does so once instead of file by file.
func (t *tree) sync() error {
	if err := t.announce("sync", "."); err != nil {
		return err
	}
	dirty := t.dirty
	t.dirty = map[string]bool{}
	if t.hooks.volatile {
		return nil
	}
	d, err := t.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if done, err := syncAll(d); done || err != nil {
		return err
	}
	for dir := range dirty {
		if err := t.syncDir(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncFile makes the content of a file durable that sync would not: on systems
// where sync flushes only directories.
func (t *tree) syncFile(f *os.File) error {
	if wholeSync || t.hooks.volatile {
		return nil
	}
	return ignoreUnsupported(f.Sync())
}

// ignoreUnsupported drops the errors of file systems that cannot flush a directory.
func ignoreUnsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// tempName returns a name beside name for what is to take its place. It begins with
// a dot and cannot be that of another file of the same plan.
func tempName(name string) string {
	dir, base := path.Split(name)
	if len(base) > 200 {
		base = base[:200]
	}
	return dir + ".ips-" + base + ".tmp"
}
