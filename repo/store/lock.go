package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// A Locker excludes other writers by means of its medium, such that a lock
// ends with the process that holds it.
type Locker interface {
	// TryLock takes the lock of that name, or fails with a *LockedError at
	// once. The object of that name, made if need be, holds the note while the
	// lock is held and is empty otherwise. Close releases the lock.
	TryLock(ctx context.Context, name string, note []byte) (io.Closer, error)
}

// LockOptions say how Acquire goes about it. A nil *LockOptions is the zero
// value.
type LockOptions struct {
	// Note tells others who holds the lock.
	Note []byte

	// Wait makes Acquire wait until the lock is free or the context ends.
	// If false, a lock that is held by another is a *LockedError.
	Wait bool

	// Lease is for how long the lock of a store that is no Locker outlives a
	// holder that has vanished. Zero means 30 seconds.
	Lease time.Duration
}

const defaultLease = 30 * time.Second

// A LockedError reports that somebody else holds a lock.
type LockedError struct {
	Name string
	Note []byte // what the holder wrote
}

func (e *LockedError) Error() string { return fmt.Sprintf("%s is locked by another writer", e.Name) }

// A Lock is held from Acquire to Release.
type Lock struct {
	closer io.Closer
	lease  *lease
}

// Acquire takes the lock of that name.
//
// On a Locker that is a lock of the medium. On a Swapper it is a lease: an
// object which the holder keeps rewriting, three times in each Lease; a waiter
// that has seen the object unchanged for a whole Lease takes it over. No clocks
// are compared for that. A holder that was suspended for so long finds out by
// Check, which it calls before what must not be done twice. Any other store is
// refused with an error matching errors.ErrUnsupported.
func Acquire(ctx context.Context, s Store, name string, opts *LockOptions) (*Lock, error) {
	if opts == nil {
		opts = &LockOptions{}
	}
	t := newTaker(s, name, opts)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		lock, err := t.try(ctx)
		var held *LockedError
		if err == nil || !opts.Wait || !errors.As(err, &held) {
			return lock, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, fmt.Errorf("%w: %w", err, held)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Check returns an error if the lock may have passed to somebody else.
func (l *Lock) Check(ctx context.Context) error {
	if l.lease == nil {
		return ctx.Err()
	}
	return l.lease.renew(ctx)
}

// Release ends the lock.
func (l *Lock) Release() error {
	if l.lease == nil {
		return l.closer.Close()
	}
	return l.lease.end()
}

// A taker tries to get a lock, and remembers what it saw of the holder.
type taker struct {
	store Store
	name  string
	note  []byte
	term  time.Duration

	seen  string // tag of the holder's object
	since time.Time
}

func newTaker(s Store, name string, opts *LockOptions) *taker {
	t := &taker{store: s, name: name, note: opts.Note, term: opts.Lease}
	if t.term <= 0 {
		t.term = defaultLease
	}
	return t
}

// try takes the lock in the way of the store.
func (t *taker) try(ctx context.Context) (*Lock, error) {
	if l, ok := t.store.(Locker); ok {
		c, err := l.TryLock(ctx, t.name, t.note)
		if err == nil {
			return &Lock{closer: c}, nil
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
	}
	if s, ok := t.store.(Swapper); ok {
		return t.tryLease(ctx, s)
	}
	return nil, unsupported("lock", t.name)
}

func (t *taker) tryLease(ctx context.Context, s Swapper) (*Lock, error) {
	info, err := Stat(ctx, t.store, t.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info = Info{}
	case err != nil:
		return nil, err
	case info.Size > 0 && !t.expired(info.Tag):
		return nil, t.locked(ctx)
	}
	tag, err := s.PutIf(ctx, t.name, info.Tag, bytes.NewReader(t.text()))
	if errors.Is(err, ErrChanged) {
		return nil, t.locked(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &Lock{lease: newLease(t, s, tag)}, nil
}

// expired reports whether the object has stayed the same for a whole term.
func (t *taker) expired(tag string) bool {
	if tag != t.seen {
		t.seen, t.since = tag, time.Now()
	}
	return time.Since(t.since) >= t.term
}

// text is the note, or something in its place, for an empty object is free.
func (t *taker) text() []byte {
	if len(t.note) == 0 {
		return []byte("locked\n")
	}
	return t.note
}

// locked is the error that names the holder, as far as that can be read.
func (t *taker) locked(ctx context.Context) error {
	e := &LockedError{Name: t.name}
	if r, _, err := t.store.Open(ctx, t.name); err == nil {
		e.Note, _ = io.ReadAll(io.LimitReader(r, 4096))
		r.Close()
	}
	return e
}

// A lease is a lock that is renewed in the background until its end.
type lease struct {
	taker
	swapper Swapper
	stop    context.CancelFunc
	stopped chan struct{}

	mu  sync.Mutex
	tag string
	err error
}

func newLease(t *taker, s Swapper, tag string) *lease {
	ctx, cancel := context.WithCancel(context.Background())
	l := &lease{taker: *t, swapper: s, stop: cancel, stopped: make(chan struct{}), tag: tag}
	go l.run(ctx)
	return l
}

func (l *lease) run(ctx context.Context) {
	defer close(l.stopped)
	for sleep(ctx, l.term/3) == nil {
		l.renew(ctx)
	}
}

// renew proves that the lease is still held, by rewriting its object.
func (l *lease) renew(ctx context.Context) error {
	return l.swap(ctx, l.text())
}

func (l *lease) swap(ctx context.Context, text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	tag, err := l.swapper.PutIf(ctx, l.name, l.tag, bytes.NewReader(text))
	switch {
	case err == nil:
		l.tag = tag
	case errors.Is(err, ErrChanged):
		l.err = &LockedError{Name: l.name}
		return l.err
	}
	return err
}

// end stops renewing and frees the lock.
func (l *lease) end() error {
	l.stop()
	<-l.stopped
	err := l.swap(context.Background(), nil)
	if _, stat := Stat(context.Background(), l.store, l.name); errors.Is(stat, fs.ErrNotExist) {
		return nil // whoever removes the object of a lock frees it
	}
	return err
}
