package repo

import (
	"context"
	"io"
	"sync"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// ToArchive returns a sink whose packages go into an archive, which is complete
// when w is closed. An archive begins with its index, so everything is kept until
// then in a store, which must be empty, and is the caller's to remove.
//
// Packages that are in a source already need no copy: (*archive.Writer).Add takes
// them from there.
func ToArchive(ctx context.Context, w *archive.Writer, spool store.Store, opts *Options) (Sink, error) {
	r, err := Create(ctx, spool, Config{}, opts)
	if err != nil {
		return nil, err
	}
	return &archiveSink{spool: r, writer: w}, nil
}

type archiveSink struct {
	spool *Repository

	mu     sync.Mutex
	writer *archive.Writer
}

func (s *archiveSink) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) {
	tx, err := s.spool.Begin(ctx, f)
	if err != nil {
		return nil, err
	}
	return archiveTx{tx, s}, nil
}

// An archiveTx is a transaction of the spool.
type archiveTx struct {
	Tx
	sink *archiveSink
}

func (t archiveTx) Place(a manifest.Action) (AddFunc, bool, error) { return Place(t.Tx, a) }

func (t archiveTx) Holds(ctx context.Context, p manifest.Payload) (bool, error) {
	return Holds(ctx, t.Tx, p)
}

func (t archiveTx) Take(ctx context.Context, p manifest.Payload, stored io.Reader) error {
	return Take(ctx, t.Tx, p, stored)
}

// Commit adds the package to the archive.
func (t archiveTx) Commit(ctx context.Context) (fmri.FMRI, error) {
	f, err := t.Tx.Commit(ctx)
	if err != nil {
		return f, err
	}
	m, err := t.sink.spool.Manifest(ctx, f)
	if err != nil {
		return f, err
	}
	later := context.WithoutCancel(ctx) // payloads are read when the archive is closed
	t.sink.mu.Lock()
	defer t.sink.mu.Unlock()
	return f, t.sink.writer.Add(f, m, func(p manifest.Payload) (io.ReadCloser, error) {
		return t.sink.spool.Payload(later, f.Publisher(), p.Name())
	})
}
