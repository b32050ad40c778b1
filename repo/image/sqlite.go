package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// Newer images of the reference keep their catalogs in an SQLite database. This file
// reads the rows of its tables, and no more: the format is described at
// https://www.sqlite.org/fileformat2.html. A table is a tree of pages; a row is in a
// leaf, or begins there and goes on in a chain of overflow pages.

// A database is the content of an SQLite file.
type database struct {
	src      []byte
	pageSize int
	usable   int // bytes of a page that are used
}

var (
	errDatabase = errors.New("database is damaged")
	sqliteMagic = []byte("SQLite format 3\x00")
)

// maxDepth bounds the depth of a tree, against trees that go in circles.
const maxDepth = 32

// openDatabase checks the header of an SQLite file with text in UTF-8.
func openDatabase(src []byte) (*database, error) {
	if len(src) < 512 || !bytes.HasPrefix(src, sqliteMagic) {
		return nil, errDatabase
	}
	size := int(binary.BigEndian.Uint16(src[16:]))
	if size == 1 {
		size = 65536
	}
	d := &database{src: src, pageSize: size, usable: size - int(src[20])}
	encoding := binary.BigEndian.Uint32(src[56:])
	if size < 512 || size&(size-1) != 0 || d.usable < 480 || encoding > 1 {
		return nil, errDatabase
	}
	return d, nil
}

// A value is one column of a row: text and blobs as bytes, integers as a number.
type value struct {
	text []byte
	num  int64
}

// table yields the rows of a table.
func (d *database) table(name string) iter.Seq2[[]value, error] {
	return func(yield func([]value, error) bool) {
		for row, err := range d.rows(1) {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(row) < 4 || string(row[0].text) != "table" || string(row[1].text) != name {
				continue
			}
			for row, err := range d.rows(int(row[3].num)) {
				if !yield(row, err) || err != nil {
					return
				}
			}
			return
		}
		yield(nil, fmt.Errorf("no table %s: %w", name, errDatabase))
	}
}

// rows yields the rows of the tree with its root on a page.
func (d *database) rows(root int) iter.Seq2[[]value, error] {
	return func(yield func([]value, error) bool) {
		_, err := d.walk(root, 0, func(row []value) bool { return yield(row, nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// page returns a page and where its header begins in it.
func (d *database) page(n int) (page []byte, header int, err error) {
	if n < 1 || n > len(d.src)/d.pageSize {
		return nil, 0, errDatabase
	}
	if n == 1 {
		header = 100
	}
	return d.src[(n-1)*d.pageSize : n*d.pageSize][:d.usable], header, nil
}

// Types of pages.
const (
	interiorPage = 0x05
	leafPage     = 0x0d
)

// walk calls visit with the rows below a page until it returns false.
func (d *database) walk(n, depth int, visit func([]value) bool) (more bool, err error) {
	page, h, err := d.page(n)
	if err != nil || depth > maxDepth {
		return false, errDatabase
	}
	kind, cells := page[h], int(binary.BigEndian.Uint16(page[h+3:]))
	first := h + 8
	if kind == interiorPage {
		first += 4
	}
	if kind != interiorPage && kind != leafPage || first+2*cells > len(page) {
		return false, errDatabase
	}
	for c := range cells {
		at := int(binary.BigEndian.Uint16(page[first+2*c:]))
		if at+4 > len(page) {
			return false, errDatabase
		}
		if kind == interiorPage {
			more, err = d.walk(int(binary.BigEndian.Uint32(page[at:])), depth+1, visit)
		} else {
			more, err = d.visitCell(page[at:], visit)
		}
		if !more || err != nil {
			return more, err
		}
	}
	if kind == interiorPage {
		return d.walk(int(binary.BigEndian.Uint32(page[h+8:])), depth+1, visit)
	}
	return true, nil
}

func (d *database) visitCell(cell []byte, visit func([]value) bool) (more bool, err error) {
	payload, err := d.payload(cell)
	if err != nil {
		return false, err
	}
	row, err := record(payload)
	if err != nil {
		return false, err
	}
	return visit(row), nil
}

// payload returns the content of a cell of a leaf, put together if it is in pieces.
func (d *database) payload(cell []byte) ([]byte, error) {
	size, cell, err := varint(cell)
	if err != nil || size < 0 || size > int64(len(d.src)) {
		return nil, errDatabase
	}
	if _, cell, err = varint(cell); err != nil { // the number of the row
		return nil, err
	}
	local := d.local(int(size))
	if local > len(cell) {
		return nil, errDatabase
	}
	if local == int(size) {
		return cell[:local], nil
	}
	if local+4 > len(cell) {
		return nil, errDatabase
	}
	whole := bytes.Clone(cell[:local])
	next := int(binary.BigEndian.Uint32(cell[local:]))
	for len(whole) < int(size) {
		if next < 2 || next > len(d.src)/d.pageSize {
			return nil, errDatabase
		}
		page := d.src[(next-1)*d.pageSize:][:d.usable]
		whole = append(whole, page[4:min(d.usable, 4+int(size)-len(whole))]...)
		next = int(binary.BigEndian.Uint32(page))
	}
	return whole, nil
}

// local returns how many bytes of a payload are in the leaf itself.
func (d *database) local(size int) int {
	most := d.usable - 35
	if size <= most {
		return size
	}
	least := (d.usable-12)*32/255 - 23
	if n := least + (size-least)%(d.usable-4); n <= most {
		return n
	}
	return least
}

// record splits a row into its columns.
func record(src []byte) ([]value, error) {
	size, types, err := varint(src)
	if err != nil || size < 1 || size > int64(len(src)) {
		return nil, errDatabase
	}
	types = src[len(src)-len(types) : size]
	body := src[size:]
	var row []value
	for len(types) > 0 {
		var t int64
		if t, types, err = varint(types); err != nil {
			return nil, err
		}
		n := width(t)
		if n < 0 || n > len(body) {
			return nil, errDatabase
		}
		row = append(row, column(t, body[:n]))
		body = body[n:]
	}
	return row, nil
}

// width returns how many bytes a value of a serial type takes, -1 for a wrong type.
func width(t int64) int {
	widths := [...]int{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, -1, -1}
	switch {
	case t < 0 || t > 1<<31:
		return -1
	case t < int64(len(widths)):
		return widths[t]
	}
	return int(t-12) / 2
}

func column(t int64, src []byte) value {
	switch {
	case t >= 12:
		return value{text: src}
	case t == 9:
		return value{num: 1}
	case t == 7 || len(src) == 0:
		return value{}
	}
	n := int64(int8(src[0]))
	for _, b := range src[1:] {
		n = n<<8 | int64(b)
	}
	return value{num: n}
}

// varint takes a number of one to nine bytes from the front of src.
func varint(src []byte) (n int64, rest []byte, err error) {
	for i, b := range src {
		if i == 8 {
			return n<<8 | int64(b), src[9:], nil
		}
		n = n<<7 | int64(b&0x7f)
		if b < 0x80 {
			return n, src[i+1:], nil
		}
	}
	return 0, nil, errDatabase
}
