package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/goips/ips/internal/reason"
)

// maxMembers is how many members an archive may have that has no index. Those that tools
// write have one.
const maxMembers = 2 << 20

// scan reads the headers of all members.
func (a *Reader) scan(ctx context.Context) error {
	for offset := int64(0); ; {
		m, _, err := a.header(ctx, offset)
		if errors.Is(err, errEnd) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(a.members) == maxMembers {
			return &Error{m.Name, offset, fmt.Errorf("%w: more than %d members and no index", ErrLimit, maxMembers)}
		}
		if err := a.addMember(m); err != nil {
			return err
		}
		offset = m.end()
	}
}

// minMember is the size of the smallest member.
const minMember = 512

// errEnd says that an archive ends where a header could be.
var errEnd = errors.New("no members")

// header reads the header at offset, and those that belong to it.
func (a *Reader) header(ctx context.Context, offset int64) (Member, *tar.Header, error) {
	section := io.NewSectionReader(&headerReader{ctx, a.r, maxHeader}, offset, max(0, a.size-offset))
	hdr, err := nextHeader(section)
	if errors.Is(err, io.EOF) {
		err = reason.Truncated("it ends within a header, or without its two blocks of zeros")
		if ok, _ := a.endsAt(offset); ok {
			err = errEnd
		}
	}
	if ctx.Err() != nil {
		return Member{}, nil, ctx.Err()
	}
	if err != nil && offset == 0 && a.size < minMember {
		err = reason.Errorf(io.ErrUnexpectedEOF, "it has %d bytes, and the first header of an archive %d", a.size, minMember)
	}
	if err != nil {
		return Member{}, nil, &Error{"", offset, reason.NoEOF(err, "it ends within a header")}
	}
	read, err := section.Seek(0, io.SeekCurrent)
	if err != nil {
		return Member{}, nil, &Error{hdr.Name, offset, err}
	}
	m := Member{Name: memberName(hdr.Name), Dir: hdr.Typeflag == tar.TypeDir, Offset: offset}
	if !m.Dir {
		m.Size = hdr.Size
	}
	switch room := a.size - offset - read; {
	case !m.Dir && hdr.Typeflag != tar.TypeReg || isSparse(hdr):
		err = fmt.Errorf("%w: type %q", ErrType, hdr.Typeflag)
	case m.Size > room || padding(m.Size, blockSize) > room-m.Size:
		err = reason.Truncated("the archive ends within this member")
	}
	if err != nil {
		return m, hdr, &Error{m.Name, offset, err}
	}
	m.Entry = read + m.Size + padding(m.Size, blockSize)
	return m, hdr, nil
}

// maxHeader is how many bytes the headers of one member may have. A header is followed by
// others of the kinds that say more about it, in archives for people by a few.
const maxHeader = 8 << 20

// A headerReader reads headers until there are too many, or the context ends.
type headerReader struct {
	ctx  context.Context
	r    io.ReaderAt
	left int
}

func (h *headerReader) ReadAt(p []byte, off int64) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	if h.left -= len(p); h.left < 0 {
		return 0, fmt.Errorf("%w: headers of more than %d bytes for one member", ErrLimit, maxHeader)
	}
	return h.r.ReadAt(p, off)
}

// nextHeader reads a header, passing over global ones, such as those of git archive.
// The error is io.EOF at the end of the archive and where r ends.
func nextHeader(r io.Reader) (*tar.Header, error) {
	t := tar.NewReader(r)
	for {
		hdr, err := t.Next()
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) { // names are checked later
			return nil, err
		}
		if hdr.Typeflag != tar.TypeXGlobalHeader {
			return hdr, nil
		}
	}
}

// isSparse reports whether a regular file has holes, so that its size is not that of
// what the archive has of it.
func isSparse(hdr *tar.Header) bool {
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// memberName returns the name in a header as an index has it.
func memberName(name string) string {
	return strings.TrimPrefix(strings.TrimSuffix(name, "/"), "./")
}

// checkMemberName accepts relative names that stay below where they begin, in their
// shortest form.
func checkMemberName(name string) error {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return ErrName
	}
	return nil
}

// endsAt reports whether the archive ends at offset: with two blocks of zeros.
func (a *Reader) endsAt(offset int64) (bool, error) {
	var blocks [2 * blockSize]byte
	section := io.NewSectionReader(a.r, offset, max(0, a.size-offset))
	if _, err := io.ReadFull(section, blocks[:]); err != nil {
		return false, &Error{"", offset, reason.NoEOF(err, "the archive ends without its two blocks of zeros")}
	}
	return blocks == [2 * blockSize]byte{}, nil
}
