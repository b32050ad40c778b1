package storetest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goips/ips/repo/store/internal/files"
)

// A DiskFS has the files of a Disk, by slash paths from its root. Its methods are
// those of an [os.Root] of the same names, but for Take of what OpenDir returns,
// which renames, and Sync, which makes files and the names in directories durable.
type DiskFS Disk

// A File of a Disk is open. Write appends.
type File = files.File

// op numbers a change and asks whether it may happen.
func (d *DiskFS) op(kind, name string) error {
	d.ops++
	if d.before == nil {
		return nil
	}
	if err := d.before(Op{d.ops, kind, name}); err != nil {
		return &fs.PathError{Op: kind, Path: name, Err: err}
	}
	return nil
}

// now is a clock that ticks with every change.
func (d *DiskFS) now() time.Time { return time.Unix(1_800_000_000, int64(d.ops)*1000).UTC() }

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// find returns the inode of a name.
func (d *DiskFS) find(op, name string) (*inode, error) {
	n := d.root
	if name == "." {
		return n, nil
	}
	for elem := range strings.SplitSeq(name, "/") {
		if !n.isDir {
			return nil, fail(op, name, syscall.ENOTDIR)
		}
		if n = n.names[elem]; n == nil {
			return nil, fail(op, name, fs.ErrNotExist)
		}
	}
	return n, nil
}

// parent returns the directory a name is in.
func (d *DiskFS) parent(op, name string) (*inode, string, error) {
	dir, err := d.find(op, path.Dir(name))
	if err == nil && !dir.isDir {
		err = fail(op, name, syscall.ENOTDIR)
	}
	return dir, path.Base(name), err
}

// change gives names to inodes, not durably.
func (d *DiskFS) change(changes ...nameChange) {
	for _, nc := range changes {
		set(nc.dir.names, nc.name, nc.to)
	}
	d.pending = append(d.pending, changes)
}

// Create makes a new file. The error matches fs.ErrExist if the name is taken.
func (d *DiskFS) Create(name string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.create("create", name)
	if err != nil {
		return nil, err
	}
	return &diskFile{disk: d, name: name, node: n}, nil
}

func (d *DiskFS) create(op, name string) (*inode, error) {
	dir, base, err := d.parent(op, name)
	if err != nil {
		return nil, err
	}
	if dir.names[base] != nil {
		return nil, fail(op, name, fs.ErrExist)
	}
	if err := d.op(op, name); err != nil {
		return nil, err
	}
	n := &inode{time: d.now()}
	d.change(nameChange{dir, base, n})
	return n, nil
}

// Open opens a file for reading.
func (d *DiskFS) Open(name string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.isDir {
		return nil, fail("open", name, fs.ErrNotExist)
	}
	return &diskFile{disk: d, name: name, node: n}, nil
}

// Lock opens a file and locks it until it is closed. The error is that of a
// directory store's files.
func (d *DiskFS) Lock(name string, create bool) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("lock", name)
	if err != nil && create {
		n, err = d.create("create", name)
	}
	if err != nil {
		return nil, err
	}
	f := &diskFile{disk: d, name: name, node: n}
	if n.locked {
		return f, files.ErrLocked
	}
	n.locked, f.locked = true, true
	return f, nil
}

// Stat describes a file or directory.
func (d *DiskFS) Stat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(name)), nil
}

// ReadDir returns what is in a directory, sorted by name.
func (d *DiskFS) ReadDir(name string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("readdir", name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for _, base := range slices.Sorted(maps.Keys(n.names)) {
		entries = append(entries, fs.FileInfoToDirEntry(n.names[base].info(base)))
	}
	return entries, nil
}

// Mkdir makes a directory.
func (d *DiskFS) Mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, base, err := d.parent("mkdir", name)
	if err != nil {
		return err
	}
	if dir.names[base] != nil {
		return fail("mkdir", name, fs.ErrExist)
	}
	if err := d.op("mkdir", name); err != nil {
		return err
	}
	d.change(nameChange{dir, base, newDirectory()})
	return nil
}

// OpenDir opens a directory.
func (d *DiskFS) OpenDir(name string) (files.Dir, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	if !n.isDir {
		return nil, fail("open", name, syscall.ENOTDIR)
	}
	return diskDir{d, n, name}, nil
}

// A diskDir is an open directory, which may have lost its name since.
type diskDir struct {
	disk *DiskFS
	node *inode
	name string
}

func (h diskDir) Close() error { return nil }

func (h diskDir) Take(from, base string) error {
	d, to := h.disk, path.Join(h.name, base)
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("rename", from)
	if err != nil {
		return err
	}
	if now, err := d.find("rename", h.name); err != nil || now != h.node {
		return fail("rename", to, fs.ErrNotExist)
	}
	if old := h.node.names[base]; old != nil && old.isDir {
		return fail("rename", to, syscall.EISDIR)
	}
	if err := d.op("rename", to); err != nil {
		return err
	}
	d.change(nameChange{d.root, from, nil}, nameChange{h.node, base, n})
	return nil
}

// Link gives a file a second name. The error matches fs.ErrExist if that is taken.
func (d *DiskFS) Link(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("link", from)
	if err != nil {
		return err
	}
	dir, base, err := d.parent("link", to)
	if err != nil {
		return err
	}
	if dir.names[base] != nil {
		return fail("link", to, fs.ErrExist)
	}
	if err := d.op("link", to); err != nil {
		return err
	}
	d.change(nameChange{dir, base, n})
	return nil
}

// Remove removes a file, or a directory that is empty.
func (d *DiskFS) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("remove", name)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		return fail("remove", name, syscall.ENOTEMPTY)
	}
	if err := d.op("remove", name); err != nil {
		return err
	}
	dir, base, _ := d.parent("remove", name)
	d.change(nameChange{dir, base, nil})
	return nil
}

// Sync makes files durable, and of directories the names in them.
func (d *DiskFS) Sync(names []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		n, err := d.find("sync", name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := d.sync(name, n); err != nil {
			return err
		}
	}
	return nil
}

// sync makes one file, or the names in one directory, durable.
func (d *DiskFS) sync(name string, n *inode) error {
	if err := d.op("sync", name); err != nil {
		return err
	}
	n.synced = n.data
	var rest []change
	for _, ch := range d.pending {
		if !slices.ContainsFunc(ch, func(nc nameChange) bool { return nc.dir == n }) {
			rest = append(rest, ch)
			continue
		}
		for _, nc := range ch {
			set(nc.dir.durable, nc.name, nc.to)
			rest = supersede(rest, nc)
		}
	}
	d.pending = rest
	return nil
}

// supersede takes out of earlier changes what a later one, which is durable now,
// has overtaken.
func supersede(earlier []change, by nameChange) []change {
	for i, ch := range earlier {
		earlier[i] = slices.DeleteFunc(slices.Clone(ch), func(nc nameChange) bool {
			return nc.dir == by.dir && nc.name == by.name
		})
	}
	return earlier
}

// A diskFile is an open file.
type diskFile struct {
	disk   *DiskFS
	name   string
	node   *inode
	offset int
	locked bool
}

func (f *diskFile) Read(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.offset >= len(f.node.data) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[f.offset:])
	f.offset += n
	return n, nil
}

// Write appends.
func (f *diskFile) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.op("write", f.name); err != nil {
		return 0, err
	}
	f.node.data = append(f.node.data[:len(f.node.data):len(f.node.data)], p...)
	f.node.time = f.disk.now()
	return len(p), nil
}

func (f *diskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if int(size) >= len(f.node.data) {
		return nil
	}
	if err := f.disk.op("truncate", f.name); err != nil {
		return err
	}
	f.node.data = f.node.data[:size:size]
	f.node.time = f.disk.now()
	return nil
}

func (f *diskFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.disk.sync(f.name, f.node)
}

func (f *diskFile) Stat() (fs.FileInfo, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.node.info(path.Base(f.name)), nil
}

func (f *diskFile) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.locked {
		f.locked, f.node.locked = false, false
	}
	return nil
}

// A nodeInfo describes an inode as it was.
type nodeInfo struct {
	name string
	size int64
	mode fs.FileMode
	time time.Time
}

func (n *inode) info(name string) nodeInfo {
	mode := fs.FileMode(0o644)
	if n.isDir {
		mode = fs.ModeDir | 0o755
	}
	return nodeInfo{name, int64(len(n.data)), mode, n.time}
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return i.time }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return nil }
