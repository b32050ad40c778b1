package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/internal/reason"
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
// or, if there is none, the headers of all members, which takes long if there are many. If
// r is not an archive, the error is an [*Error].
func NewReader(ctx context.Context, r io.ReaderAt, size int64) (*Reader, error) {
	a := new(Reader)
	if err := a.init(ctx, r, size); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Reader) init(ctx context.Context, r io.ReaderAt, size int64) error {
	a.r, a.size, a.byName = r, size, map[string]int{}
	if err := a.readMembers(ctx); err != nil {
		return err
	}
	return a.findPublishers()
}

// addMember adds a member that the archive does not have yet.
func (a *Reader) addMember(m Member) error {
	if err := checkMemberName(m.Name); err != nil {
		return &Error{m.Name, m.Offset, err}
	}
	if _, ok := a.byName[m.Name]; ok {
		return &Error{m.Name, m.Offset, ErrDuplicate}
	}
	a.byName[m.Name] = len(a.members)
	a.members = append(a.members, m)
	return nil
}

// readMembers finds out what the archive has, from the index if possible.
func (a *Reader) readMembers(ctx context.Context) error {
	first, hdr, err := a.header(ctx, 0)
	if err != nil {
		return asFormat(err)
	}
	comment, ok := strings.CutPrefix(hdr.PAXRecords["comment"], commentPrefix)
	if !ok || !strings.HasPrefix(first.Name, indexPrefix) || !strings.HasSuffix(first.Name, indexSuffix) {
		return a.scan(ctx)
	}
	if comment != indexVersion {
		return &Error{first.Name, 0, fmt.Errorf("index version %q: %w", comment, errors.ErrUnsupported)}
	}
	text, err := a.indexText(first)
	if err != nil {
		return err
	}
	a.indexed = true
	members, err := parseIndex(text, first.end(), a.size)
	if err != nil {
		return inIndex(err, first)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.byName, a.members = make(map[string]int, len(members)), make([]Member, 0, len(members))
	for _, m := range members {
		if err := a.addMember(m); err != nil {
			return err
		}
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

// Open opens the archive in the named file. What is no file, such as a pipe, is refused
// without opening it, which could wait for a writer.
func Open(ctx context.Context, name string) (*ReadCloser, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = notFile(info)
	}
	if err != nil {
		return nil, namesFile(name, err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, namesFile(name, err)
	}
	a := &ReadCloser{file: f}
	if err := a.initFile(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return a, nil
}

func (a *ReadCloser) initFile(ctx context.Context) error {
	info, err := a.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // it was replaced meanwhile
		return notFile(info)
	}
	return a.init(ctx, a.file, info.Size())
}

// notFile says what is there in place of a file.
func notFile(info fs.FileInfo) error {
	what := "device"
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "pipe; write it to a file first"
	case mode&fs.ModeSocket != 0:
		what = "socket"
	}
	return fmt.Errorf("%w: it is a %s", ErrFormat, what)
}

// namesFile makes an error name the file once, and say for people why it cannot be opened.
func namesFile(name string, err error) error {
	if path := new(fs.PathError); errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = reason.New(fs.ErrNotExist, "there is no such file")
	case errors.Is(err, fs.ErrPermission):
		err = reason.New(fs.ErrPermission, "its permissions do not let you read it")
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Close closes the file. Nothing can be read after it.
func (a *ReadCloser) Close() error { return a.file.Close() }
