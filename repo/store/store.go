// Package store defines where a repository's named bytes are kept.
//
// A [Store] holds objects under slash-separated names: a directory, memory, a
// bucket. Four methods are the whole contract. There are no directories, links
// or renames in it; what some media can do beyond it is an optional interface,
// found by type assertion as in [io/fs], with a function of the same name that
// does without where a store lacks it:
//
//	[Stater]      Stat      the description of one object
//	[Lister]      ListDir   one level of the tree
//	[Batcher]     NewBatch  many objects, made durable together
//	[Swapper]     -         compare-and-swap
//	[Locker]      Acquire   exclusion of other writers
//	[Redirector]  -         a URL that serves the object
//
// # The rules
//
// Names satisfy [fs.ValidPath] and are not "."; others are refused with an
// error matching [fs.ErrInvalid]. A name and a longer name below it ("a" and
// "a/b") do not exist at the same time.
//
// Put is atomic and durable: a reader sees the old object or the new one, never
// a part, and when Put has returned nil the object survives a loss of power.
// When it returns an error the old object is still there, or the new one whole.
// A reader that is open keeps reading the object it opened.
//
// A missing object is reported by an error matching [fs.ErrNotExist]; a store
// that may not be written reports [fs.ErrPermission].
//
// All stores may be used by several goroutines at once.
//
// # Testing
//
// Package storetest proves these rules for an implementation, and has stores
// that fail on purpose.
package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// A Store keeps objects under names. See the package comment for the rules.
type Store interface {
	// Open returns the bytes of an object and its description. The reader may
	// also be an io.Seeker or io.ReaderAt.
	Open(ctx context.Context, name string) (io.ReadCloser, Info, error)

	// Put stores all of r under the name, in place of what was there. If
	// reading r fails, nothing changes and that error is returned.
	Put(ctx context.Context, name string, r io.Reader) error

	// Remove deletes an object.
	Remove(ctx context.Context, name string) error

	// List yields the objects whose names begin with the prefix, which may
	// end anywhere, in the order of their names. An error ends the sequence.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Info describes an object.
type Info struct {
	Name string
	Size int64
	Time time.Time // last change; zero if the store does not know
	Tag  string    // opaque; another one after every change
}

// IsDir reports whether the Info stands for all names below Name, which then
// ends in a slash. Only ListDir yields such.
func (i Info) IsDir() bool { return strings.HasSuffix(i.Name, "/") }

// A Stater describes an object without opening it.
type Stater interface {
	Stat(ctx context.Context, name string) (Info, error)
}

// Stat describes the named object.
func Stat(ctx context.Context, s Store, name string) (Info, error) {
	if st, ok := s.(Stater); ok {
		return st.Stat(ctx, name)
	}
	r, info, err := s.Open(ctx, name)
	if err != nil {
		return Info{}, err
	}
	return info, r.Close()
}

// A Lister lists one level of names.
type Lister interface {
	ListDir(ctx context.Context, dir string) iter.Seq2[Info, error]
}

// ListDir yields what lies directly below dir ("" for the top): the objects,
// and for each further level one Info with only a Name that ends in a slash.
// Names are whole, as in List, and in the order of names.
// A dir with nothing below it yields nothing.
func ListDir(ctx context.Context, s Store, dir string) iter.Seq2[Info, error] {
	if l, ok := s.(Lister); ok {
		return l.ListDir(ctx, dir)
	}
	return fold(s.List(ctx, below(dir)), below(dir))
}

// below is the prefix of all names below a directory.
func below(dir string) string {
	if dir == "" || dir == "." {
		return ""
	}
	return dir + "/"
}

// fold replaces the names that go further down than one level by that level.
func fold(list iter.Seq2[Info, error], prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		last := ""
		for info, err := range list {
			if err != nil {
				yield(Info{}, err)
				return
			}
			if i := strings.IndexByte(info.Name[len(prefix):], '/'); i >= 0 {
				info = Info{Name: info.Name[:len(prefix)+i+1]}
			}
			if info.Name != last && !yield(info, nil) {
				return
			}
			last = info.Name
		}
	}
}

// A Swapper replaces an object only if nobody else did meanwhile.
type Swapper interface {
	// PutIf is Put on condition that the object's tag is still the given one,
	// or, if the given tag is empty, that there is no such object. It returns
	// the new tag. If the condition does not hold, nothing changes and the
	// error matches ErrChanged.
	PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error)
}

// ErrChanged reports that an object is not the one a condition named.
var ErrChanged = errors.New("object was changed by another writer")

// A Redirector knows a URL at which anybody may read an object for a while.
type Redirector interface {
	URL(ctx context.Context, name string) (string, error)
}

// check refuses names that are not names of objects.
func check(op, name string) error {
	if fs.ValidPath(name) && name != "." {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
}
