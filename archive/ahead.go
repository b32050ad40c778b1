package archive

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/goips/ips/manifest"
)

// Payloads of at most maxAhead bytes are verified before it is their turn to be written,
// several at a time, as verifying takes longer than all the rest. Some of them, window,
// are in memory at once.
const (
	maxAhead = 256 << 10
	window   = 32
)

// An ahead has the payloads of entries, in their order.
type ahead struct {
	entries []entry // to be begun
	begun   []*begunPayload
	free    []*begunPayload              // to be used again
	readers chan *manifest.PayloadReader // those that nobody uses
	working sync.WaitGroup
}

// A begunPayload is one that is being read.
type begunPayload struct {
	done   chan struct{} // receives when it is
	stored bytes.Buffer
	err    error
}

// newAhead begins nothing yet. Its wait must be called.
func newAhead(entries []entry) *ahead {
	a := &ahead{entries: entries, readers: make(chan *manifest.PayloadReader, runtime.GOMAXPROCS(0))}
	for range cap(a.readers) {
		a.readers <- new(manifest.PayloadReader)
	}
	return a
}

// isAhead reports whether the payload of an entry comes from an ahead.
func isAhead(e entry) bool { return e.open != nil && e.size <= maxAhead }

// writeNext writes the next payload as it is stored.
func (a *ahead) writeNext(out io.Writer) error {
	for len(a.begun) < window && len(a.entries) > 0 {
		e := a.entries[0]
		a.entries = a.entries[1:]
		if isAhead(e) {
			a.begun = append(a.begun, a.begin(e))
		}
	}
	p := a.begun[0]
	a.begun = a.begun[1:]
	<-p.done
	if p.err != nil {
		return p.err
	}
	_, err := p.stored.WriteTo(out)
	a.free = append(a.free, p)
	return err
}

// begin opens a payload; somebody reads it.
func (a *ahead) begin(e entry) *begunPayload {
	p := a.unused()
	r, err := e.open(e.payload)
	if err != nil {
		p.err = err
		p.done <- struct{}{}
		return p
	}
	a.working.Go(func() {
		content := <-a.readers
		p.stored.Grow(int(e.size))
		p.err = errors.Join(copyPayload(&p.stored, e, r, content), r.Close())
		a.readers <- content
		p.done <- struct{}{}
	})
	return p
}

func (a *ahead) unused() *begunPayload {
	last := len(a.free) - 1
	if last < 0 {
		return &begunPayload{done: make(chan struct{}, 1)}
	}
	p := a.free[last]
	a.free = a.free[:last]
	p.stored.Reset()
	return p
}

// wait waits until nobody reads any more.
func (a *ahead) wait() { a.working.Wait() }

// copyPayload writes a payload as it is stored and verifies what it writes. Other
// programs may have stored it in another way than the manifest says, so what counts is
// the content.
func copyPayload(out io.Writer, e entry, stored io.Reader, content *manifest.PayloadReader) error {
	copied := &counter{w: out}
	content.Reset(e.payload.ContentOnly(), io.TeeReader(io.LimitReader(stored, e.size+1), copied))
	if _, err := content.WriteTo(io.Discard); err != nil {
		return err
	}
	if copied.n != e.size {
		return &manifest.SizeError{Got: copied.n, Want: e.size}
	}
	return nil
}

// A counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
