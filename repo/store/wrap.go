package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"strings"
)

// Sub returns the objects of s whose names begin with dir and a slash, under
// names without these.
//
// Like every wrapper of this package it has the methods of all capabilities;
// where s lacks one, and there is no way without, they return an error matching
// errors.ErrUnsupported.
func Sub(s Store, dir string) Store {
	if below(dir) == "" {
		return s
	}
	return sub{s, below(dir)}
}

type sub struct {
	s      Store
	prefix string
}

// name maps a name to that in the store below.
func (b sub) name(op, name string) (string, error) {
	return b.prefix + name, check(op, name)
}

func (b sub) Open(ctx context.Context, name string) (io.ReadCloser, Info, error) {
	full, err := b.name("open", name)
	if err != nil {
		return nil, Info{}, err
	}
	r, info, err := b.s.Open(ctx, full)
	return r, b.trim(info), err
}

func (b sub) Put(ctx context.Context, name string, r io.Reader) error {
	full, err := b.name("put", name)
	if err != nil {
		return err
	}
	return b.s.Put(ctx, full, r)
}

func (b sub) Remove(ctx context.Context, name string) error {
	full, err := b.name("remove", name)
	if err != nil {
		return err
	}
	return b.s.Remove(ctx, full)
}

func (b sub) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return b.trimAll(b.s.List(ctx, b.prefix+prefix))
}

func (b sub) Stat(ctx context.Context, name string) (Info, error) {
	full, err := b.name("stat", name)
	if err != nil {
		return Info{}, err
	}
	info, err := Stat(ctx, b.s, full)
	return b.trim(info), err
}

func (b sub) ListDir(ctx context.Context, dir string) iter.Seq2[Info, error] {
	return b.trimAll(ListDir(ctx, b.s, strings.TrimSuffix(b.prefix+below(dir), "/")))
}

func (b sub) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	full, err := b.name("put", name)
	if err != nil {
		return "", err
	}
	s, ok := b.s.(Swapper)
	if !ok {
		return "", unsupported("put", name)
	}
	return s.PutIf(ctx, full, tag, r)
}

func (b sub) TryLock(ctx context.Context, name string, note []byte) (io.Closer, error) {
	full, err := b.name("lock", name)
	if err != nil {
		return nil, err
	}
	s, ok := b.s.(Locker)
	if !ok {
		return nil, unsupported("lock", name)
	}
	return s.TryLock(ctx, full, note)
}

func (b sub) URL(ctx context.Context, name string) (string, error) {
	full, err := b.name("url", name)
	if err != nil {
		return "", err
	}
	s, ok := b.s.(Redirector)
	if !ok {
		return "", unsupported("url", name)
	}
	return s.URL(ctx, full)
}

func (b sub) NewBatch(ctx context.Context) (Batch, error) {
	batch, err := NewBatch(ctx, b.s)
	return subBatch{batch, b}, err
}

func (b sub) trim(info Info) Info {
	info.Name = strings.TrimPrefix(info.Name, b.prefix)
	return info
}

func (b sub) trimAll(list iter.Seq2[Info, error]) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for info, err := range list {
			if !yield(b.trim(info), err) {
				return
			}
		}
	}
}

type subBatch struct {
	Batch
	sub sub
}

type subDraft struct {
	Draft
	sub sub
}

func (b subBatch) Create(ctx context.Context) (Draft, error) {
	d, err := b.Batch.Create(ctx)
	return subDraft{d, b.sub}, err
}

func (b subBatch) Remove(name string) error {
	full, err := b.sub.name("remove", name)
	if err != nil {
		return err
	}
	return b.Batch.Remove(full)
}

func (d subDraft) Keep(name string) error {
	full, err := d.sub.name("keep", name)
	if err != nil {
		return errors.Join(err, d.Drop())
	}
	return d.Draft.Keep(full)
}

// ReadOnly returns s without what changes it: such methods return an error
// matching fs.ErrPermission.
func ReadOnly(s Store) Store { return readOnly{s} }

type readOnly struct{ s Store }

func (r readOnly) Open(ctx context.Context, name string) (io.ReadCloser, Info, error) {
	return r.s.Open(ctx, name)
}

func (r readOnly) Stat(ctx context.Context, name string) (Info, error) { return Stat(ctx, r.s, name) }

func (r readOnly) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return r.s.List(ctx, prefix)
}

func (r readOnly) ListDir(ctx context.Context, dir string) iter.Seq2[Info, error] {
	return ListDir(ctx, r.s, dir)
}

func (r readOnly) URL(ctx context.Context, name string) (string, error) {
	if s, ok := r.s.(Redirector); ok {
		return s.URL(ctx, name)
	}
	return "", unsupported("url", name)
}

func (r readOnly) Put(_ context.Context, name string, _ io.Reader) error { return denied("put", name) }

func (r readOnly) Remove(_ context.Context, name string) error { return denied("remove", name) }

func (r readOnly) NewBatch(context.Context) (Batch, error) { return nil, denied("put", ".") }

func (r readOnly) TryLock(_ context.Context, name string, _ []byte) (io.Closer, error) {
	return nil, denied("lock", name)
}

func denied(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
}

func unsupported(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: errors.ErrUnsupported}
}
