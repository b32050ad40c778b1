package catalog

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/goips/ips/catalog/internal/scan"
)

// The layout of an index. Numbers are little-endian.
//
//	head       "IPSINDEX", version (4 bytes), 4 zero bytes
//	sections   each begins at a multiple of 32 bytes
//	directory  for each section kind (4), part (4), offset (8), length (8);
//	           then for each block of 8 KiB of what is before the directory
//	           its CRC-32C (4)
//	tail       offset of the directory (8), number of sections (4),
//	           CRC-32C of the directory (4), 8 zero bytes, "IPSINDEX"
const (
	indexMagic    = "IPSINDEX"
	indexVersion  = 1
	indexAlign    = 32
	indexBlock    = 8 << 10
	indexHeadSize = 16
	indexTailSize = 32
	indexEntry    = 24
)

// The kinds of sections. The small ones that opening needs come first in the file.
// Those from secOrder on are there for each part, but
// the base part has only the first of them.
const (
	secAttrs    = iota // text of catalog.attrs
	secPart            // JSON of a part, see appendPartHead
	secPubs            // publishers: stems lo, hi (4, 4), length of the name (4), name
	secText            // names and versions, one after another
	secStems           // offset and length in the text (4, 4)
	secFirst           // by stem, and one more: its first version (4)
	secVersions        // rows, see appendRow
	secExtra           // by version: which further members its base entry has (4); may be missing
	secSets            // by set: offset and length in secSetText (4, 4)
	secSetText         // the distinct sets of members as JSON objects; the first is empty
	secOrder           // stem, count, and that many versions as the file has them, for stems that are not in order (4 each)
	secActions         // distinct actions, one after another
	secRefs            // offset and length in the actions (4, 4)
	secMarks           // by action: what it says (1)
	secLists           // by version, and one more: where its actions begin in secIDs (4)
	secIDs             // actions of all versions (4)
	secOdd             // unusual entries: version, 1 if without a list, offset and length in secOddText (4, 4, 4, 4)
	secOddText         // their further members as JSON objects
)

// castagnoli is a read-only table.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteIndex writes an index of the catalog, from which [OpenIndex] has it without
// parsing. It holds everything: parts can be written from it.
func (c *Catalog) WriteIndex(w io.Writer) error {
	attrs, err := c.Attrs()
	if err != nil {
		return err
	}
	x := &indexWriter{w: w, buf: make([]byte, 0, 8*indexBlock)}
	x.buf = append(x.buf, indexMagic...)
	x.u32(indexVersion)
	x.u32(0)
	x.section(secAttrs, 0)
	x.buf = attrs.appendText(x.buf, attrs.Signature)
	for i, p := range c.parts {
		x.section(secPart, uint32(i))
		x.buf = appendPartHead(x.buf, p)
	}
	x.columns(&c.columns)
	for i, p := range c.parts {
		if p.order != nil {
			x.section(secOrder, uint32(i))
			x.numbers(p.order.numbers())
		}
		t, err := p.actions()
		if err != nil {
			return err
		}
		if t != nil {
			x.table(uint32(i), t)
		}
	}
	return x.close()
}

// An indexWriter writes sections and then their directory.
type indexWriter struct {
	w         io.Writer
	buf       []byte
	off       int64 // of the beginning of buf
	sums      []byte
	directory []byte
	err       error
}

func (x *indexWriter) u32(n uint32) { x.buf = binary.LittleEndian.AppendUint32(x.buf, n) }

// flush writes full blocks.
func (x *indexWriter) flush() { x.write(len(x.buf) / indexBlock * indexBlock) }

// write writes the first n bytes and notes the checksums of their blocks.
func (x *indexWriter) write(n int) {
	for block := range slices.Chunk(x.buf[:n], indexBlock) {
		x.sums = binary.LittleEndian.AppendUint32(x.sums, crc32.Checksum(block, castagnoli))
	}
	if x.err == nil && n > 0 {
		_, x.err = x.w.Write(x.buf[:n])
	}
	x.off += int64(n)
	x.buf = append(x.buf[:0], x.buf[n:]...)
}

// pos returns the offset of what is written next.
func (x *indexWriter) pos() int64 { return x.off + int64(len(x.buf)) }

// section ends the section before and begins another.
func (x *indexWriter) section(kind, part uint32) {
	x.endSection()
	x.flush()
	for x.pos()%indexAlign != 0 {
		x.buf = append(x.buf, 0)
	}
	x.directory = binary.LittleEndian.AppendUint32(x.directory, kind)
	x.directory = binary.LittleEndian.AppendUint32(x.directory, part)
	x.directory = binary.LittleEndian.AppendUint64(x.directory, uint64(x.pos()))
	x.directory = binary.LittleEndian.AppendUint64(x.directory, math.MaxUint64)
}

// endSection notes the length of the section that ends here.
func (x *indexWriter) endSection() {
	if n := len(x.directory); n > 0 {
		begin := binary.LittleEndian.Uint64(x.directory[n-16:])
		binary.LittleEndian.PutUint64(x.directory[n-8:], uint64(x.pos())-begin)
	}
}

// close writes what comes after the sections.
func (x *indexWriter) close() error {
	x.endSection()
	x.flush()
	x.write(len(x.buf))
	sections := len(x.directory) / indexEntry
	directory := append(x.directory, x.sums...)
	tail := binary.LittleEndian.AppendUint64(nil, uint64(x.off))
	tail = binary.LittleEndian.AppendUint32(tail, uint32(sections))
	tail = binary.LittleEndian.AppendUint32(tail, crc32.Checksum(directory, castagnoli))
	tail = append(append(tail, make([]byte, 8)...), indexMagic...)
	if x.err == nil {
		_, x.err = x.w.Write(append(directory, tail...))
	}
	return x.err
}

// string writes a long string.
func (x *indexWriter) string(s string) {
	for len(s) > 0 {
		n := min(len(s), indexBlock)
		x.buf = append(x.buf, s[:n]...)
		s = s[n:]
		x.flush()
	}
}

// text writes all strings of a text.
func (x *indexWriter) text(t text) {
	for s := range t.chunks() {
		x.string(s)
	}
}

// numbers writes a column of numbers.
func (x *indexWriter) numbers(list []uint32) {
	for len(list) > 0 {
		n := min(len(list), indexBlock)
		for _, v := range list[:n] {
			x.u32(v)
		}
		list = list[n:]
		x.flush()
	}
}

// refs writes a column of references.
func (x *indexWriter) refs(list []ref) {
	for _, r := range list {
		x.u32(r.off)
		x.u32(r.n)
		if len(x.buf) >= 4*indexBlock {
			x.flush()
		}
	}
}

// columns writes what is known from the base part.
func (x *indexWriter) columns(c *columns) {
	x.section(secPubs, 0)
	for _, p := range c.pubs {
		x.u32(uint32(p.lo))
		x.u32(uint32(p.hi))
		x.u32(uint32(len(p.name)))
		x.buf = append(x.buf, p.name...)
	}
	x.section(secText, 0)
	x.text(c.text)
	x.section(secStems, 0)
	x.refs(c.stems)
	x.section(secFirst, 0)
	x.numbers(c.first)
	x.section(secVersions, 0)
	for i := range c.versions {
		x.buf = appendRow(x.buf, &c.versions[i])
		if len(x.buf) >= 4*indexBlock {
			x.flush()
		}
	}
	if c.extra == nil {
		return
	}
	x.section(secExtra, 0)
	x.numbers(c.extra)
	refs, text := memberTexts(len(c.extras), func(i int) []scan.Member { return c.extras[i] })
	x.section(secSets, 0)
	x.refs(refs)
	x.section(secSetText, 0)
	x.string(text)
}

// memberTexts returns the texts of n sets of members.
func memberTexts(n int, set func(i int) []scan.Member) ([]ref, string) {
	refs := make([]ref, n)
	var text []byte
	for i := range refs {
		off := len(text)
		text = scan.AppendMembers(text, set(i))
		refs[i] = ref{uint32(off), uint32(len(text) - off)}
	}
	return refs, string(text)
}

// appendRow appends the row of a version: offset (4) and length (2) of its text, marks (1),
// 0 (1), stem (4), digest of the manifest (20).
func appendRow(dst []byte, v *version) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, v.off)
	dst = binary.LittleEndian.AppendUint16(dst, v.n)
	dst = append(dst, byte(v.marks), 0)
	dst = binary.LittleEndian.AppendUint32(dst, v.stem)
	return append(dst, v.digest[:]...)
}

// table writes the actions of a part.
func (x *indexWriter) table(i uint32, t *table) {
	x.section(secActions, i)
	x.text(t.text)
	x.section(secRefs, i)
	x.refs(t.refs)
	x.section(secMarks, i)
	for _, m := range t.marks {
		x.buf = append(x.buf, byte(m))
	}
	x.section(secLists, i)
	x.numbers(t.first)
	x.section(secIDs, i)
	x.numbers(t.ids)
	x.odd(i, t.odd)
}

// odd writes the unusual entries of a part.
func (x *indexWriter) odd(i uint32, odd []oddity) {
	refs, text := memberTexts(len(odd), func(i int) []scan.Member { return odd[i].extra })
	x.section(secOdd, i)
	for k, o := range odd {
		missing := uint32(0)
		if o.missing {
			missing = 1
		}
		for _, n := range []uint32{o.version, missing, refs[k].off, refs[k].n} {
			x.u32(n)
		}
		x.flush()
	}
	x.section(secOddText, i)
	x.string(text)
}

// appendPartHead appends an object with the members "meta", the members of the file that
// are no publishers; "name"; and "skipped", true if the part was not read.
func appendPartHead(dst []byte, p *part) []byte {
	return scan.AppendMembers(dst, []scan.Member{
		{Key: "meta", JSON: string(scan.AppendMembers(nil, p.meta))},
		{Key: "name", JSON: quote(p.Name)},
		{Key: "skipped", JSON: strconv.FormatBool(p.skipped)},
	})
}

// numbers returns the order as one list.
func (o fileOrder) numbers() []uint32 {
	var list []uint32
	for _, stem := range slices.Sorted(maps.Keys(o)) {
		list = append(list, uint32(stem), uint32(len(o[stem])))
		list = append(list, o[stem]...)
	}
	return list
}
