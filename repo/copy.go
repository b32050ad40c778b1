package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// CopyOptions adjust Copy. A nil *CopyOptions is the zero value.
type CopyOptions struct {
	// Parallel is how many payloads are copied at once. Zero means one per CPU.
	Parallel int

	// Transform, if set, changes manifests on the way. It is called for one
	// package after the other in their order, those that the sink has already
	// too, and must not change what it is given; what it returns unchanged is
	// copied byte for byte. A nil manifest leaves the package out.
	//
	// A changed manifest is published under the name that it has; without
	// publisher or timestamp it gets those of the package. It must be one that
	// Publish would take. Payloads are copied for the actions that it has: those
	// of actions that are gone stay behind, and for one that was added the
	// source must have the payload that it names. Signatures that do not fit any
	// more are the function's business.
	Transform func(*manifest.Manifest) (*manifest.Manifest, error)

	// BatchBytes is how much is copied before it is made visible, if the sink
	// takes batches. Zero means 256 MiB.
	BatchBytes int64

	// Progress is told of each package. Nil means nobody is.
	Progress func(Event)
}

const defaultBatchBytes = 256 << 20

// Copy publishes packages of a source in a sink, with their names, manifests and
// the stored form of their payloads byte for byte. Packages that the sink has
// already are passed over, and payloads if it is a Holder, so a copy that was
// interrupted goes on where it was. Each payload is verified on the way, and a
// manifest must be the one that the source's catalog lists.
//
// If a package cannot be copied, Copy makes those visible that were complete and
// returns the error.
func Copy(ctx context.Context, dst Sink, src Source, pkgs iter.Seq[fmri.FMRI], opts *CopyOptions) error {
	if opts == nil {
		opts = &CopyOptions{}
	}
	c := copying{opts: opts, dst: dst, src: src, limit: opts.BatchBytes, listed: Listed(src)}
	if c.limit <= 0 {
		c.limit = defaultBatchBytes
	}
	var todo []fmri.FMRI
	for f := range pkgs {
		todo = append(todo, f)
	}
	c.total = len(todo)
	for len(todo) > 0 {
		n, err := c.batch(ctx, todo)
		if err != nil {
			return err
		}
		todo = todo[n:]
	}
	return nil
}

// A copying is one Copy.
type copying struct {
	opts  *CopyOptions
	dst   Sink
	src   Source
	limit int64

	listed Source // src
	total  int
	done   counter

	packers packers
	begun   []*copyingPackage // in the present sink
}

// batch copies packages until they are all done or enough for a batch, and
// returns their number.
func (c *copying) batch(ctx context.Context, todo []fmri.FMRI) (n int, err error) {
	sink, commit, abort := c.dst, func(context.Context) error { return nil }, func() {}
	if b, ok := c.dst.(Batcher); ok {
		batch, err := b.Batch(ctx)
		if err != nil {
			return 0, err
		}
		sink, commit = batch, batch.Commit
		abort = func() { batch.Abort(context.WithoutCancel(ctx)) }
	}
	n, err = c.copyAll(ctx, sink, todo)
	if err != nil && ctx.Err() != nil {
		abort()
		return 0, err
	}
	return n, errors.Join(err, commit(ctx))
}

// copyAll copies packages into one sink, payloads in parallel.
func (c *copying) copyAll(ctx context.Context, sink Sink, todo []fmri.FMRI) (n int, err error) {
	crew := newCrew(ctx, workers(c.opts.Parallel))
	before := c.done.total()
	manifests := ordered(crew.ctx, withoutError(todo), workers(c.opts.Parallel), c.read)
	for m, err := range manifests {
		if err != nil {
			crew.fail(err)
			break
		}
		if !c.start(crew, sink, m) {
			break
		}
		n++
		if c.done.total()-before >= c.limit {
			break
		}
	}
	err = crew.wait()
	for _, p := range c.begun {
		if !p.committed {
			p.tx.Abort(context.WithoutCancel(ctx))
		}
	}
	c.begun = nil
	return n, err
}

// A toCopy is a package and its manifest.
type toCopy struct {
	source   fmri.FMRI // its name there
	fmri     fmri.FMRI
	manifest *manifest.Manifest
}

func withoutError(pkgs []fmri.FMRI) iter.Seq2[fmri.FMRI, error] {
	return func(yield func(fmri.FMRI, error) bool) {
		for _, f := range pkgs {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// read reads the manifest of a package.
func (c *copying) read(ctx context.Context, f fmri.FMRI) (toCopy, error) {
	m, err := c.listed.Manifest(ctx, f)
	return toCopy{f, f, m}, err
}

// start copies the payloads of a package in the crew; who does the last one
// commits the package.
func (c *copying) start(crew *crew, sink Sink, m toCopy) bool {
	var err error
	if m.fmri, m.manifest, err = c.opts.Transformed(m.source, m.manifest); err != nil {
		crew.fail(err)
		return false
	}
	if m.manifest == nil {
		c.finish(m.fmri)
		return true
	}
	tx, err := sink.Begin(crew.ctx, m.fmri)
	if errors.Is(err, fs.ErrExist) {
		c.finish(m.fmri)
		return true
	}
	if err != nil {
		crew.fail(err)
		return false
	}
	p := &copyingPackage{copying: c, tx: tx, publisher: m.source.Publisher(), fmri: m.fmri, manifest: m.manifest}
	c.begun = append(c.begun, p)
	p.left.Store(1)
	seen := map[manifest.Digest]bool{}
	for payload := range payloadsOf(m.manifest) {
		if seen[payload.Name()] {
			continue
		}
		seen[payload.Name()] = true
		p.left.Add(1)
		if !crew.run(func(ctx context.Context) error { return p.payload(ctx, payload) }) {
			return false
		}
	}
	return crew.run(p.end)
}

// A copyingPackage is a package while it is copied.
type copyingPackage struct {
	*copying
	tx        Tx
	publisher string // in the source
	fmri      fmri.FMRI
	manifest  *manifest.Manifest
	left      atomic.Int64 // payloads, and one for the end of their list

	committed bool
}

// payload copies one payload.
func (p *copyingPackage) payload(ctx context.Context, payload manifest.Payload) error {
	if err := p.copyPayload(ctx, payload); err != nil {
		return &Error{Op: "copy", FMRI: p.fmri, Digest: payload.Name(), Err: err}
	}
	return p.end(ctx)
}

// end commits the package if there is nothing left to do.
func (p *copyingPackage) end(ctx context.Context) error {
	if p.left.Add(-1) > 0 {
		return nil
	}
	if err := p.tx.Manifest(ctx, p.manifest); err != nil {
		return err
	}
	if _, err := p.tx.Commit(ctx); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	p.committed = true
	p.finish(p.fmri)
	return nil
}

// finish reports a package that is done.
func (c *copying) finish(f fmri.FMRI) {
	c.done.step(func(n int, bytes int64) {
		if c.opts.Progress != nil {
			c.opts.Progress(Event{Op: "copy", FMRI: f, Done: n, Total: c.total, Bytes: bytes})
		}
	})
}

func (p *copyingPackage) copyPayload(ctx context.Context, payload manifest.Payload) error {
	own, isOwn := p.tx.(*Transaction)
	held, err := p.holds(ctx, own, payload)
	if held || err != nil {
		return err
	}
	stored, err := p.src.Payload(ctx, p.publisher, payload.Name())
	if err != nil {
		return err
	}
	defer stored.Close()
	counted := &countingReader{r: stored, c: &p.done}
	if isOwn {
		return own.batch.take(ctx, p.fmri.Publisher(), payload, counted)
	}
	// Elsewhere the content may be stored in another form than the manifest says.
	v := p.packers.verifyAhead(ctx, payload.ContentOnly(), counted)
	err = p.tx.Store(ctx, payload.Name(), v)
	return errors.Join(err, v.Close())
}

// holds reports whether the sink has a payload.
func (p *copyingPackage) holds(ctx context.Context, own *Transaction, payload manifest.Payload) (bool, error) {
	if own != nil {
		return own.batch.holds(ctx, p.fmri.Publisher(), payload)
	}
	if h, ok := p.dst.(Holder); ok {
		return h.Holds(ctx, p.fmri.Publisher(), payload.Name())
	}
	return false, nil
}

// A countingReader tells a counter how much was read.
type countingReader struct {
	r io.Reader
	c *counter
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.c.add(int64(n))
	return n, err
}

// A verifiedReader yields the stored form of a payload, and at its end an error
// if that was not the payload.
type verifiedReader struct {
	*io.PipeReader
	done chan error
}

// verifyAhead verifies while it is read. Close must be called.
func (ps *packers) verifyAhead(ctx context.Context, p manifest.Payload, stored io.Reader) *verifiedReader {
	r, w := io.Pipe()
	v := &verifiedReader{r, make(chan error, 1)}
	go func() {
		err := ps.verify(ctx, p, io.TeeReader(stored, w))
		w.CloseWithError(err)
		v.done <- err
	}()
	return v
}

// Close waits for the end of verification and returns its error, unless the
// reader had enough before.
func (v *verifiedReader) Close() error {
	v.PipeReader.Close()
	if err := <-v.done; !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}
