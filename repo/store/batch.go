package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
)

// A Batcher stores many objects with few waits for the medium.
type Batcher interface {
	NewBatch(ctx context.Context) (Batch, error)
}

// A Batch collects objects that become visible, and durable, together with
// Flush: each of them atomically, all of them before Flush returns, in no
// particular order when power is lost before that. A Batch may be filled by
// several goroutines; Flush and Close are called by one, when these are done.
type Batch interface {
	// Create returns a draft to write an object to. No reader sees it.
	Create(ctx context.Context) (Draft, error)

	// Remove lets the next Flush remove an object, after it has stored the
	// drafts. An object that is not there is as good as removed.
	Remove(name string) error

	// Flush stores the drafts kept since the last Flush, of two with one name
	// the later, and removes what is to be removed. If it fails, some of that
	// may be done.
	Flush(ctx context.Context) error

	// Close forgets what was not flushed. It must be called.
	Close() error
}

// A Draft is an object without a name.
type Draft interface {
	// Write and Close write the content. A draft that is to wait for its name
	// for some time should be closed.
	io.WriteCloser

	// Keep closes the draft and lets the next Flush store it under the name.
	// After a Keep that failed there is nothing to drop.
	Keep(name string) error

	// Drop forgets the draft.
	Drop() error
}

// NewBatch starts a batch of objects. For a store that is not a Batcher drafts
// wait in memory, of at most MaxDraft bytes each, and Flush puts one after the
// other.
func NewBatch(ctx context.Context, s Store) (Batch, error) {
	if b, ok := s.(Batcher); ok {
		return b.NewBatch(ctx)
	}
	return &heldBatch{limit: MaxDraft, flush: flushTo(s)}, ctx.Err()
}

// MaxDraft is the size of the largest object in a batch of a store that is not
// a Batcher.
const MaxDraft = 256 << 20

// PutBatch keeps all of r in a batch under the name.
func PutBatch(ctx context.Context, b Batch, name string, r io.Reader) error {
	d, err := b.Create(ctx)
	if err != nil {
		return err
	}
	if _, err := io.Copy(d, r); err != nil {
		d.Drop()
		return err
	}
	return d.Keep(name)
}

// A heldBatch holds its drafts in memory until Flush.
type heldBatch struct {
	limit int // of one draft; zero means none
	flush func(context.Context, []heldObject) error

	mu   sync.Mutex
	kept []heldObject
	gone []heldObject
}

// A heldObject is an object to be stored or, if it has no data, removed.
type heldObject struct {
	name string
	data *bytes.Buffer
}

// flushTo handles held objects one after the other.
func flushTo(s Store) func(context.Context, []heldObject) error {
	return func(ctx context.Context, objects []heldObject) error {
		for _, o := range objects {
			if err := o.flushTo(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}

func (o heldObject) flushTo(ctx context.Context, s Store) error {
	if o.data != nil {
		return s.Put(ctx, o.name, bytes.NewReader(o.data.Bytes()))
	}
	if err := s.Remove(ctx, o.name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (b *heldBatch) Create(ctx context.Context) (Draft, error) {
	return &heldDraft{batch: b}, ctx.Err()
}

func (b *heldBatch) Remove(name string) error {
	if err := check("remove", name); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = append(b.gone, heldObject{name: name})
	return nil
}

func (b *heldBatch) Flush(ctx context.Context) error {
	if err := b.flush(ctx, slices.Concat(b.kept, b.gone)); err != nil {
		return err
	}
	return b.Close()
}

func (b *heldBatch) Close() error {
	b.kept, b.gone = nil, nil
	return nil
}

type heldDraft struct {
	batch *heldBatch
	buf   bytes.Buffer
}

func (d *heldDraft) Write(p []byte) (int, error) {
	if limit := d.batch.limit; limit > 0 && d.buf.Len()+len(p) > limit {
		return 0, fmt.Errorf("draft of more than %d bytes in a store that holds drafts in memory", limit)
	}
	return d.buf.Write(p)
}

func (d *heldDraft) Close() error { return nil }

func (d *heldDraft) Keep(name string) error {
	if err := check("keep", name); err != nil {
		return err
	}
	d.batch.mu.Lock()
	defer d.batch.mu.Unlock()
	d.batch.kept = append(d.batch.kept, heldObject{name, &d.buf})
	return nil
}

func (d *heldDraft) Drop() error {
	d.buf = bytes.Buffer{}
	return nil
}
