package repo

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"github.com/goips/ips/repo/store"
)

// A keptIndex is the file of a catalog's index, of which the catalog reads what it is
// asked for. The catalog is a value that outlives the repository: after close the file
// is opened for each reading.
type keptIndex struct {
	repo *Repository
	name string
	tag  string // of the object; another one is another index

	mu   sync.RWMutex
	open io.ReadCloser // nil after close
}

// ReadAt makes a keptIndex an io.ReaderAt.
func (x *keptIndex) ReadAt(p []byte, off int64) (n int, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.open != nil {
		return x.open.(io.ReaderAt).ReadAt(p, off) // as openIndex has made sure
	}
	f, info, err := x.repo.openAgain(x.name)
	if err != nil {
		return 0, err
	}
	defer func() { err = join(err, f.Close()) }()
	at, ok := f.(io.ReaderAt)
	if !ok || info.Tag != x.tag {
		return 0, because(fs.ErrNotExist, "%s is another one now", x.name)
	}
	return at.ReadAt(p, off)
}

// close closes the file. X may be nil.
func (x *keptIndex) close() error {
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		return nil
	}
	f := x.open
	x.open = nil
	return f.Close()
}

// openAgain opens an object, whether the repository is closed or not.
func (r *Repository) openAgain(name string) (io.ReadCloser, store.Info, error) {
	ctx := context.Background() // that of whoever read the catalog may be over
	if r.path == "" {
		return r.store.Open(ctx, name)
	}
	s, err := store.OpenDir(r.path)
	if err != nil {
		return nil, store.Info{}, err
	}
	f, info, err := s.Open(ctx, name)
	return f, info, join(err, s.Close())
}
