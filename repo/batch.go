package repo

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/goips/ips/fmri"
)

// A batch collects transactions that are complete. A Transaction that is not in the
// Batch of a caller has one for itself.
type batch struct {
	repo  *Repository
	stage *stage // of their payloads

	mu    sync.Mutex
	names map[fmri.FMRI]bool // of transactions that were begun
	txs   []*Transaction     // that were committed
}

// NewBatch starts a batch.
func (r *Repository) NewBatch(ctx context.Context) (_ Batch, err error) {
	defer Error{Op: "publish"}.explain(&err)
	b, err := r.newBatch(ctx, false)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (r *Repository) newBatch(ctx context.Context, exact bool) (*batch, error) {
	g, err := newStage(ctx, r, exact)
	if err != nil {
		return nil, err
	}
	return &batch{repo: r, stage: g, names: map[fmri.FMRI]bool{}}, nil
}

// Begin starts a transaction in the batch.
func (b *batch) Begin(ctx context.Context, f fmri.FMRI) (_ Tx, err error) {
	defer Error{Op: "publish", FMRI: f}.explain(&err)
	t, err := b.begin(ctx, f)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (b *batch) begin(ctx context.Context, f fmri.FMRI) (*Transaction, error) {
	f, err := b.repo.withPublisher(ctx, f)
	if err != nil {
		return nil, err
	}
	if f, err = b.reserve(ctx, f); err != nil {
		return nil, err
	}
	base, err := newBase(f)
	if err != nil {
		return nil, err
	}
	return &Transaction{batch: b, fmri: f, base: base}, nil
}

// reserve makes a name complete that is neither stored nor in the batch. Without
// a timestamp it gets the present second, or the first after it that is free.
func (b *batch) reserve(ctx context.Context, f fmri.FMRI) (fmri.FMRI, error) {
	if _, ok := f.Version().Time(); ok {
		return f, b.claim(ctx, f)
	}
	for t := b.repo.now().UTC().Truncate(time.Second); ; t = t.Add(time.Second) {
		stamped := f.WithVersion(f.Version().WithTime(t))
		if err := b.claim(ctx, stamped); !errors.Is(err, fs.ErrExist) {
			return stamped, err
		}
	}
}

// claim takes a name if it is free.
func (b *batch) claim(ctx context.Context, f fmri.FMRI) error {
	stored, err := b.repo.hasManifest(ctx, f)
	if err != nil {
		return err
	}
	if stored {
		return fs.ErrExist
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names[f] {
		return fs.ErrExist
	}
	b.names[f] = true
	return nil
}

// hasManifest reports whether a manifest is stored that is not about to be taken
// back.
func (r *Repository) hasManifest(ctx context.Context, f fmri.FMRI) (bool, error) {
	h := r.home(f.Publisher())
	stored, err := exists(ctx, r.store, h.manifest(f))
	if !stored || err != nil {
		return false, err
	}
	if undone, err := exists(ctx, r.store, h.journal()); !undone || err != nil {
		return true, err
	}
	if err := r.recoverOne(ctx, f.Publisher()); err != nil {
		return true, err
	}
	return exists(ctx, r.store, h.manifest(f))
}

// forget frees the name of a transaction.
func (b *batch) forget(t *Transaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.names, t.fmri)
}

// add takes in a transaction that is complete.
func (b *batch) add(t *Transaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.txs = append(b.txs, t)
}

// Commit publishes what was committed into the batch.
func (b *batch) Commit(ctx context.Context) (err error) {
	defer Error{Op: "publish"}.explain(&err)
	defer b.end()
	return b.commit(ctx)
}

// Abort forgets the batch.
func (b *batch) Abort(context.Context) error {
	b.end()
	return nil
}

// end forgets what is not stored.
func (b *batch) end() {
	b.mu.Lock()
	b.txs = nil
	b.mu.Unlock()
	b.stage.close()
}

// commit publishes the transactions, those of one publisher all or none.
func (b *batch) commit(ctx context.Context) error {
	byPublisher := map[string][]*Transaction{}
	for _, t := range b.txs {
		byPublisher[t.fmri.Publisher()] = append(byPublisher[t.fmri.Publisher()], t)
	}
	for _, publisher := range slices.Sorted(maps.Keys(byPublisher)) {
		if err := b.commitTo(ctx, publisher, byPublisher[publisher]); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) commitTo(ctx context.Context, publisher string, txs []*Transaction) (err error) {
	w, err := b.repo.write(ctx, publisher, true)
	if err != nil {
		return err
	}
	defer func() { err = join(err, w.close()) }()
	c := commit{w: w, stage: b.stage, txs: txs}
	return c.run(ctx)
}
