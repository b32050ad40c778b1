package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/goips/ips/internal/reason"
)

// find returns the file with the given name. If there is none, the error is an
// [*fs.PathError].
func (a *Reader) find(name string) (Member, error) {
	i, ok := a.byName[name]
	if !ok || a.members[i].Dir {
		return Member{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return a.members[i], nil
}

// check reads the header of m from r, in which m begins at the same offset as in the
// archive. It must say what the index said.
func (m Member) check(r io.ReaderAt) error {
	read, _, err := (&Reader{r: r, size: m.end()}).header(context.Background(), m.Offset) // which takes no time
	switch {
	case err != nil:
		return &Error{m.Name, m.Offset, errors.Unwrap(err)}
	case read != m:
		return &Error{m.Name, m.Offset, ErrMismatch}
	}
	return nil
}

// content returns the content of a member whose header was read.
func (a *Reader) content(m Member) *io.SectionReader {
	start := m.end() - padding(m.Size, blockSize) - m.Size
	return io.NewSectionReader(a.r, start, m.Size)
}

// open returns the content of the file with the given name.
func (a *Reader) open(name string) (*content, error) {
	m, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if err := m.check(a.r); err != nil {
		return nil, err
	}
	return &content{SectionReader: a.content(m), member: m}, nil
}

// A content reads the content of a member.
type content struct {
	*io.SectionReader
	member Member
}

// Read reads on. An archive that has become shorter since it was opened is an error.
func (c *content) Read(b []byte) (int, error) {
	n, err := c.SectionReader.Read(b)
	if err == nil {
		return n, nil
	}
	if at, _ := c.Seek(0, io.SeekCurrent); errors.Is(err, io.EOF) && at == c.Size() {
		return n, io.EOF
	}
	return n, &Error{c.member.Name, c.member.Offset, reason.NoEOF(err, "the archive ends within this member")}
}

// Close does nothing: the archive stays open.
func (c *content) Close() error { return nil }

// readFile returns the content of the file with the given name, which must not be
// larger than limit.
func (a *Reader) readFile(name string, limit int64) ([]byte, error) {
	m, err := a.find(name)
	if err != nil {
		return nil, err
	}
	return a.readContent(new([]byte), m, limit)
}

// readContent returns the content of m, which must not be larger than limit. It reads the
// archive once, into *buf, which it makes larger if need be.
func (a *Reader) readContent(buf *[]byte, m Member, limit int64) ([]byte, error) {
	if m.Entry > limit+maxHeaders {
		return nil, &Error{m.Name, m.Offset, fmt.Errorf("%w: more than %d bytes", ErrLimit, limit)}
	}
	*buf = slices.Grow((*buf)[:0], int(m.Entry))
	entry := (*buf)[:m.Entry]
	if n, err := a.r.ReadAt(entry, m.Offset); n < len(entry) {
		return nil, &Error{m.Name, m.Offset, reason.NoEOF(err, "the archive ends within this member")}
	}
	start := m.Entry - padding(m.Size, blockSize) - m.Size
	if !m.isHeader(entry[:start]) {
		if err := m.check(loaded{entry, m.Offset}); err != nil {
			return nil, err
		}
	}
	return entry[start:][:m.Size], nil
}

// isHeader reports whether a Writer would have written head in front of m. It saves the
// work of reading it.
func (m Member) isHeader(head []byte) bool {
	var buf [4 * blockSize]byte
	seconds, err := strconv.ParseInt(string(head[len(head)-blockSize:][136:147]), 8, 64)
	h := header{name: m.Name, size: m.Size, modTime: time.Unix(seconds, 0)}
	return err == nil && bytes.Equal(head, h.append(buf[:0]))
}

// maxHeaders is what a member may have in front of its content: package archive/tar
// reads up to 1 MiB of each kind of header.
const maxHeaders = 4 << 20

// A loaded is a part of an archive, from an offset on, that is in memory.
type loaded struct {
	part   []byte
	offset int64
}

// ReadAt reads from the offset in the archive.
func (l loaded) ReadAt(b []byte, off int64) (int, error) {
	if off < l.offset || off-l.offset > int64(len(l.part)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(b, l.part[off-l.offset:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
