package manifest

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"hash"
	"io"
)

// MaxPayload is how many bytes of content are read where an action does not say how
// many there are, unless [PayloadReader] is told otherwise.
const MaxPayload = 4 << 30

// ErrNoDigest is the reason to refuse a payload of which no digest is known.
var ErrNoDigest = errors.New("no digest to verify the payload by")

// Verify returns a reader of the content of a stored form, which is all that the
// repository sent. See [PayloadReader].
func (p Payload) Verify(stored io.Reader) *PayloadReader {
	r := new(PayloadReader)
	r.Reset(p, stored)
	return r
}

// VerifyContent is like [Payload.Verify] for bytes that are not compressed.
func (p Payload) VerifyContent(content io.Reader) *PayloadReader {
	r := new(PayloadReader)
	r.ResetContent(p, content)
	return r
}

// ContentOnly returns p without what it says about the stored form, for bytes that come from
// where it may be another one.
func (p Payload) ContentOnly() Payload {
	p.Stored, p.StoredSize = Digests{}, -1
	return p
}

// A PayloadReader is the door through which the bytes of a payload come in. Its Read
// returns the content, and [io.EOF] only after it has found that the content and the
// stored form have the sizes and all the digests that the payload has. Until
// then what was read must not be used.
//
// It reads no more than the payload says there is, and returns no more than that. If the
// bytes are not those of the payload, the error is a [*PayloadError]; an
// error of the source is returned as it is.
//
// A PayloadReader may be used for one payload after another, by calling Reset.
type PayloadReader struct {
	// MaxSize is the number of bytes of content to accept where it is not known;
	// 0 means MaxPayload. It is to be set before Reset.
	MaxSize int64

	payload Payload
	content meter
	stored  meter
	limit   int64     // of content
	source  source    // of stored bytes, or of content
	from    io.Reader // where content comes from
	in      *bufio.Reader
	gzip    *gzip.Reader
	opened  bool // gzip has read its header
	inspect bool // there are no digests to compare with
	buf     []byte
	err     error
}

// Reset makes r read the content of a stored form of p.
func (r *PayloadReader) Reset(p Payload, stored io.Reader) {
	r.reset(p)
	limit := p.StoredSize
	if limit < 0 {
		limit = min(r.limit, 1<<60)
		limit += limit/8 + 1<<16 // what is not compressed grows a little
	}
	r.stored.reset(p.Stored)
	r.source = source{r: stored, meter: &r.stored, limit: limit, form: FormStored}
	if r.in == nil {
		r.in, r.gzip = bufio.NewReaderSize(nil, 1<<15), new(gzip.Reader)
	}
	r.in.Reset(&r.source)
	r.from = r.gzip
}

// ResetContent makes r read content of p that is not compressed.
func (r *PayloadReader) ResetContent(p Payload, content io.Reader) {
	r.reset(p.ContentOnly())
	r.source = source{r: content, limit: -1}
	r.from = &r.source
	r.opened = true
}

func (r *PayloadReader) reset(p Payload) {
	r.payload, r.err, r.opened = p, nil, false
	r.limit = p.Size
	if r.limit < 0 {
		r.limit = r.MaxSize
	}
	if p.Size < 0 && r.limit <= 0 {
		r.limit = MaxPayload
	}
	r.content.reset(p.Content)
	if !p.IsValid() {
		r.err = r.fault(FormContent, ErrNoDigest)
	}
}

// Read reads content.
func (r *PayloadReader) Read(b []byte) (int, error) {
	if r.err == nil && !r.opened {
		r.open()
	}
	if r.err != nil {
		return 0, r.err
	}
	if room := r.limit - r.content.n; int64(len(b)) > room {
		b = b[:room+1] // one byte more than there may be
	}
	n, err := r.from.Read(b)
	if r.content.n+int64(n) > r.limit {
		r.err = r.fault(FormContent, &SizeError{Want: r.limit, Got: r.content.n + int64(n)})
		return 0, r.err
	}
	r.content.Write(b[:n])
	if err != nil {
		r.err = r.finish(err)
	}
	return n, r.err
}

// WriteTo writes the content to w.
func (r *PayloadReader) WriteTo(w io.Writer) (int64, error) {
	if r.buf == nil {
		r.buf = make([]byte, 1<<15)
	}
	written := int64(0)
	for {
		n, err := r.Read(r.buf)
		if n > 0 {
			m, werr := w.Write(r.buf[:n])
			written += int64(m)
			if werr != nil {
				return written, werr
			}
		}
		switch {
		case err == io.EOF:
			return written, nil
		case err != nil:
			return written, err
		}
	}
}

// open reads the header of the stored form.
func (r *PayloadReader) open() {
	r.opened = true
	if err := r.gzip.Reset(r.in); err != nil {
		r.err = r.damage(err)
		return
	}
	r.gzip.Multistream(false)
}

// finish makes the verdict when reading ended with err.
func (r *PayloadReader) finish(err error) error {
	if err != io.EOF || r.source.err != nil {
		return r.damage(err)
	}
	if err := r.check(&r.content, r.payload.Content, r.payload.Size); err != nil {
		return r.fault(FormContent, err)
	}
	if r.source.form != FormStored {
		return io.EOF
	}
	if _, err := r.in.ReadByte(); err != io.EOF {
		return r.damage(errTrailing)
	}
	if err := r.check(&r.stored, r.payload.Stored, r.payload.StoredSize); err != nil {
		return r.fault(FormStored, err)
	}
	return io.EOF
}

// check compares what was written to m with what is known about it. The best digest
// that is wrong stands in the error.
func (r *PayloadReader) check(m *meter, want Digests, size int64) error {
	if r.inspect {
		return nil
	}
	if size >= 0 && size != m.n {
		return &SizeError{Want: size, Got: m.n}
	}
	got := m.sums()
	for d := range want.All() {
		if g := got.Of(d.Algorithm()); g != d {
			return &HashError{Want: d, Got: g}
		}
	}
	return nil
}

var errTrailing = errors.New("bytes behind the end of the gzip stream")

// damage returns what is wrong if err has ended the reading early.
func (r *PayloadReader) damage(err error) error {
	var size *SizeError
	switch {
	case errors.As(r.source.err, &size):
		return r.fault(FormStored, size)
	case r.source.err != nil:
		return r.source.err
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return r.fault(r.source.form, err)
}

func (r *PayloadReader) fault(f Form, err error) error {
	name := r.payload.Name()
	switch {
	case r.inspect:
		name = Digest{}
	case !name.IsValid():
		name = r.payload.Stored.Least()
	}
	return &PayloadError{Name: name, Form: f, Err: err}
}

// A source is where a PayloadReader reads from. It keeps the error of r apart from
// those that its bytes are the cause of.
type source struct {
	r     io.Reader
	meter *meter // nil for none
	limit int64  // -1 for none
	form  Form
	err   error // of r, or the limit
}

func (s *source) Read(b []byte) (int, error) {
	if s.meter != nil && int64(len(b)) > s.limit-s.meter.n {
		b = b[:s.limit-s.meter.n+1]
	}
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	if s.meter == nil {
		return n, err
	}
	s.meter.Write(b[:n])
	if s.meter.n > s.limit {
		s.err = &SizeError{Want: s.limit, Got: s.meter.n}
		return 0, s.err
	}
	return n, err
}

// A meter counts and hashes what is written to it.
type meter struct {
	n      int64
	hashes [SHA512_256 + 1]hash.Hash // made when needed
	on     [SHA512_256 + 1]bool
	sum    [32]byte
}

// reset begins to compute the digests that are in want.
func (m *meter) reset(want Digests) {
	m.n = 0
	for alg := SHA1; alg <= SHA512_256; alg++ {
		if m.on[alg] = want.Of(alg).IsValid(); !m.on[alg] {
			continue
		}
		if m.hashes[alg] == nil {
			m.hashes[alg] = alg.New()
		}
		m.hashes[alg].Reset()
	}
}

// Write never fails.
func (m *meter) Write(b []byte) (int, error) {
	m.n += int64(len(b))
	for alg, on := range m.on {
		if on {
			m.hashes[alg].Write(b)
		}
	}
	return len(b), nil
}

// sums returns the digests of what was written.
func (m *meter) sums() Digests {
	var sums Digests
	for alg := SHA1; alg <= SHA512_256; alg++ {
		if m.on[alg] {
			sum, _ := alg.Digest(m.hashes[alg].Sum(m.sum[:0]))
			sums = sums.With(sum)
		}
	}
	return sums
}

// A Form is one of the two forms of a payload.
type Form uint8

// The forms.
const (
	FormContent Form = iota
	FormStored
)

// String returns "content" or "stored form".
func (f Form) String() string {
	if f == FormStored {
		return "stored form"
	}
	return "content"
}

// A PayloadError says that bytes are not the payload that they should be.
type PayloadError struct {
	Name Digest // of the payload; zero if that is not known
	Form Form   // in which it was noticed
	Err  error  // a *SizeError, a *HashError, ErrNoDigest, or an error of gzip
}

// Error names the payload and says what is wrong with it.
func (e *PayloadError) Error() string {
	if !e.Name.IsValid() {
		return fmt.Sprintf("payload: %v: %v", e.Form, e.Err)
	}
	return fmt.Sprintf("payload %s: %v: %v", e.Name.Hex(), e.Form, e.Err)
}

// Unwrap returns e.Err.
func (e *PayloadError) Unwrap() error { return e.Err }

// A SizeError says that there are more or fewer bytes than there should be.
type SizeError struct {
	Want, Got int64 // in bytes; where reading stopped, Got is what had come until then
}

// Error returns both sizes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("size is %d, should be %d", e.Got, e.Want)
}

// A HashError says that bytes have another digest than they should have.
type HashError struct {
	Want, Got Digest
}

// Error returns both digests.
func (e *HashError) Error() string {
	return fmt.Sprintf("digest is %v, should be %v", e.Got, e.Want)
}
