package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/repo/store/internal/files"
)

// A Closer is a store that lies open until Close. What is read then may go on.
type Closer interface {
	Store
	io.Closer
}

// Dir returns the store in a directory tree: an object is the file of its name,
// and directories exist as long as there is something in them. Nothing outside
// of the root is read or written, whatever links there may be. It has all
// capabilities but Redirector.
//
// New files are written at the top, under names that begin with ".tmp-", synced,
// renamed into place, and the directories above them synced; so a root must be
// one file system. A batch is synced at once, by syncfs(2) where there is that.
// What a process that is killed leaves behind, the next one to write removes, or to
// take a lock or begin a batch, even if it writes nothing then: a process holds a lock
// on the file its other files are named for.
//
// Locks are record locks (fcntl) that belong to the open file. They exclude
// those of lockf(3) in other programs.
//
// Close closes the root.
func Dir(root *os.Root) Closer { return newDir(files.OS(root)) }

// OpenDir opens the Dir of the directory with that path.
func OpenDir(path string) (Closer, error) {
	root, err := os.OpenRoot(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, reason.Errorf(fs.ErrNotExist, "%s: there is no such directory", path)
	case err != nil && isFile(path):
		return nil, reason.Errorf(err, "%s: it is not a directory", path)
	case err != nil:
		return nil, err
	}
	return Dir(root), nil
}

func init() {
	files.NewStore = func(f files.FS) any { return Store(newDir(f)) }
}

// isFile reports whether there is something at a path that is no directory.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func newDir(f files.FS) *dir { return &dir{files: f, staging: staging{files: f}} }

type dir struct {
	files   files.FS
	staging staging
	buffers sync.Pool // of *bufio.Writer, for drafts
}

// Close closes the tree, if that can be closed.
func (d *dir) Close() error {
	if c, ok := d.files.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// attempts is how often an operation is tried whose directory another writer
// removes meanwhile, because it was empty.
const attempts = 100

func (d *dir) Open(ctx context.Context, name string) (io.ReadCloser, Info, error) {
	if err := d.enter(ctx, "open", name); err != nil {
		return nil, Info{}, err
	}
	f, err := d.files.Open(name)
	if err != nil {
		return nil, Info{}, missing(err)
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, Info{}, errors.Join(err, f.Close())
	}
	return f, fileInfo(name, fi), nil
}

func (d *dir) Stat(ctx context.Context, name string) (Info, error) {
	if err := d.enter(ctx, "stat", name); err != nil {
		return Info{}, err
	}
	fi, err := d.files.Stat(name)
	if err != nil {
		return Info{}, missing(err)
	}
	if !fi.Mode().IsRegular() {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return fileInfo(name, fi), nil
}

func (d *dir) Put(ctx context.Context, name string, r io.Reader) error {
	return d.put(ctx, name, r, func() error { return nil })
}

// put writes r to a new file, and gives that its name if the old one is as it
// ought to be.
func (d *dir) put(ctx context.Context, name string, r io.Reader, check func() error) error {
	if err := d.enter(ctx, "put", name); err != nil {
		return err
	}
	tmp, err := d.write(ctx, r)
	if err != nil {
		return err
	}
	if err = check(); err == nil {
		err = d.place(path.Dir(name), []dirObject{{tmp, name}}, d.staging.release)
	}
	if err != nil {
		d.staging.discard(tmp)
		return err
	}
	return d.files.Sync(above(name))
}

// write puts all of r into a new temporary file, durably.
func (d *dir) write(ctx context.Context, r io.Reader) (string, error) {
	f, tmp, err := d.staging.create()
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, contextReader{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		d.staging.discard(tmp)
		return "", err
	}
	return tmp, nil
}

// A dirObject is a file that waits for its name.
type dirObject struct{ tmp, name string }

// place gives files their names in a directory, which is made if need be, and
// calls done for each.
func (d *dir) place(dir string, objects []dirObject, done func()) error {
	for range attempts {
		n, err := d.tryPlace(dir, objects, done)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		objects = objects[n:]
		if err := d.mkdirs(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return &fs.PathError{Op: "put", Path: dir, Err: errors.New("directory vanishes again and again")}
}

// tryPlace returns how many files got their names.
func (d *dir) tryPlace(dir string, objects []dirObject, done func()) (int, error) {
	h, err := d.files.OpenDir(dir)
	if err != nil {
		return 0, err
	}
	defer h.Close()
	for i, o := range objects {
		if err := h.Take(o.tmp, path.Base(o.name)); err != nil {
			return i, err
		}
		done()
	}
	return len(objects), nil
}

// mkdirs makes a directory and those above it.
func (d *dir) mkdirs(name string) error {
	dirs := above(name + "/x")
	slices.Reverse(dirs)
	for _, dir := range dirs[1:] {
		if err := d.files.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// above returns the directories above a name, the nearest first and "." last.
func above(name string) []string {
	var dirs []string
	for name != "." {
		name = path.Dir(name)
		dirs = append(dirs, name)
	}
	return dirs
}

// PutIf compares and replaces with a lock held. All writers of such a name must
// use PutIf.
func (d *dir) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	release, err := d.staging.exclude(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	err = d.put(ctx, name, r, func() error {
		fi, err := d.files.Stat(name)
		if (err == nil) != (tag != "") || err == nil && fileInfo(name, fi).Tag != tag {
			return &fs.PathError{Op: "put", Path: name, Err: ErrChanged}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	info, err := d.Stat(ctx, name)
	return info.Tag, err
}

func (d *dir) Remove(ctx context.Context, name string) error {
	if _, err := d.Stat(ctx, name); err != nil {
		return err
	}
	if err := d.files.Remove(name); err != nil {
		return readOnlyError(missing(err))
	}
	d.prune(path.Dir(name))
	return d.files.Sync(above(name))
}

// prune removes directories that are empty, from name upwards.
func (d *dir) prune(name string) {
	for name != "." {
		if err := d.files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		name = path.Dir(name)
	}
}

// List walks the part of the tree where names with the prefix can be.
func (d *dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		top := "."
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			top = prefix[:i]
		}
		if fs.ValidPath(top) {
			d.walk(ctx, top, prefix, yield)
		}
	}
}

// walk yields the objects below a directory and reports whether to go on.
func (d *dir) walk(ctx context.Context, top, prefix string, yield func(Info, error) bool) bool {
	for info, err := range d.ListDir(ctx, top) {
		if err != nil {
			return yield(info, err)
		}
		sub, isDir := strings.CutSuffix(info.Name, "/")
		goOn := true
		switch {
		case isDir && (strings.HasPrefix(info.Name, prefix) || strings.HasPrefix(prefix, info.Name)):
			goOn = d.walk(ctx, sub, prefix, yield)
		case !isDir && strings.HasPrefix(info.Name, prefix):
			goOn = yield(info, nil)
		}
		if !goOn {
			return false
		}
	}
	return true
}

// ListDir yields the files and directories in a directory. Links to directories
// are not followed, and other files than regular ones are no objects.
func (d *dir) ListDir(ctx context.Context, name string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if name == "" {
			name = "."
		}
		entries, err := d.entries(ctx, name)
		if err != nil {
			yield(Info{}, err)
			return
		}
		for _, e := range entries {
			info, err := d.entryInfo(path.Join(name, e.Name()), e)
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since, or no regular file
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// entries reads a directory, in the order of the names of objects in it. A
// directory that does not exist is empty.
func (d *dir) entries(ctx context.Context, name string) ([]fs.DirEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "list", Path: name, Err: fs.ErrInvalid}
	}
	entries, err := d.files.ReadDir(name)
	if err = missing(err); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if name == "." {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return isTemporary(e.Name()) })
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	return entries, nil
}

// entryInfo describes one entry of a directory.
func (d *dir) entryInfo(name string, e fs.DirEntry) (Info, error) {
	if e.IsDir() {
		return Info{Name: name + "/"}, nil
	}
	fi, err := e.Info() // which an os.Root has found out when it read the directory
	if e.Type()&fs.ModeSymlink != 0 {
		if fi, err = d.files.Stat(name); err != nil {
			return Info{}, fs.ErrNotExist // leads nowhere, or out of the root
		}
	}
	if err != nil {
		return Info{}, err
	}
	if !fi.Mode().IsRegular() {
		return Info{}, fs.ErrNotExist
	}
	return fileInfo(name, fi), nil
}

// TryLock locks the file of that name.
func (d *dir) TryLock(ctx context.Context, name string, note []byte) (io.Closer, error) {
	if err := d.enter(ctx, "lock", name); err != nil {
		return nil, err
	}
	f, err := d.openLock(name)
	if errors.Is(err, files.ErrLocked) {
		note, _ := io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
		return nil, &LockedError{Name: name, Note: note}
	}
	if err != nil {
		return nil, readOnlyError(err)
	}
	d.staging.tidy()
	l := dirLock{f}
	if err := l.write(note); err != nil {
		return nil, readOnlyError(errors.Join(err, l.Close()))
	}
	return l, nil
}

func (d *dir) openLock(name string) (files.File, error) {
	f, err := d.files.Lock(name, true)
	for range attempts {
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := d.mkdirs(path.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		f, err = d.files.Lock(name, true)
	}
	return f, err
}

type dirLock struct{ files.File }

func (l dirLock) write(note []byte) error {
	if err := l.Truncate(0); err != nil {
		return err
	}
	_, err := l.Write(note)
	return err
}

func (l dirLock) Close() error {
	return errors.Join(l.Truncate(0), l.File.Close())
}

// missing makes errors match fs.ErrNotExist where a file stands in the place of
// a directory: to a store there is no such object.
func missing(err error) error {
	if path := new(fs.PathError); errors.Is(err, syscall.ENOTDIR) && errors.As(err, &path) {
		return &fs.PathError{Op: path.Op, Path: path.Path, Err: fs.ErrNotExist}
	}
	return err
}

// readOnlyError makes errors match fs.ErrPermission where it is the file system that
// may not be written.
func readOnlyError(err error) error {
	if errors.Is(err, syscall.EROFS) {
		return reason.New(fs.ErrPermission, "the file system is mounted read-only")
	}
	return err
}

// enter checks the context and the name of an operation.
func (d *dir) enter(ctx context.Context, op, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(op, name); err != nil {
		return err
	}
	if isTemporary(name) {
		return reason.Errorf(fs.ErrInvalid, "%s: such names are for files that are being written; choose another", name)
	}
	return nil
}

// fileInfo describes a file. A file is never written again once it has its
// name, so another one shows by its inode or its time.
func fileInfo(name string, fi fs.FileInfo) Info {
	tag := strconv.FormatInt(fi.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(fi.Size(), 36) + inode(fi)
	return Info{Name: name, Size: fi.Size(), Time: fi.ModTime(), Tag: tag}
}
