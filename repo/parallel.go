package repo

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// workers returns how many to use when n were asked for.
func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// A crew runs functions, a limited number at a time, until one fails.
type crew struct {
	ctx    context.Context // ends when one fails
	cancel context.CancelCauseFunc
	jobs   chan func(context.Context) error
	wg     sync.WaitGroup
}

// newCrew starts a crew. Its wait must be called.
func newCrew(ctx context.Context, size int) *crew {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &crew{ctx: ctx, cancel: cancel, jobs: make(chan func(context.Context) error, 8*size)}
	for range size {
		c.wg.Go(c.work)
	}
	return c
}

func (c *crew) work() {
	for job := range c.jobs {
		if c.ctx.Err() != nil {
			continue // the rest is not done any more
		}
		if err := job(c.ctx); err != nil {
			c.cancel(err)
		}
	}
}

// run lets the crew call f, soon. It reports whether there is any use in going
// on.
func (c *crew) run(f func(ctx context.Context) error) bool {
	select {
	case <-c.ctx.Done():
		return false
	case c.jobs <- f:
		return true
	}
}

// wait waits for all functions and returns the first error.
func (c *crew) wait() error {
	close(c.jobs)
	c.wg.Wait()
	err := context.Cause(c.ctx)
	c.cancel(nil)
	return err
}

// ordered yields what f makes of each item, in the order of the items, with up
// to n calls of f at a time. It ends at the first error, its own or that of the
// items, and no call of f outlives it.
func ordered[T, R any](ctx context.Context, items iter.Seq2[T, error], n int, f func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		o := orderedRun[T, R]{f: f, queue: make(chan chan orderedResult[R], 4*n), slots: make(chan struct{}, n)}
		defer o.wg.Wait()
		defer cancel()
		o.wg.Go(func() { o.produce(ctx, items) })
		for result := range o.queue {
			r := <-result
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var zero R
			yield(zero, err)
		}
	}
}

type orderedResult[R any] struct {
	value R
	err   error
}

type orderedRun[T, R any] struct {
	f     func(context.Context, T) (R, error)
	queue chan chan orderedResult[R] // of results to come, in order
	slots chan struct{}
	wg    sync.WaitGroup
}

// produce starts a call for each item.
func (o *orderedRun[T, R]) produce(ctx context.Context, items iter.Seq2[T, error]) {
	defer close(o.queue)
	for item, err := range items {
		result := make(chan orderedResult[R], 1)
		select {
		case <-ctx.Done():
			return
		case o.queue <- result:
		}
		if err != nil {
			result <- orderedResult[R]{err: err}
			return
		}
		o.slots <- struct{}{}
		o.wg.Go(func() {
			defer func() { <-o.slots }()
			value, err := o.f(ctx, item)
			result <- orderedResult[R]{value, err}
		})
	}
}

// A counter counts what several goroutines do.
type counter struct {
	mu    sync.Mutex
	n     int
	bytes int64
}

// step counts one and tells f, one goroutine at a time.
func (c *counter) step(f func(n int, bytes int64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	f(c.n, c.bytes)
}

// add counts bytes.
func (c *counter) add(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += n
}

// total returns the bytes counted.
func (c *counter) total() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// steps returns how often one was counted.
func (c *counter) steps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// fail ends the crew's work.
func (c *crew) fail(err error) { c.cancel(err) }
