package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sync"
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

// An Amount is how many payloads, and their stored bytes.
type Amount struct {
	Payloads int
	Bytes    int64
}

// add counts a payload; a size that is not known counts as nothing.
func (a *Amount) add(size int64) {
	a.Payloads++
	a.Bytes += max(size, 0)
}

// A CopyResult says what Copy has done.
type CopyResult struct {
	Copied  []fmri.FMRI // with the names that they have in the sink
	Skipped []fmri.FMRI // were in the sink already
	Listed  []fmri.FMRI // of Skipped those that were not listed, and now are
	LeftOut []fmri.FMRI // by Transform, with the names that they have in the source

	Brought Amount // read from the source
	Held    Amount // in the sink already
}

// Copy publishes packages of a source in a sink, with their names, manifests and
// the stored form of their payloads byte for byte. Packages that the sink has
// already are passed over, and payloads if it says so (see Holder), so a copy that
// was interrupted goes on where it was. Each payload is verified on the way, and a
// manifest must be the one that the source's catalog lists.
//
// If a package cannot be copied, Copy makes those visible that were complete and
// returns the error. The result says in any case what was made visible. Packages that
// the sink had stored without listing them are listed, unless it is one of Unlisted.
func Copy(ctx context.Context, dst Sink, src Source, pkgs iter.Seq[fmri.FMRI], opts *CopyOptions) (CopyResult, error) {
	if opts == nil {
		opts = &CopyOptions{}
	}
	c := copying{opts: opts, dst: dst, src: src, limit: opts.BatchBytes, listed: Listed(src)}
	if c.limit <= 0 {
		c.limit = defaultBatchBytes
	}
	todo := slices.Collect(pkgs)
	c.total = len(todo)
	for len(todo) > 0 {
		n, err := c.batch(ctx, todo)
		if err != nil {
			return c.result, join(err, c.enlist(ctx))
		}
		todo = todo[n:]
	}
	return c.result, c.enlist(ctx)
}

// enlist makes what the sink had already as visible as what was copied.
func (c *copying) enlist(ctx context.Context) (err error) {
	c.result.Listed, err = Enlist(ctx, c.dst, c.result.Skipped...)
	return err
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
	begun  []*copyingPackage // in the present batch

	mu     sync.Mutex
	result CopyResult
}

// batch copies packages until they are all done or enough for a batch, and
// returns their number.
func (c *copying) batch(ctx context.Context, todo []fmri.FMRI) (n int, err error) {
	batch, err := NewBatch(ctx, c.dst)
	if err != nil {
		return 0, err
	}
	n, err = c.copyAll(ctx, batch, todo)
	if err != nil && ctx.Err() != nil {
		return 0, join(err, batch.Abort(context.WithoutCancel(ctx)))
	}
	if failed := batch.Commit(ctx); failed != nil {
		return n, join(err, failed)
	}
	for _, p := range c.begun {
		switch p.state {
		case committed:
			c.result.Copied = append(c.result.Copied, p.fmri)
		case late:
			c.result.Skipped = append(c.result.Skipped, p.fmri)
		}
	}
	return n, err
}

// copyAll copies packages into one batch, payloads in parallel.
func (c *copying) copyAll(ctx context.Context, batch Batch, todo []fmri.FMRI) (n int, err error) {
	c.begun = nil
	crew := newCrew(ctx, workers(c.opts.Parallel))
	before := c.done.total()
	manifests := ordered(crew.ctx, withoutError(todo), workers(c.opts.Parallel), c.read)
	for m, err := range manifests {
		if err != nil {
			crew.fail(err)
			break
		}
		if !c.start(crew, batch, m) {
			break
		}
		n++
		if c.done.total()-before >= c.limit {
			break
		}
	}
	err = crew.wait()
	for _, p := range c.begun {
		if p.state == incomplete {
			p.tx.Abort(context.WithoutCancel(ctx))
		}
	}
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
func (c *copying) start(crew *crew, batch Batch, m toCopy) bool {
	var err error
	if m.fmri, m.manifest, err = c.opts.Transformed(m.source, m.manifest); err != nil {
		crew.fail(err)
		return false
	}
	if m.manifest == nil {
		c.result.LeftOut = append(c.result.LeftOut, m.source)
		c.finish(m.fmri)
		return true
	}
	tx, err := batch.Begin(crew.ctx, m.fmri)
	if errors.Is(err, fs.ErrExist) {
		c.result.Skipped = append(c.result.Skipped, m.fmri)
		c.finish(m.fmri)
		return true
	}
	if err != nil {
		crew.fail(err)
		return false
	}
	p := &copyingPackage{run: c, tx: tx, publisher: m.source.Publisher(), fmri: m.fmri, manifest: m.manifest}
	c.begun = append(c.begun, p)
	return p.start(crew)
}

// A copyingPackage is a package while it is copied.
type copyingPackage struct {
	run       *copying
	tx        Tx
	publisher string // in the source
	fmri      fmri.FMRI
	manifest  *manifest.Manifest
	left      atomic.Int64 // payloads, and one for the end of their list
	state     copyState
}

// A copyState is how far a package has come.
type copyState uint8

const (
	incomplete copyState = iota
	committed
	late // another was faster
)

// start lets the crew copy the payloads, each once.
func (p *copyingPackage) start(crew *crew) bool {
	p.left.Store(1)
	seen := map[manifest.Digest]bool{}
	for payload := range payloadsOf(p.manifest) {
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
	if err := p.tx.SetManifest(ctx, p.manifest); err != nil {
		return err
	}
	switch _, err := p.tx.Commit(ctx); {
	case err == nil:
		p.state = committed
	case errors.Is(err, fs.ErrExist):
		p.state = late
	default:
		return err
	}
	p.run.finish(p.fmri)
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
	held, err := Holds(ctx, p.tx, payload)
	if err != nil {
		return err
	}
	if held {
		p.run.count(&p.run.result.Held, payload.StoredSize)
		return nil
	}
	stored, err := p.run.src.Payload(ctx, p.publisher, payload.Name())
	if err != nil {
		return err
	}
	counted := &countingReader{r: stored, c: &p.run.done}
	if err := join(Take(ctx, p.tx, payload, counted), stored.Close()); err != nil {
		return err
	}
	p.run.count(&p.run.result.Brought, counted.n)
	return nil
}

// count counts a payload.
func (c *copying) count(a *Amount, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.add(size)
}

// A countingReader tells a counter how much was read.
type countingReader struct {
	r io.Reader
	c *counter
	n int64 // that it has read itself
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.n += int64(n)
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
