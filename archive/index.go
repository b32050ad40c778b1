package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/internal/reason"
	"github.com/klauspost/compress/gzip"
)

const (
	indexName      = "pkg5.index.0.gz"
	indexPrefix    = "pkg5.index."
	indexSuffix    = ".gz"
	commentPrefix  = "pkg5.archive.version."
	indexVersion   = "0"
	repositoryName = "pkg5.repository"
)

// A Member is a file or directory in an archive.
type Member struct {
	Name   string // slash-separated, without a final slash
	Dir    bool   // if not, it is a file
	Offset int64  // of the first header, in bytes from the beginning of the archive
	Entry  int64  // size of headers, content and padding
	Size   int64  // size of the content
}

// end returns the offset behind m.
func (m Member) end() int64 { return m.Offset + m.Entry }

// appendRecord appends the index record of m to b. The offsets in the index begin
// at base.
func (m Member) appendRecord(b []byte, base int64) []byte {
	typ := byte('0')
	if m.Dir {
		typ = '5'
	}
	b = append(b, m.Name...)
	for _, n := range [...]int64{m.Offset - base, m.Entry, m.Size} {
		b = append(b, 0)
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, 0, typ, 0, '\n')
}

// parseIndex reads the records of an index that ends at base, in an archive of the
// given size. The members must follow each other without gaps.
func parseIndex(text string, base, size int64) ([]Member, error) {
	members := make([]Member, 0, strings.Count(text, "\x00\n"))
	for next := base; text != ""; {
		record, rest, ok := strings.Cut(text, "\x00\n")
		if !ok {
			return nil, fmt.Errorf("%w: record %d has no end", ErrIndex, len(members)+1)
		}
		m, err := parseRecord(record)
		if err == nil && m.Offset != next-base {
			err = fmt.Errorf("offset %d instead of %d", m.Offset, next-base)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrIndex, len(members)+1, err)
		}
		if m.Entry > size-next {
			return nil, &Error{m.Name, next, reason.Truncated("the index has this member, and the archive ends before its end")}
		}
		m.Offset = next
		members = append(members, m)
		text, next = rest, m.end()
	}
	return members, nil
}

// parseRecord reads a record without its final NUL and LF, and leaves the offset
// relative.
func parseRecord(record string) (m Member, err error) {
	name, rest, _ := strings.Cut(record, "\x00")
	m.Name = name
	for _, n := range []*int64{&m.Offset, &m.Entry, &m.Size} {
		var field string
		var ok bool
		field, rest, ok = strings.Cut(rest, "\x00")
		if !ok {
			return m, errors.New("too few fields")
		}
		if *n, err = strconv.ParseInt(field, 10, 64); err != nil {
			return m, err
		}
	}
	m.Dir = strings.Contains(rest, "5") // 5, or b'5' as the reference has it
	switch {
	case m.Entry < blockSize || m.Entry%blockSize != 0:
		return m, fmt.Errorf("entry size %d", m.Entry)
	case m.Size < 0 || m.Size > m.Entry-blockSize:
		return m, fmt.Errorf("size %d in an entry of %d", m.Size, m.Entry)
	}
	return m, nil
}

// maxIndex returns an upper bound for the index of an archive of the given size, with
// and without compression. Each of its records stands for a block or more of the archive, which
// holds the record's name as well.
func maxIndex(size int64) int64 {
	const numbers = 3*len("\x009223372036854775807") + len("\x00b'5'\x00\n")
	const most = 1 << 30 // some ten million members
	return min(size+size/blockSize*int64(numbers)+blockSize, most)
}

// gunzipIndex returns the text of an index, given what the archive has of it. It must
// not be larger than limit.
func gunzipIndex(packed []byte, limit int64) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrIndex, reason.NoEOF(err, "the index ends within its gzip header"))
	}
	var b strings.Builder
	b.Grow(int(min(sizeHint(packed), limit)))
	n, err := io.Copy(&b, io.LimitReader(z, limit+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrIndex, reason.NoEOF(err, "it ends within its gzip stream"))
	case n > limit:
		return "", fmt.Errorf("%w: larger than %d bytes, which the archive has no room for", ErrIndex, limit)
	}
	return b.String(), nil
}

// sizeHint returns how large a gzip file says its content is, but not more than it can
// be: compression makes nothing smaller than a thousandth.
func sizeHint(packed []byte) int64 {
	if len(packed) < 4 {
		return 0
	}
	said := binary.LittleEndian.Uint32(packed[len(packed)-4:])
	return min(int64(said), 1032*int64(len(packed)))
}

// gzipIndex returns an index with the given text. The header says what that of
// payloads says: no name, no time, best compression, unknown system.
func gzipIndex(text []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	z.ModTime = time.Unix(0, 0) // none; the zero Time would be written as a number
	_, err = z.Write(text)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
