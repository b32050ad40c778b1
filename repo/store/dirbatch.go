package store

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goips/ips/repo/store/internal/files"
)

// NewBatch returns a batch whose drafts are temporary files. Flush syncs them,
// renames them, and syncs the directories.
func (d *dir) NewBatch(ctx context.Context) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.staging.tidy()
	return &dirBatch{dir: d}, nil
}

type dirBatch struct {
	dir *dir

	mu   sync.Mutex
	kept []dirObject
	gone []string
}

func (b *dirBatch) Create(ctx context.Context) (Draft, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, tmp, err := b.dir.staging.create()
	if err != nil {
		return nil, err
	}
	d := &dirDraft{batch: b, file: f, tmp: tmp}
	if d.buf, _ = b.dir.buffers.Get().(*bufio.Writer); d.buf == nil {
		d.buf = bufio.NewWriterSize(nil, 32<<10)
	}
	d.buf.Reset(f)
	return d, nil
}

type dirDraft struct {
	batch *dirBatch
	tmp   string
	file  files.File // nil when closed
	buf   *bufio.Writer
}

func (d *dirDraft) Write(p []byte) (int, error) { return d.buf.Write(p) }

func (d *dirDraft) Close() error {
	if d.file == nil {
		return nil
	}
	err := errors.Join(d.buf.Flush(), d.file.Close())
	d.buf.Reset(nil)
	d.batch.dir.buffers.Put(d.buf)
	d.file, d.buf = nil, nil
	return err
}

func (d *dirDraft) Keep(name string) error {
	err := errors.Join(d.batch.dir.enter(context.Background(), "keep", name), d.Close())
	if err != nil {
		d.batch.dir.staging.discard(d.tmp)
		return err
	}
	d.batch.mu.Lock()
	defer d.batch.mu.Unlock()
	d.batch.kept = append(d.batch.kept, dirObject{d.tmp, name})
	return nil
}

func (d *dirDraft) Drop() error {
	err := d.Close()
	d.batch.dir.staging.discard(d.tmp)
	return err
}

func (b *dirBatch) Remove(name string) error {
	if err := b.dir.enter(context.Background(), "remove", name); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = append(b.gone, name)
	return nil
}

func (b *dirBatch) Flush(ctx context.Context) error {
	if len(b.kept)+len(b.gone) == 0 {
		return ctx.Err()
	}
	var tmps, dirs []string
	for _, o := range b.kept {
		tmps = append(tmps, o.tmp)
		dirs = append(dirs, above(o.name)...)
	}
	for _, name := range b.gone {
		dirs = append(dirs, above(name)...)
	}
	if err := b.dir.files.Sync(tmps); err != nil {
		return err
	}
	slices.SortStableFunc(b.kept, func(x, y dirObject) int {
		return strings.Compare(path.Dir(x.name), path.Dir(y.name))
	})
	if err := b.apply(ctx); err != nil {
		return err
	}
	slices.SortFunc(dirs, func(a, b string) int { return strings.Compare(b, a) })
	return b.dir.files.Sync(slices.Compact(dirs))
}

// apply gives files their names, one directory after the other, and removes
// others.
func (b *dirBatch) apply(ctx context.Context) error {
	for len(b.kept) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		dir, n := path.Dir(b.kept[0].name), 1
		for n < len(b.kept) && path.Dir(b.kept[n].name) == dir {
			n++
		}
		err := b.dir.place(dir, b.kept[:n:n], func() {
			b.kept = b.kept[1:]
			b.dir.staging.release()
		})
		if err != nil {
			return err
		}
	}
	for ; len(b.gone) > 0; b.gone = b.gone[1:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := missing(b.dir.files.Remove(b.gone[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return readOnlyError(err)
		}
		b.dir.prune(path.Dir(b.gone[0]))
	}
	return nil
}

func (b *dirBatch) Close() error {
	for _, o := range b.kept {
		b.dir.staging.discard(o.tmp)
	}
	b.kept, b.gone = nil, nil
	return nil
}
