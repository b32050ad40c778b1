package catalog

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"

	"github.com/goips/ips/catalog/internal/scan"
)

// An envelope reads what all parts and update logs have in common:
//
//	{"publisher": {"stem": [entry, ...], ...}, "_SIGNATURE": {...}}
//
// Keys that begin with an underscore are no publishers. All but the signature are kept.
type envelope struct {
	s    *scan.Scanner
	meta []scan.Member // sorted
	sign string        // value of the signature, as canonical JSON
	cut  int64         // where the signature begins, or the end of the object
	last bool          // the signature is the last member, or there is none
	good bool          // the text is canonical
}

// A content gets what an envelope holds.
type content interface {
	publisher(name []byte)
	stem(name []byte)
	entry()   // reads one entry
	endStem() // after the last entry
}

// read reads the whole file.
func (e *envelope) read(c content) {
	s := e.s
	s.Trailer = signatureKey
	for s.Begin('{'); s.More('}'); {
		at := s.Member()
		key := s.Key()
		e.last = false
		switch {
		case string(key) == signatureKey:
			e.signature(at)
		case bytes.HasPrefix(key, []byte("_")):
			e.meta = s.InsertValue(e.meta, string(key))
		default:
			c.publisher(key)
			e.stems(c)
		}
	}
	if e.sign == "" {
		e.cut, e.last = s.Member(), true
	}
	e.good = s.End() && e.last
}

// signature reads the value of the signature, whose member begins at an offset.
func (e *envelope) signature(at int64) {
	if e.sign != "" {
		e.s.Fail(e.s.Start(), scan.DuplicateKey(signatureKey))
	}
	e.sign, e.cut, e.last = e.s.Value(), at, true
}

// stems reads what belongs to one publisher. Publishers and stems without entries
// are not kept, so that a text with them is not canonical.
func (e *envelope) stems(c content) {
	s, stems := e.s, 0
	for s.Begin('{'); s.More('}'); stems++ {
		c.stem(s.Key())
		entries := 0
		for s.Begin('['); s.More(']'); entries++ {
			c.entry()
		}
		c.endStem()
		if entries == 0 {
			s.Loosen()
		}
	}
	if stems == 0 {
		s.Loosen()
	}
}

// A file is a catalog file being decoded and hashed.
type file struct {
	envelope
	name string
	d    *digester
}

func newFile(name string, r io.Reader, limits *Limits) *file {
	size := maxChunk
	if f, ok := r.(fs.File); ok {
		if info, err := f.Stat(); err == nil {
			size = int(max(minChunk, min(maxChunk, info.Size()+1)))
		}
	}
	d := newDigester(r, size)
	return &file{envelope: envelope{s: scan.New(d, size, limits.scan())}, name: name, d: d}
}

// decode reads the file. The error says where it is wrong.
func (f *file) decode(c content) error {
	f.read(c)
	return fileError(f.name, f.s.Err())
}

// verify compares the content with the signature that the attributes give it, or
// its own if they give none. It first takes the bytes as they are; if these do
// not fit, it asks for the digest of the canonical form, as the reference does.
func (f *file) verify(listed string, canonical func() (string, error)) error {
	if listed == "" && f.sign == "" {
		return nil
	}
	fits := func(sum string) bool {
		if listed != "" {
			return sum == listed
		}
		return f.sign == signatureValue(sum)
	}
	sum := ""
	if f.last {
		sum = f.d.sum(f.cut)
	}
	if sum != "" && fits(sum) {
		f.good = f.good && f.sign == signatureValue(sum)
		return nil
	}
	f.good = false
	var err error
	if sum, err = canonical(); err != nil || fits(sum) {
		return err
	}
	if listed == "" {
		listed = trimSignature(f.sign)
	}
	return &SignatureError{File: f.name, Got: sum, Want: listed}
}

// wrongEntry describes an entry of a part that the base part does not have.
func wrongEntry(what string, name []byte) error {
	return fmt.Errorf("%s %.100q is not in %s", what, name, Base)
}
