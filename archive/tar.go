package archive

import (
	"fmt"
	"strconv"
	"time"
)

// Package archive/tar reads archives of all kinds, but writes pax headers in its own
// way. What is written here is, byte for byte, what the reference writes.

const (
	blockSize  = 512
	recordSize = 20 * blockSize // an archive is a multiple of this
)

// padding returns the number of bytes from n to the next multiple of unit.
func padding(n, unit int64) int64 { return (unit - n%unit) % unit }

// A header is what is written in front of a member.
type header struct {
	name    string // in ASCII, with a final slash if it is a directory
	dir     bool
	size    int64
	modTime time.Time // in whole seconds
	comment string    // of the index
}

// What the fields of a plain header can hold.
const (
	maxName = 100       // bytes
	maxSize = 1<<33 - 1 // bytes
	maxTime = 1<<33 - 1 // seconds, in the year 2242
)

// append appends the header, with a pax header before it if it needs one, to b.
func (h header) append(b []byte) []byte {
	var records []byte
	size := h.size
	if h.comment != "" {
		records = appendPaxRecord(records, "comment", h.comment)
	}
	if len(h.name) > maxName {
		records = appendPaxRecord(records, "path", h.name)
	}
	if size > maxSize {
		records = appendPaxRecord(records, "size", strconv.FormatInt(size, 10))
		size = 0
	}
	if len(records) > 0 {
		b = appendBlock(b, block{name: "././@PaxHeader", size: int64(len(records)), typ: 'x'})
		b = append(b, records...)
		b = append(b, make([]byte, padding(int64(len(records)), blockSize))...)
	}
	main := block{name: h.name, mode: 0o644, size: size, seconds: min(max(h.modTime.Unix(), 0), maxTime), typ: '0', owner: "root"}
	if h.dir {
		main.mode, main.typ = 0o755, '5'
	}
	return appendBlock(b, main)
}

// appendPaxRecord appends "length key=value\n", whose length counts itself.
func appendPaxRecord(b []byte, key, value string) []byte {
	n := len(" =\n") + len(key) + len(value)
	length := n + len(strconv.Itoa(n))
	length = n + len(strconv.Itoa(length)) // the number may have got a digit more
	return fmt.Appendf(b, "%d %s=%s\n", length, key, value)
}

// A block has the fields of a header block.
type block struct {
	name    string
	mode    int64
	size    int64
	seconds int64
	typ     byte
	owner   string // user and group
}

// appendBlock appends a header block. Numbers are octal, and text is cut off where
// its field ends.
func appendBlock(b []byte, h block) []byte {
	var buf [blockSize]byte
	copy(buf[0:100], h.name)
	putOctal(buf[100:107], h.mode)
	putOctal(buf[108:115], 0) // user
	putOctal(buf[116:123], 0) // group
	putOctal(buf[124:135], h.size)
	putOctal(buf[136:147], h.seconds)
	copy(buf[148:156], "        ") // the checksum counts as blanks
	buf[156] = h.typ
	copy(buf[257:265], "ustar\x0000")
	copy(buf[265:296], h.owner)
	copy(buf[297:328], h.owner)
	var sum int64
	for _, c := range buf {
		sum += int64(c)
	}
	putOctal(buf[148:154], sum)
	buf[154] = 0
	return append(b, buf[:]...)
}

// putOctal fills field with the octal digits of n, which must fit.
func putOctal(field []byte, n int64) {
	for i := len(field) - 1; i >= 0; i-- {
		field[i] = byte('0' + n&7)
		n >>= 3
	}
}
