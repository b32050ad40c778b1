package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo/internal/ini"
)

// An Image is one installed tree. Its methods may be called from several goroutines;
// those that change the image wait for each other, and keep other processes out.
type Image struct {
	path  string
	kind  Type
	root  *os.Root
	opts  Options
	hooks hooks

	mu   sync.Mutex // held by whatever changes the image
	held *lock
	tree *tree // of the holder of mu

	state   atomic.Pointer[state]
	fetched manifestCache // manifests that planning has fetched
}

// Open opens the image whose root is this very directory. If there is none, the
// error wraps [ErrNotImage]. The image is only read.
func Open(ctx context.Context, root string, opts *Options) (*Image, error) {
	return open(ctx, root, opts, hooks{})
}

func open(ctx context.Context, root string, opts *Options, h hooks) (_ *Image, err error) {
	defer wrap(&err, "open", root)
	i, err := newImage(root, opts, h)
	if err != nil {
		return nil, err
	}
	if err := i.open(ctx); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func newImage(root string, opts *Options, h hooks) (*Image, error) {
	r, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotImage
	}
	if err != nil {
		return nil, because(err, "the directory cannot be opened: %s", plainly(err))
	}
	i := &Image{path: root, root: r, opts: opts.defaults(), hooks: h}
	i.tree = i.newTree()
	i.tree.hooks = &i.hooks
	return i, nil
}

func (i *Image) open(ctx context.Context) (err error) {
	if i.kind, err = i.find(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t := i.newTree()
	defer t.forget()
	s, err := i.loadState(t)
	if err != nil {
		return err
	}
	i.state.Store(s)
	return nil
}

// newTree returns a tree for one reader; trees share the root but nothing else.
func (i *Image) newTree() *tree { return newTree(i.root) }

// find returns which type of image is here.
func (i *Image) find() (Type, error) {
	for _, t := range []Type{User, Full} {
		fi, err := i.root.Stat(path.Join(t.Metadata(), configFile))
		if err == nil && fi.Mode().IsRegular() {
			return t, nil
		}
	}
	return User, ErrNotImage
}

// Close closes all that the image holds open. What an operation opens, such as the
// origins of publishers, is closed at its end.
func (i *Image) Close() error { return i.tree.Close() }

// Root returns the path that the image was opened with.
func (i *Image) Root() string { return i.path }

// Config returns a copy of the configuration.
func (i *Image) Config() Config { return i.state.Load().config.clone() }

// Installed returns the catalog of what is installed.
func (i *Image) Installed() *catalog.Catalog { return i.state.Load().installed }

// Known returns the catalog of what the enabled publishers offered at the last
// Refresh, and of what is installed.
func (i *Image) Known() *catalog.Catalog { return i.state.Load().known }

// meta returns the path of something in the metadata directory.
func (i *Image) meta(elem ...string) string {
	return path.Join(append([]string{i.kind.Metadata()}, elem...)...)
}

// now returns the time to the microsecond.
func (i *Image) now() time.Time { return i.opts.Now().UTC().Truncate(time.Microsecond) }

// touch tells monitors that the image has changed.
func (i *Image) touch() error {
	name := i.meta(modifiedFile)
	if _, err := i.tree.lstat(name); errors.Is(err, fs.ErrNotExist) {
		return i.writeNew(name, nil, i.now())
	}
	return i.tree.chtimes(name, i.now())
}

// writeConfig writes the configuration of s and makes s the state of the image.
func (i *Image) writeConfig(s *state) error {
	writeConfig(s.file, s.config)
	mode := fs.FileMode(0o644)
	if fi, err := i.tree.lstat(i.meta(configFile)); err == nil {
		mode = fi.Mode().Perm()
	}
	if err := i.tree.writeFile(i.meta(configFile), s.file.Text(), mode); err != nil {
		return err
	}
	i.state.Store(s)
	return nil
}

// SetConfig writes a new configuration. Its type, its variants and facets and its
// mediators must be those of the image. What a publisher offers is known after the next
// Refresh.
func (i *Image) SetConfig(ctx context.Context, c Config) (err error) {
	defer wrap(&err, "configure", i.path)
	c, err = c.located()
	if err := errors.Join(err, c.check()); err != nil {
		return err
	}
	return i.change(ctx, func() error {
		s := *i.state.Load()
		if c.Type != i.kind || !sameVarcets(c.Varcets, s.config.Varcets) || !slices.Equal(c.Mediators, s.config.Mediators) {
			return because(errors.ErrUnsupported, "only a plan changes variants, facets and mediators, and nothing the type")
		}
		if err := checkNewProperties(s.config.Properties, c.Properties); err != nil {
			return err
		}
		file, err := ini.Parse(configFile, s.file.Text())
		if err != nil {
			return err
		}
		s.file, s.config = file, c.clone()
		return i.writeConfig(&s)
	})
}

// change calls f with the image locked and its state read anew, and finishes first
// what an earlier operation could not.
func (i *Image) change(ctx context.Context, f func() error) error {
	if i.opts.ReadOnly {
		return errReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := i.lock(); err != nil {
		return err
	}
	defer i.unlock()
	defer i.tree.forget()
	if err := i.restoreState(); err != nil {
		return err
	}
	s, err := i.loadState(i.tree)
	if err != nil {
		return err
	}
	if s.foreign {
		return because(errors.ErrUnsupported, "the image keeps its packages in %s, which is only read", databaseFile)
	}
	i.state.Store(s)
	if err := i.recover(ctx); err != nil {
		return err
	}
	return f()
}

// restoreState finishes a replacement of the state that stopped half-way: the new
// one is complete before the old one is moved.
func (i *Image) restoreState() error {
	if _, err := i.tree.lstat(i.meta(stateDir)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := i.tree.lstat(i.meta(newState)); err != nil {
		return because(fs.ErrNotExist, "the directory %s of the image is missing", i.meta(stateDir))
	}
	return i.swapState()
}
