package catalog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/goips/ips/internal/reason"
)

// An Index is a catalog in the binary form that [Catalog.WriteIndex] writes. Opening it
// reads next to nothing; what is asked for is then read and its checksums are verified.
// It is safe for concurrent use.
//
// An index is a copy that saves time, never a source: it belongs to the catalog with
// the same attributes, and [Read] takes nothing from one that does not fit.
type Index struct {
	r        io.ReaderAt
	end      int64 // of the blocks
	sums     []byte
	sections []section
	attrs    *Attrs
	text     []byte // of the attributes
	parts    []*part
}

// A section is a part of an index file.
type section struct {
	kind, part uint32
	off, n     int64
}

const indexName = "index"

func indexError(off int64, format string, args ...any) error {
	return &FormatError{File: indexName, Offset: off, Err: fmt.Errorf(format, args...)}
}

// OpenIndex opens an index of the given size. It and the catalogs made of it read from r when
// they need to. An index in another version of the format is an error that
// matches [errors.ErrUnsupported]; the remedy for any error is to write another index.
func OpenIndex(r io.ReaderAt, size int64) (*Index, error) {
	x := &Index{r: r}
	tail := make([]byte, indexTailSize)
	if size < indexHeadSize+indexTailSize {
		return nil, indexError(size, "%w", reason.Truncated("the index ends early"))
	}
	if _, err := r.ReadAt(tail, size-indexTailSize); err != nil {
		return nil, err
	}
	if string(tail[24:]) != indexMagic {
		return nil, indexError(size-8, "no index ends here")
	}
	x.end = int64(binary.LittleEndian.Uint64(tail))
	if err := x.readDirectory(tail, size); err != nil {
		return nil, err
	}
	c := x.cursor()
	head := c.bytes(0, indexHeadSize)
	if c.err != nil {
		return nil, c.err
	}
	if v := binary.LittleEndian.Uint32(head[8:]); string(head[:8]) != indexMagic || v != indexVersion {
		return nil, indexError(8, "%w: version %d of the index", errors.ErrUnsupported, v)
	}
	return x, x.readHeads(c)
}

// readDirectory reads the directory, which lies between the blocks and the tail.
func (x *Index) readDirectory(tail []byte, size int64) error {
	n := size - indexTailSize - x.end
	count := int64(binary.LittleEndian.Uint32(tail[8:]))
	blocks := (x.end + indexBlock - 1) / indexBlock
	if x.end < indexHeadSize || n < 0 || n != count*indexEntry+blocks*4 {
		return indexError(size-indexTailSize, "directory of %d sections has %d bytes", count, n)
	}
	dir := make([]byte, n)
	if _, err := x.r.ReadAt(dir, x.end); err != nil {
		return err
	}
	if crc32.Checksum(dir, castagnoli) != binary.LittleEndian.Uint32(tail[12:]) {
		return indexError(x.end, "checksum of the directory does not match")
	}
	for i := range count {
		e := dir[i*indexEntry:]
		s := section{
			kind: binary.LittleEndian.Uint32(e), part: binary.LittleEndian.Uint32(e[4:]),
			off: int64(binary.LittleEndian.Uint64(e[8:])), n: int64(binary.LittleEndian.Uint64(e[16:])),
		}
		if s.off < 0 || s.n < 0 || s.off > x.end || s.n > x.end-s.off || s.off%indexAlign != 0 {
			return indexError(x.end+i*indexEntry, "section of %d bytes at %d", s.n, s.off)
		}
		x.sections = append(x.sections, s)
	}
	x.sums = dir[count*indexEntry:]
	return nil
}

// section returns a section, which is empty if it is not there.
func (x *Index) section(kind, part int) section {
	for _, s := range x.sections {
		if s.kind == uint32(kind) && s.part == uint32(part) {
			return s
		}
	}
	return section{}
}

// check reports whether a block is what was written.
func (x *Index) check(i int64, block []byte) error {
	if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(x.sums[4*i:]) {
		return indexError(i*indexBlock, "checksum of block %d does not match", i)
	}
	return nil
}

// each passes a section in pieces, none of which cuts a record.
func (x *Index) each(s section, f func([]byte) error) error {
	buf := make([]byte, min(32*indexBlock, (s.n/indexBlock+2)*indexBlock))
	for off, end := s.off, s.off+s.n; off < end; {
		first := off / indexBlock
		piece := buf[:min(int64(len(buf)), x.end-first*indexBlock)]
		if _, err := x.r.ReadAt(piece, first*indexBlock); err != nil && err != io.EOF {
			return err
		}
		for i := int64(0); i*indexBlock < int64(len(piece)); i++ {
			block := piece[i*indexBlock : min(int64(len(piece)), (i+1)*indexBlock)]
			if err := x.check(first+i, block); err != nil {
				return err
			}
		}
		next := min(end, first*indexBlock+int64(len(piece)))
		if err := f(piece[off-first*indexBlock : next-first*indexBlock]); err != nil {
			return err
		}
		off = next
	}
	return nil
}

// string reads a section of text.
func (x *Index) string(s section) (string, error) {
	var b strings.Builder
	b.Grow(int(s.n))
	err := x.each(s, func(p []byte) error {
		b.Write(p)
		return nil
	})
	return b.String(), err
}

// numbers reads a column of numbers, each below the limit.
func (x *Index) numbers(s section, limit int64) ([]uint32, error) {
	list := make([]uint32, 0, s.n/4)
	err := x.each(s, func(p []byte) error {
		for i := 0; i+4 <= len(p); i += 4 {
			v := binary.LittleEndian.Uint32(p[i:])
			if int64(v) >= limit {
				return indexError(s.off, "number %d in a section of kind %d is not below %d", v, s.kind, limit)
			}
			list = append(list, v)
		}
		return nil
	})
	return list, err
}

// starts reads a column of n+1 numbers that ascend from 0 to end.
func (x *Index) starts(s section, n, end int) ([]uint32, error) {
	list, err := x.numbers(s, int64(end)+1)
	switch {
	case err != nil:
		return nil, err
	case len(list) != n+1 || list[0] != 0 || list[n] != uint32(end) || !slices.IsSorted(list):
		return nil, indexError(s.off, "section of kind %d does not divide %d entries among %d", s.kind, end, n)
	}
	return list, nil
}

// refs reads references into a text.
func (x *Index) refs(s section, text string) ([]ref, error) {
	list := make([]ref, 0, s.n/8)
	err := x.each(s, func(p []byte) error {
		for i := 0; i+8 <= len(p); i += 8 {
			r := ref{binary.LittleEndian.Uint32(p[i:]), binary.LittleEndian.Uint32(p[i+4:])}
			if int64(r.off)+int64(r.n) > int64(len(text)) {
				return indexError(s.off, "text of %d bytes has none at %d", len(text), r.off)
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}
