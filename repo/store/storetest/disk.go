package storetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/internal/files"
)

// A Disk is a file system in memory that can lose power at any moment. It
// promises as little as POSIX does: until a file is synced its content may be
// lost, in part or whole, and until a directory is synced so may the names
// made, renamed or removed in it, each by itself. Only a rename is whole.
//
// A crash test runs an operation on a Disk with a function at Before, which
// takes with Cut what would be found if the power failed now, and looks whether
// that is in order.
type Disk struct {
	mu      sync.Mutex
	root    *inode
	pending []change // of names, in order, not yet durable
	ops     int
	before  func(Op) error
}

// An Op is one change of a Disk.
type Op struct {
	N    int    // counts from 1
	Kind string // "create", "write", "truncate", "sync", "mkdir", "rename", "remove"
	Path string
}

// A Loss is what becomes of what was not synced when a Disk is cut off.
type Loss uint8

const (
	LoseNothing Loss = iota // a process was killed
	LoseAll                 // nothing that was not synced survives
	LoseSome                // some files, parts of files and names do
)

// An inode is a file or a directory.
type inode struct {
	data, synced []byte // of a file; never changed in place
	names        map[string]*inode
	durable      map[string]*inode
	isDir        bool
	locked       bool
	time         time.Time
}

// A change is one or two names that become durable together.
type change []nameChange

type nameChange struct {
	dir  *inode
	name string
	to   *inode // nil: removed
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{root: newDirectory()} }

func newDirectory() *inode {
	return &inode{isDir: true, names: map[string]*inode{}, durable: map[string]*inode{}}
}

// Store returns the directory store on the disk. Two of them are like two
// processes.
func (d *Disk) Store() store.Store { return store.OnFiles((*diskFS)(d)) }

// Before sets a function that is called before each change, and if it returns
// an error the change fails with that instead. Nil sets none. The disk stands
// still while the function runs.
func (d *Disk) Before(f func(Op) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = f
}

// Cut returns the disk that would be found if the power failed now. Seed
// decides what LoseSome loses. It may be called by the function of Before, and
// else while nobody changes the disk.
func (d *Disk) Cut(loss Loss, seed uint64) *Disk {
	c := cutter{loss: loss, rnd: rand.New(rand.NewPCG(seed, 0)), chosen: map[*inode]map[string]*inode{}}
	if loss == LoseSome {
		for _, ch := range d.pending {
			if c.rnd.IntN(2) == 0 {
				c.choose(ch)
			}
		}
	}
	return &Disk{root: c.copy(d.root)}
}

// Files returns the names of all files on the disk, sorted, temporary ones
// included, as a process would see them.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	var walk func(dir *inode, prefix string)
	walk = func(dir *inode, prefix string) {
		for _, name := range slices.Sorted(maps.Keys(dir.names)) {
			if n := dir.names[name]; n.isDir {
				walk(n, prefix+name+"/")
			} else {
				names = append(names, prefix+name)
			}
		}
	}
	walk(d.root, "")
	return names
}

// A cutter copies the part of a tree that survives.
type cutter struct {
	loss   Loss
	rnd    *rand.Rand
	chosen map[*inode]map[string]*inode // directories with names that were not synced, but survive
}

// choose lets a change survive.
func (c *cutter) choose(ch change) {
	for _, nc := range ch {
		if c.chosen[nc.dir] == nil {
			c.chosen[nc.dir] = maps.Clone(nc.dir.durable)
		}
		set(c.chosen[nc.dir], nc.name, nc.to)
	}
}

func set(names map[string]*inode, name string, to *inode) {
	if to == nil {
		delete(names, name)
		return
	}
	names[name] = to
}

func (c *cutter) copy(n *inode) *inode {
	if !n.isDir {
		data := c.survive(n)
		return &inode{data: data, synced: data, time: n.time}
	}
	names := n.durable
	if c.loss == LoseNothing {
		names = n.names
	} else if chosen, ok := c.chosen[n]; ok {
		names = chosen
	}
	dir := newDirectory()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		dir.names[name] = c.copy(names[name])
	}
	dir.durable = maps.Clone(dir.names)
	return dir
}

// survive returns the content that a file has after the cut.
func (c *cutter) survive(n *inode) []byte {
	switch {
	case c.loss == LoseNothing:
		return n.data
	case c.loss == LoseSome && string(n.data) != string(n.synced):
		return c.tear(n)
	}
	return n.synced
}

// tear returns the new content, the old, or part of the new with or without
// its length: blocks that were never written read as zeros.
func (c *cutter) tear(n *inode) []byte {
	cut := c.rnd.IntN(len(n.data) + 1)
	switch c.rnd.IntN(4) {
	case 0:
		return n.synced
	case 1:
		return n.data
	case 2:
		return n.data[:cut:cut]
	}
	return append(n.data[:cut:cut], make([]byte, len(n.data)-cut)...)
}

// diskFS is a Disk as files.FS.
type diskFS Disk

// op numbers a change and asks whether it may happen.
func (d *diskFS) op(kind, name string) error {
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
func (d *diskFS) now() time.Time { return time.Unix(1_800_000_000, int64(d.ops)*1000).UTC() }

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// find returns the inode of a name.
func (d *diskFS) find(op, name string) (*inode, error) {
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
func (d *diskFS) parent(op, name string) (*inode, string, error) {
	dir, err := d.find(op, path.Dir(name))
	if err == nil && !dir.isDir {
		err = fail(op, name, syscall.ENOTDIR)
	}
	return dir, path.Base(name), err
}

// change gives names to inodes, not durably.
func (d *diskFS) change(changes ...nameChange) {
	for _, nc := range changes {
		set(nc.dir.names, nc.name, nc.to)
	}
	d.pending = append(d.pending, changes)
}

func (d *diskFS) Create(name string) (files.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.create("create", name)
	if err != nil {
		return nil, err
	}
	return &diskFile{disk: d, name: name, node: n}, nil
}

func (d *diskFS) create(op, name string) (*inode, error) {
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

func (d *diskFS) Open(name string) (files.File, error) {
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

func (d *diskFS) Lock(name string, create bool) (files.File, error) {
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

func (d *diskFS) Stat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(name)), nil
}

func (d *diskFS) ReadDir(name string) ([]fs.DirEntry, error) {
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

func (d *diskFS) Mkdir(name string) error {
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

func (d *diskFS) OpenDir(name string) (files.Dir, error) {
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
	disk *diskFS
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

func (d *diskFS) Remove(name string) error {
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

func (d *diskFS) Sync(names []string) error {
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
func (d *diskFS) sync(name string, n *inode) error {
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
	disk   *diskFS
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

func (op Op) String() string { return fmt.Sprintf("#%d %s %s", op.N, op.Kind, op.Path) }
