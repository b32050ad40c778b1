package repotest

import (
	"context"
	"io"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// Bare returns a sink that has none of the optional methods: what is published through
// it takes the ways that package repo has for sinks of that kind.
func Bare(s repo.Sink) repo.Sink { return bare{s} }

type bare struct{ sink repo.Sink }

func (b bare) Begin(ctx context.Context, f fmri.FMRI) (repo.Tx, error) {
	tx, err := b.sink.Begin(ctx, f)
	if err != nil {
		return nil, err
	}
	return struct{ repo.Tx }{tx}, nil
}

// Wrap returns a sink that has all optional methods and hands each call on to s, by the
// function of the same name. It is how a wrapper is written that takes nothing away.
// Called, if it is not nil, is told the names of the methods, by any goroutine.
func Wrap(s repo.Sink, called func(method string)) repo.Sink {
	if called == nil {
		called = func(string) {}
	}
	return wrapped{s, called}
}

type wrapped struct {
	sink   repo.Sink
	called func(string)
}

func (w wrapped) Begin(ctx context.Context, f fmri.FMRI) (repo.Tx, error) {
	w.called("Begin")
	tx, err := w.sink.Begin(ctx, f)
	if err != nil {
		return nil, err
	}
	return wrappedTx{tx, w.called}, nil
}

func (w wrapped) NewBatch(ctx context.Context) (repo.Batch, error) {
	w.called("NewBatch")
	b, err := repo.NewBatch(ctx, w.sink)
	if err != nil {
		return nil, err
	}
	return wrappedBatch{wrapped{b, w.called}, b}, nil
}

func (w wrapped) Enlist(ctx context.Context, pkgs ...fmri.FMRI) ([]fmri.FMRI, error) {
	w.called("Enlist")
	return repo.Enlist(ctx, w.sink, pkgs...)
}

func (w wrapped) Append(ctx context.Context, f fmri.FMRI) (repo.Tx, error) {
	w.called("Append")
	tx, err := repo.Append(ctx, w.sink, f)
	if err != nil {
		return nil, err
	}
	return wrappedTx{tx, w.called}, nil
}

func (w wrapped) Clone(ctx context.Context, src repo.Source, publisher string, opts *repo.CopyOptions) (repo.CloneResult, error) {
	w.called("Clone")
	return repo.Clone(ctx, w.sink, src, publisher, opts)
}

type wrappedBatch struct {
	wrapped
	batch repo.Batch
}

func (w wrappedBatch) Commit(ctx context.Context) error { return w.batch.Commit(ctx) }
func (w wrappedBatch) Abort(ctx context.Context) error  { return w.batch.Abort(ctx) }

type wrappedTx struct {
	repo.Tx
	called func(string)
}

func (w wrappedTx) Place(a manifest.Action) (repo.AddFunc, bool, error) {
	w.called("Place")
	return repo.Place(w.Tx, a)
}

func (w wrappedTx) Holds(ctx context.Context, p manifest.Payload) (bool, error) {
	w.called("Holds")
	return repo.Holds(ctx, w.Tx, p)
}

func (w wrappedTx) Take(ctx context.Context, p manifest.Payload, stored io.Reader) error {
	w.called("Take")
	return repo.Take(ctx, w.Tx, p, stored)
}

func (w wrappedTx) Unlist() error {
	w.called("Unlist")
	return repo.Unlist(w.Tx)
}
