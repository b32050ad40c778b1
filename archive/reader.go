package archive

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/goips/ips/catalog"
)

// A Reader reads an archive. Several goroutines may use it at once.
type Reader struct {
	r          io.ReaderAt
	size       int64
	indexed    bool
	members    []Member
	byName     map[string]int // in members
	publishers []string       // sorted

	mu       sync.Mutex
	catalogs map[string]*catalog.Catalog // those that were asked for
}

// NewReader returns a Reader of the archive with the given size in r. It reads the index
// or, if there is none, the headers of all members. If r is not an archive, the
// error is an [*Error].
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	a := new(Reader)
	if err := a.init(r, size); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Reader) init(r io.ReaderAt, size int64) error {
	a.r, a.size = r, size
	if err := a.readMembers(); err != nil {
		return err
	}
	a.byName = make(map[string]int, len(a.members))
	for i, m := range a.members {
		if err := checkMemberName(m.Name); err != nil {
			return &Error{m.Name, m.Offset, err}
		}
		if _, ok := a.byName[m.Name]; ok {
			return &Error{m.Name, m.Offset, ErrDuplicate}
		}
		a.byName[m.Name] = i
	}
	return a.findPublishers()
}

// readMembers finds out what the archive has, from the index if possible.
func (a *Reader) readMembers() error {
	first, hdr, err := a.header(0)
	if err != nil {
		return asFormat(err)
	}
	comment, ok := strings.CutPrefix(hdr.PAXRecords["comment"], commentPrefix)
	if !ok || !strings.HasPrefix(first.Name, indexPrefix) || !strings.HasSuffix(first.Name, indexSuffix) {
		return a.scan()
	}
	if comment != indexVersion {
		return &Error{first.Name, 0, fmt.Errorf("index version %q: %w", comment, errors.ErrUnsupported)}
	}
	text, err := a.indexText(first)
	if err != nil {
		return err
	}
	a.indexed = true
	if a.members, err = parseIndex(text, first.end(), a.size); err != nil {
		return inIndex(err, first)
	}
	end := first.end()
	if n := len(a.members); n > 0 {
		end = a.members[n-1].end()
	}
	if ok, err := a.endsAt(end); err != nil {
		return err
	} else if !ok {
		return &Error{first.Name, 0, fmt.Errorf("%w: no record of what is at offset %d", ErrIndex, end)}
	}
	return nil
}

// indexText returns the text of the index in the first member.
func (a *Reader) indexText(first Member) (string, error) {
	packed, err := a.readContent(new([]byte), first, maxIndex(a.size))
	if err != nil {
		return "", err
	}
	text, err := gunzipIndex(packed, maxIndex(a.size))
	if err != nil {
		return "", &Error{first.Name, first.Offset, err}
	}
	return text, nil
}

// asFormat makes the error of the first header say that this is no archive.
func asFormat(err error) error {
	if e := new(Error); errors.As(err, &e) {
		return &Error{e.Member, e.Offset, fmt.Errorf("%w: %w", ErrFormat, e.Err)}
	}
	return err
}

// inIndex makes an error of the index's text one of the archive.
func inIndex(err error, index Member) error {
	if e := new(Error); errors.As(err, &e) {
		return e
	}
	return &Error{index.Name, index.Offset, err}
}

// Members returns the members in their order, without the index.
func (a *Reader) Members() iter.Seq[Member] { return slices.Values(a.members) }

// Indexed reports whether the archive has an index.
func (a *Reader) Indexed() bool { return a.indexed }

// A ReadCloser is a Reader of a file that it closes.
type ReadCloser struct {
	Reader
	file *os.File
}

// Open opens the archive in the named file.
func Open(name string) (*ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	a := &ReadCloser{file: f}
	if err := a.initFile(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return a, nil
}

func (a *ReadCloser) initFile() error {
	info, err := a.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrFormat)
	}
	return a.init(a.file, info.Size())
}

// Close closes the file. Nothing can be read after it.
func (a *ReadCloser) Close() error { return a.file.Close() }
