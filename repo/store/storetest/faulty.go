package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"sync"

	"github.com/goips/ips/repo/store"
)

// ErrFault is what a Faulty store fails with.
var ErrFault = errors.New("injected fault")

// Faulty returns s such that one operation in eight fails, as the seed decides:
// before anything happened, after everything did, or in the midst of reading.
// The store's batches, locks and swaps fail as well, and what succeeds is true.
func Faulty(s store.Store, seed uint64) store.Store {
	return &faulty{Store: store.Sub(s, "."), rnd: rand.New(rand.NewPCG(seed, 1))}
}

type faulty struct {
	store.Store
	mu  sync.Mutex
	rnd *rand.Rand
}

// The ways to fail.
const (
	faultBefore = iota
	faultAfter
	faultNone
)

// draw decides how an operation goes.
func (f *faulty) draw() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return min(f.rnd.IntN(16), faultNone)
}

// try runs an operation, or fails before or after it.
func (f *faulty) try(op func() error) error {
	fault := f.draw()
	if fault == faultBefore {
		return ErrFault
	}
	if err := op(); err != nil {
		return err
	}
	if fault == faultAfter {
		return ErrFault
	}
	return nil
}

func (f *faulty) Open(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	fault := f.draw()
	if fault == faultBefore {
		return nil, store.Info{}, ErrFault
	}
	r, info, err := f.Store.Open(ctx, name)
	if err == nil && fault == faultAfter {
		r = cutReader{io.LimitReader(r, info.Size/2), r}
	}
	return r, info, err
}

// A cutReader fails where its Reader ends.
type cutReader struct {
	io.Reader
	io.Closer
}

func (c cutReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = ErrFault
	}
	return n, err
}

func (f *faulty) Put(ctx context.Context, name string, r io.Reader) error {
	return f.try(func() error { return f.Store.Put(ctx, name, r) })
}

func (f *faulty) Remove(ctx context.Context, name string) error {
	return f.try(func() error { return f.Store.Remove(ctx, name) })
}

func (f *faulty) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	if f.draw() == faultNone {
		return f.Store.List(ctx, prefix)
	}
	return func(yield func(store.Info, error) bool) { yield(store.Info{}, ErrFault) }
}

func (f *faulty) PutIf(ctx context.Context, name, tag string, r io.Reader) (next string, err error) {
	s, ok := f.Store.(store.Swapper)
	if !ok {
		return "", errors.ErrUnsupported
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	err = f.try(func() error {
		next, err = s.PutIf(ctx, name, tag, bytes.NewReader(data))
		return err
	})
	return next, err
}

func (f *faulty) TryLock(ctx context.Context, name string, note []byte) (io.Closer, error) {
	s, ok := f.Store.(store.Locker)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	if f.draw() != faultNone {
		return nil, ErrFault
	}
	return s.TryLock(ctx, name, note)
}

func (f *faulty) NewBatch(ctx context.Context) (store.Batch, error) {
	b, err := store.NewBatch(ctx, f.Store)
	return faultyBatch{b, f}, err
}

type faultyBatch struct {
	store.Batch
	f *faulty
}

func (b faultyBatch) Create(ctx context.Context) (store.Draft, error) {
	if b.f.draw() == faultBefore {
		return nil, ErrFault
	}
	return b.Batch.Create(ctx)
}

func (b faultyBatch) Flush(ctx context.Context) error {
	return b.f.try(func() error { return b.Batch.Flush(ctx) })
}
