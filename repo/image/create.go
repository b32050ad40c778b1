package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo/internal/ini"
)

// Create makes a new image in the directory root, which must be missing or empty; a
// ".zfs" in it does not count, nor does what an interrupted Create left. The image
// exists from the moment its configuration does, which is written last.
//
// If there is an image already, the error wraps [fs.ErrExist].
func Create(ctx context.Context, root string, c Config, opts *Options) (*Image, error) {
	return create(ctx, root, c, opts, hooks{})
}

func create(ctx context.Context, root string, c Config, opts *Options, h hooks) (_ *Image, err error) {
	defer wrap(&err, "create", root)
	c, err = c.located()
	if err := errors.Join(err, c.check(), checkNewProperties(nil, c.Properties)); err != nil {
		return nil, err
	}
	if opts != nil && opts.ReadOnly {
		return nil, errReadOnly
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, because(err, "the directory cannot be made: %s", plainly(err))
	}
	i, err := newImage(root, opts, h)
	if err != nil {
		return nil, err
	}
	i.kind = c.Type
	if err := i.create(ctx, c.completed()); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Image) create(ctx context.Context, c Config) error {
	if err := i.checkVacant(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, dir := range directories {
		if err := i.tree.mkdirAll(i.meta(dir)); err != nil {
			return err
		}
	}
	if err := i.lock(); err != nil {
		return err
	}
	defer i.unlock()
	empty := catalog.Builder{Unsigned: true, Now: i.now()}
	known, err := empty.Build()
	if err != nil {
		return err
	}
	s := &state{file: new(ini.File), config: c, known: known, installed: known}
	if err := i.writeState(s); err != nil {
		return err
	}
	if err := i.touch(); err != nil {
		return err
	}
	return i.writeConfig(s)
}

// checkVacant refuses a directory that holds an image or anything else.
func (i *Image) checkVacant() error {
	if kind, err := i.find(); err == nil {
		return because(fs.ErrExist, "there is an image already, in %s", kind.Metadata())
	}
	return i.checkEmpty(".", i.meta())
}

// checkEmpty refuses a directory that has more in it than the way to allowed.
func (i *Image) checkEmpty(dir, allowed string) error {
	entries, err := i.tree.readDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case name == ".zfs", name == allowed && e.IsDir():
		case name == path.Dir(allowed) && e.IsDir():
			if err := i.checkEmpty(name, allowed); err != nil {
				return err
			}
		default:
			return because(fs.ErrExist, "the directory is not empty: it holds %s; an image needs one of its own", name)
		}
	}
	return nil
}
