package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
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
	Kind string // "create", "write", "truncate", "sync", "mkdir", "rename", "link", "remove"
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
func (d *Disk) Store() store.Store { return files.NewStore(d.FS()).(store.Store) }

// FS returns the files of the disk, for what writes files and not objects.
func (d *Disk) FS() *DiskFS { return (*DiskFS)(d) }

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
	c := cutter{
		loss: loss, rnd: rand.New(rand.NewPCG(seed, 0)),
		chosen: map[*inode]map[string]*inode{}, files: map[*inode]*inode{},
	}
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
	files  map[*inode]*inode            // copied already: a file may have several names
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
		if c.files[n] == nil {
			data := c.survive(n)
			c.files[n] = &inode{data: data, synced: data, time: n.time}
		}
		return c.files[n]
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

func (op Op) String() string { return fmt.Sprintf("#%d %s %s", op.N, op.Kind, op.Path) }
