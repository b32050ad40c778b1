package catalog

import (
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// The signature of a file is the SHA-1 of its content without the signature:
// what stands before the member, and then the end of an object.
const (
	signatureKey = "_SIGNATURE"
	objectEnd    = "}\n"
)

// signatureValue is the whole value of the member. A further algorithm in it makes a
// file invalid for the reference, and here.
func signatureValue(sum string) string { return `{"sha-1":"` + sum + `"}` }

// appendSignature turns the canonical text of an object, which begins at dst[from:]
// and has no signature, into the signed text.
func appendSignature(dst []byte, sum string) []byte {
	dst = dst[:len(dst)-len(objectEnd)]
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, `"`+signatureKey+`":`...)
	dst = append(dst, signatureValue(sum)...)
	return append(dst, objectEnd...)
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func hexSHA1(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

const (
	minChunk = 512
	maxChunk = 256 << 10
	chunks   = 3
	heldBack = 4 << 10 // a signature at the end of a file lies within it
)

// A digester reads a file ahead in a goroutine of its own and hashes what it
// reads. It does not hash the last bytes before it is told where the signature is.
// Close ends the goroutine and waits for it.
type digester struct {
	r          io.Reader
	size       int // of chunks
	full, free chan []byte
	quit       chan struct{}
	done       sync.WaitGroup
	cur, chunk []byte // what is left of the current chunk, and all of it
	err        error  // why there are no more chunks; valid once full is closed
	hash       hash.Hash
	held       []byte // read and not yet hashed
	hashed     int64
}

// newDigester returns a digester for a file of about the given size.
func newDigester(r io.Reader, size int) *digester {
	d := &digester{
		r: r, size: size, full: make(chan []byte, chunks), free: make(chan []byte, chunks),
		quit: make(chan struct{}), hash: sha1.New(),
	}
	for range chunks {
		d.free <- nil
	}
	d.done.Go(d.run)
	return d
}

// run is the goroutine.
func (d *digester) run() {
	defer close(d.full)
	for d.err == nil {
		var buf []byte
		select {
		case buf = <-d.free:
		case <-d.quit:
			return
		}
		if buf == nil {
			buf = make([]byte, d.size)
		}
		var n int
		n, d.err = io.ReadFull(d.r, buf[:d.size])
		if d.err == io.ErrUnexpectedEOF {
			d.err = io.EOF
		}
		if n > 0 {
			d.full <- buf[:n] // has room for all chunks there are
			d.add(buf[:n])
		}
	}
}

// add hashes all but the last bytes.
func (d *digester) add(b []byte) {
	if len(b) >= heldBack {
		d.flush(len(d.held))
		d.hashed += int64(len(b) - heldBack)
		d.hash.Write(b[:len(b)-heldBack])
		b = b[len(b)-heldBack:]
	}
	d.held = append(d.held, b...)
	d.flush(max(0, len(d.held)-heldBack))
}

// flush hashes the first n of the bytes held back.
func (d *digester) flush(n int) {
	d.hash.Write(d.held[:n])
	d.hashed += int64(n)
	d.held = append(d.held[:0], d.held[n:]...)
}

// Read reads what the goroutine has read.
func (d *digester) Read(p []byte) (int, error) {
	if len(d.cur) == 0 {
		if d.chunk != nil {
			d.free <- d.chunk
			d.chunk = nil
		}
		var ok bool
		if d.chunk, ok = <-d.full; !ok {
			return 0, d.err
		}
		d.cur = d.chunk
	}
	n := copy(p, d.cur)
	d.cur = d.cur[n:]
	return n, nil
}

// sum returns the digest of the content before offset cut, as if it ended there.
// It is empty if the cut lies too far from the end. All must have been read.
func (d *digester) sum(cut int64) string {
	d.done.Wait()
	if cut < d.hashed || cut > d.hashed+int64(len(d.held)) {
		return ""
	}
	d.flush(int(cut - d.hashed))
	io.WriteString(d.hash, objectEnd)
	return hexSum(d.hash)
}

// Close ends the goroutine.
func (d *digester) Close() {
	close(d.quit)
	d.done.Wait()
}

// A sideHash hashes buffers in a goroutine of its own, while others are being filled. It
// must be closed.
type sideHash struct {
	hash    hash.Hash
	full    chan []byte // nil as long as there was nothing to do
	free    chan []byte
	done    sync.WaitGroup
	buffers int
}

func newSideHash() *sideHash { return &sideHash{hash: sha1.New()} }

// add hashes a buffer, which must not be changed any more until buffer returns it.
func (h *sideHash) add(b []byte) {
	if h.full == nil {
		h.full, h.free = make(chan []byte, chunks), make(chan []byte, chunks)
		h.done.Go(func() {
			for b := range h.full {
				h.hash.Write(b)
				h.free <- b[:0]
			}
		})
	}
	h.buffers++
	h.full <- b
}

// buffer returns an empty buffer to fill: one that was hashed, or nil for a new one.
func (h *sideHash) buffer() []byte {
	if h.buffers < chunks {
		return nil
	}
	h.buffers--
	return <-h.free
}

// sum returns the digest of all that was added and of some more.
func (h *sideHash) sum(rest ...[]byte) string {
	h.close()
	for _, b := range rest {
		h.hash.Write(b)
	}
	return hexSum(h.hash)
}

// close ends the goroutine.
func (h *sideHash) close() {
	if h.full != nil {
		close(h.full)
		h.done.Wait()
		h.full = nil
	}
}
