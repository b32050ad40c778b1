package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver/plan"
)

// stageDir holds the content of payloads, verified and decompressed, from when they
// are fetched to when they are moved to their places.
const stageDir = tmpDir + "/ips-stage"

// stagePath is where the content of a payload is staged.
func (i *Image) stagePath(p manifest.Payload) string {
	return i.meta(stageDir, stageName(p))
}

// stageName is the strongest hash there is of the content.
func stageName(p manifest.Payload) string {
	return p.Content.Best().Hex()
}

// A need is a payload that a plan writes.
type need struct {
	payload   manifest.Payload
	publisher string
	name      string // of the first thing it is for
}

// fetch stages everything that is needed. When it returns without error, all of it is
// verified, and when it is flushed, carrying out the plan depends on nobody else.
func (i *Image) fetch(ctx context.Context, needs []need) error {
	if len(needs) == 0 {
		return nil
	}
	if err := i.tree.mkdirAll(i.meta(stageDir)); err != nil {
		return err
	}
	srcs := i.sources(i.state.Load())
	defer srcs.Close()
	f := fetcher{image: i, srcs: srcs, total: len(needs)}
	i.tree.dirty[i.meta(stageDir)] = true
	return f.run(ctx, needs)
}

// A fetcher fetches payloads with a number of workers.
type fetcher struct {
	image *Image
	srcs  *sources
	total int

	mu   sync.Mutex // guards what follows, and the tree's bookkeeping
	done int
	errs []error
}

// run returns when all workers have ended: all is done, or one of them failed.
func (f *fetcher) run(ctx context.Context, needs []need) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan need)
	var wg sync.WaitGroup
	for range min(f.image.opts.Parallel, len(needs)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := worker{fetcher: f, tree: f.image.newTree()}
			defer w.tree.forget()
			w.tree.hooks = &hooks{before: f.before, volatile: f.image.hooks.volatile}
			for n := range work {
				if err := w.stage(ctx, n); err != nil {
					f.fail(err)
					cancel()
				}
			}
		}()
	}
	feed(ctx, work, needs)
	wg.Wait()
	if len(f.errs) > 0 {
		return f.errs[0]
	}
	return ctx.Err()
}

func feed(ctx context.Context, work chan<- need, needs []need) {
	defer close(work)
	for _, n := range needs {
		select {
		case work <- n:
		case <-ctx.Done():
			return
		}
	}
}

// before calls the hook of the image's tree for one worker at a time.
func (f *fetcher) before(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.image.tree.announce(op, name)
}

func (f *fetcher) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// A worker stages one payload after another.
type worker struct {
	*fetcher
	tree   *tree
	reader manifest.PayloadReader
}

// stage brings one payload to its place in the stage, unless it is there from an
// earlier attempt. Whether it is, only its hash tells: the attempt may have been cut.
func (w *worker) stage(ctx context.Context, n need) error {
	name := w.image.stagePath(n.payload)
	ok, err := hasContent(ctx, w.tree, name, n.payload)
	if err == nil && !ok {
		err = w.srcs.try(ctx, n.publisher, true, func(src repo.Source) error {
			return w.download(ctx, src, n, name)
		})
	}
	if err != nil {
		return fmt.Errorf("payload of %s: %w", n.name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	w.image.opts.Progress(repo.Event{Op: "fetch", Name: n.name, Done: w.done, Total: w.total})
	return nil
}

// download writes the verified content of a payload to a file. A source may have stored it
// in another form than the manifest says, if several packages have it; what counts is
// the content.
func (w *worker) download(ctx context.Context, src repo.Source, n need, name string) error {
	opened, err := src.Payload(ctx, n.publisher, n.payload.Name())
	if err != nil {
		return err
	}
	stored := readUntil(ctx, opened)
	defer stored.Close()
	if err := w.tree.remove(name); err != nil {
		return &diskError{err}
	}
	f, err := w.tree.create(name, 0o600)
	if err != nil {
		return &diskError{err}
	}
	w.reader.Reset(n.payload.ContentOnly(), stored)
	if _, err = w.reader.WriteTo(&staged{file: f}); err == nil {
		err = atDisk(w.tree.syncFile(f))
	}
	if err := errors.Join(err, atDisk(f.Close())); err != nil {
		return errors.Join(err, w.tree.remove(name))
	}
	return nil
}

// A diskError is one of the disk that the image is on: to ask another origin does not help.
type diskError struct{ err error }

func (e *diskError) Error() string { return "to keep what is fetched: " + plainly(e.err) }

func (e *diskError) Unwrap() error { return e.err }

func atDisk(err error) error {
	if err == nil {
		return nil
	}
	return &diskError{err}
}

// A staged is a file that tells errors of writing it from those of what is written.
type staged struct{ file *os.File }

func (s *staged) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	return n, atDisk(err)
}

// hasContent reports whether the file name is there with the content of a payload.
func hasContent(ctx context.Context, t *tree, name string, p manifest.Payload) (bool, error) {
	f, err := t.open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	got, err := t.digest(ctx, f, p)
	return err == nil && got == p.Content.Best(), err
}

// digest hashes a file with the best algorithm that a payload has a digest of.
func (t *tree) digest(ctx context.Context, f *os.File, p manifest.Payload) (manifest.Digest, error) {
	alg := p.Content.Best().Algorithm()
	if !alg.IsValid() {
		return manifest.Digest{}, manifest.ErrNoDigest
	}
	h := alg.New()
	if t.buf == nil {
		t.buf = make([]byte, 1<<16)
	}
	if _, err := io.CopyBuffer(h, &reading{ctx: ctx, from: f}, t.buf); err != nil {
		return manifest.Digest{}, err
	}
	return alg.Digest(h.Sum(nil))
}

// needs returns the payloads that carrying out the plan takes, looking at what is on
// disk: edited files may keep their content, missing ones need it.
func (e *execution) needs(ctx context.Context) ([]need, error) {
	seen := map[string]bool{}
	var list []need
	for s := range e.plan.Steps() {
		wanted, err := e.wants(ctx, s)
		if err != nil {
			return nil, err
		}
		if !wanted {
			continue
		}
		p, err := contentOf(s)
		if err != nil {
			return nil, stepError(s, err)
		}
		if name := stageName(p); !seen[name] {
			seen[name] = true
			key, _ := s.New.Key()
			list = append(list, need{payload: p, publisher: s.Package.To.Publisher(), name: key})
		}
	}
	return slices.Clip(list), nil
}

// contentOf returns the payload that a step delivers, which must have a digest.
func contentOf(s plan.Step) (manifest.Payload, error) {
	p, err := s.New.Payload()
	if err == nil && p.Content.IsEmpty() {
		err = manifest.ErrNoDigest
	}
	return p, err
}

// wants reports whether a step writes content.
func (e *execution) wants(ctx context.Context, s plan.Step) (bool, error) {
	if s.New == nil || !s.New.Kind.HasPayload() {
		return false, nil
	}
	if s.New.Kind != manifest.KindFile {
		return s.ContentChanged() || !e.exists(e.licensePath(s)), nil
	}
	name, err := s.New.Path()
	if err != nil {
		return false, err
	}
	at := name
	if s.Moved() {
		if at, err = s.Old.Path(); err != nil {
			return false, err
		}
	}
	disk, err := e.disk(ctx, s, at)
	return s.Decide(disk).Deliver, err
}

func (e *execution) exists(name string) bool {
	_, err := e.tree.lstat(name)
	return err == nil
}
