package repo

import (
	"context"
	"errors"
	"io"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// What a Sink and its transactions can do beyond the contract is optional. As in
// package io/fs each such method is an interface of its own, with a function of the
// same name that does without where it can. Publish, Copy and Clone know no more of a
// sink than that, so a wrapper that has these methods, and calls the functions for what
// it wraps, takes nothing away.

// A Batch is a Sink whose packages are published together: Commit of a Tx puts
// the package into the batch, and Commit of the batch makes all of them
// visible at once, for each publisher, or none.
type Batch interface {
	Sink
	Commit(ctx context.Context) error
	Abort(ctx context.Context) error
}

// A Batcher is a Sink that takes many packages at the cost of little more than
// one.
type Batcher interface {
	NewBatch(ctx context.Context) (Batch, error)
}

// NewBatch starts a batch. Where the sink is no Batcher, each package is published by
// its own Commit.
func NewBatch(ctx context.Context, s Sink) (Batch, error) {
	if b, ok := s.(Batcher); ok {
		return b.NewBatch(ctx)
	}
	return noBatch{s}, nil
}

// A noBatch is a sink in the place of a batch.
type noBatch struct{ Sink }

func (noBatch) Commit(context.Context) error { return nil }
func (noBatch) Abort(context.Context) error  { return nil }

// An AddFunc adds an action to a Tx, as Add does.
type AddFunc func(ctx context.Context, a manifest.Action, content io.Reader) error

// A Placer is a Tx where several actions can be on their way, in whatever order their
// payloads arrive.
type Placer interface {
	// Place gives an action its place in the manifest, behind those before. The
	// function adds it, and is called once; the action may have changed until then, but
	// for its kind and key. It may be called by any goroutine and at any time or, if
	// inTurn is set, before the next Place.
	Place(a manifest.Action) (add AddFunc, inTurn bool, err error)
}

// Place gives an action its place in the manifest. Where the Tx is no Placer, actions
// are added in turn.
func Place(tx Tx, a manifest.Action) (add AddFunc, inTurn bool, err error) {
	if p, ok := tx.(Placer); ok {
		return p.Place(a)
	}
	return tx.Add, true, nil
}

// A Holder is a Tx that knows which payloads it need not be given.
type Holder interface {
	// Holds reports whether the payload that a manifest describes need not be brought.
	Holds(ctx context.Context, p manifest.Payload) (bool, error)
}

// Holds reports whether a payload need not be brought. A Tx that is no Holder is given
// all.
func Holds(ctx context.Context, tx Tx, p manifest.Payload) (bool, error) {
	if h, ok := tx.(Holder); ok {
		return h.Holds(ctx, p)
	}
	return false, nil
}

// A Taker is a Tx that is told what a manifest says about a payload. It can decide
// then which of several stored forms is kept; see the package comment.
type Taker interface {
	// Take takes a payload in its stored form, and verifies its content. The form may
	// be another than p names, if it comes from where there are several.
	Take(ctx context.Context, p manifest.Payload, stored io.Reader) error
}

// Take gives a Tx a payload that a manifest describes. Where the Tx is no Taker, the
// content is verified on the way to its Store.
func Take(ctx context.Context, tx Tx, p manifest.Payload, stored io.Reader) error {
	if t, ok := tx.(Taker); ok {
		return t.Take(ctx, p, stored)
	}
	v := new(packers).verifyAhead(ctx, p.ContentOnly(), stored)
	err := tx.Store(ctx, p.Name(), v)
	return join(err, v.Close())
}

// An Unlister is a Tx whose package can be stored without being listed in the catalog.
// Who has stored many lists them with one Refresh.
type Unlister interface {
	// Unlist makes Commit do that.
	Unlist() error
}

// Unlist makes Commit store the package without listing it. The error matches
// errors.ErrUnsupported where the Tx is no Unlister.
func Unlist(tx Tx) error {
	if u, ok := tx.(Unlister); ok {
		return u.Unlist()
	}
	return because(errors.ErrUnsupported, "what is published there is always listed")
}

// Unlisted returns a sink that stores packages in another one without listing them.
func Unlisted(s Sink) Sink { return unlisted{s} }

type unlisted struct{ sink Sink }

func (u unlisted) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) {
	tx, err := u.sink.Begin(ctx, f)
	if err != nil {
		return nil, err
	}
	if err := Unlist(tx); err != nil {
		return nil, join(err, tx.Abort(ctx))
	}
	return tx, nil
}

func (u unlisted) NewBatch(ctx context.Context) (Batch, error) {
	b, err := NewBatch(ctx, u.sink)
	if err != nil {
		return nil, err
	}
	return unlistedBatch{unlisted{b}, b}, nil
}

type unlistedBatch struct {
	unlisted
	batch Batch
}

func (u unlistedBatch) Commit(ctx context.Context) error { return u.batch.Commit(ctx) }
func (u unlistedBatch) Abort(ctx context.Context) error  { return u.batch.Abort(ctx) }

// An Enlister is a Sink that can list packages which it stores without listing them.
type Enlister interface {
	// Enlist lists those of the packages that are stored and not listed, and returns
	// them.
	Enlist(ctx context.Context, pkgs ...fmri.FMRI) ([]fmri.FMRI, error)
}

// Enlist lists packages that are stored and not listed, and returns them. Where the sink
// is no Enlister there are none.
func Enlist(ctx context.Context, s Sink, pkgs ...fmri.FMRI) ([]fmri.FMRI, error) {
	if e, ok := s.(Enlister); ok && len(pkgs) > 0 {
		return e.Enlist(ctx, pkgs...)
	}
	return nil, nil
}

// An Appender is a Sink where a published package can be signed.
type Appender interface {
	// Append starts a Tx on a version that exists. Only signature actions may
	// be added.
	Append(ctx context.Context, f fmri.FMRI) (Tx, error)
}

// Append starts a Tx on a version that exists. The error matches
// errors.ErrUnsupported where the sink is no Appender.
func Append(ctx context.Context, s Sink, f fmri.FMRI) (Tx, error) {
	if a, ok := s.(Appender); ok {
		return a.Append(ctx, f)
	}
	return nil, &Error{Op: "append to", FMRI: f, Err: because(errors.ErrUnsupported, "packages cannot be signed there")}
}
