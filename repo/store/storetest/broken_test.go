package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goips/ips/repo/store"
	"github.com/stretchr/testify/require"
)

// A flawed store is a good one, but for the methods that a test replaces.
type flawed struct {
	store.Store
	open    func(ctx context.Context, name string) (io.ReadCloser, store.Info, error)
	put     func(ctx context.Context, name string, r io.Reader) error
	remove  func(ctx context.Context, name string) error
	list    func(ctx context.Context, prefix string) iter.Seq2[store.Info, error]
	stat    func(ctx context.Context, name string) (store.Info, error)
	listDir func(ctx context.Context, dir string) iter.Seq2[store.Info, error]
	batch   func(ctx context.Context) (store.Batch, error)
	putIf   func(ctx context.Context, name, tag string, r io.Reader) (string, error)
	tryLock func(ctx context.Context, name string, note []byte) (io.Closer, error)
}

func (f *flawed) Open(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if f.open != nil {
		return f.open(ctx, name)
	}
	return f.Store.Open(ctx, name)
}

func (f *flawed) Put(ctx context.Context, name string, r io.Reader) error {
	if f.put != nil {
		return f.put(ctx, name, r)
	}
	return f.Store.Put(ctx, name, r)
}

func (f *flawed) Remove(ctx context.Context, name string) error {
	if f.remove != nil {
		return f.remove(ctx, name)
	}
	return f.Store.Remove(ctx, name)
}

func (f *flawed) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	if f.list != nil {
		return f.list(ctx, prefix)
	}
	return f.Store.List(ctx, prefix)
}

func (f *flawed) Stat(ctx context.Context, name string) (store.Info, error) {
	if f.stat != nil {
		return f.stat(ctx, name)
	}
	return store.Stat(ctx, f.Store, name)
}

func (f *flawed) ListDir(ctx context.Context, dir string) iter.Seq2[store.Info, error] {
	if f.listDir != nil {
		return f.listDir(ctx, dir)
	}
	return store.ListDir(ctx, f.Store, dir)
}

func (f *flawed) NewBatch(ctx context.Context) (store.Batch, error) {
	if f.batch != nil {
		return f.batch(ctx)
	}
	return store.NewBatch(ctx, f.Store)
}

func (f *flawed) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	if f.putIf != nil {
		return f.putIf(ctx, name, tag, r)
	}
	return f.Store.(store.Swapper).PutIf(ctx, name, tag, r)
}

// A locking flawed store has locks of its own.
type locking struct{ *flawed }

func (l locking) TryLock(ctx context.Context, name string, note []byte) (io.Closer, error) {
	return l.tryLock(ctx, name, note)
}

// A flawedBatch is a good one, but for what a test replaces.
type flawedBatch struct {
	store.Batch
	flush func(ctx context.Context) error
	close func() error
}

func (b flawedBatch) Flush(ctx context.Context) error {
	if b.flush != nil {
		return b.flush(ctx)
	}
	return b.Batch.Flush(ctx)
}

func (b flawedBatch) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Batch.Close()
}

// A careless batch keeps its drafts under any name.
type carelessBatch struct{ store.Batch }

func (b carelessBatch) Create(ctx context.Context) (store.Draft, error) {
	d, err := b.Batch.Create(ctx)
	return carelessDraft{d}, err
}

type carelessDraft struct{ store.Draft }

func (carelessDraft) Keep(string) error { return nil }

// flaws has, for each rule, a store that breaks it.
var flaws = map[string]func(f *flawed) store.Store{
	"PutOpen": func(f *flawed) store.Store { // loses what is behind 64 KiB
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			return f.Store.Put(ctx, name, io.LimitReader(r, 1<<16))
		}
		return f
	},
	"Names": func(f *flawed) store.Store { // takes escapes for what they escape
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			return f.Store.Put(ctx, strings.ReplaceAll(name, "%2F", "/"), r)
		}
		return f
	},
	"BadNames": func(f *flawed) store.Store { // cleans names
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			return f.Store.Put(ctx, cmp.Or(strings.Trim(path.Clean(name), "/."), "x"), r)
		}
		return f
	},
	"Replace": func(f *flawed) store.Store { // writes over what is there
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			text, _ := io.ReadAll(r)
			if old, _, err := f.Store.Open(ctx, name); err == nil {
				rest, _ := io.ReadAll(old)
				text = append(text, rest[min(len(text), len(rest)):]...)
			}
			return f.Store.Put(ctx, name, bytes.NewReader(text))
		}
		return f
	},
	"Missing": func(f *flawed) store.Store { // removing nothing succeeds
		f.remove = func(ctx context.Context, name string) error {
			if err := f.Store.Remove(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		return f
	},
	"NoDirectories": func(f *flawed) store.Store { // opens directories
		f.open = func(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
			r, info, err := f.Store.Open(ctx, name)
			for range f.Store.List(ctx, name+"/") {
				return io.NopCloser(strings.NewReader("")), store.Info{Name: name}, nil
			}
			return r, info, err
		}
		return f
	},
	"Remove": func(f *flawed) store.Store { // removes the directory
		f.remove = func(ctx context.Context, name string) error {
			err := f.Store.Remove(ctx, name)
			for info := range f.Store.List(ctx, path.Dir(name)) {
				err = errors.Join(err, f.Store.Remove(ctx, info.Name))
			}
			return err
		}
		return f
	},
	"List": func(f *flawed) store.Store { // takes the prefix for a directory
		f.list = func(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
			if prefix != "" {
				prefix = strings.TrimSuffix(prefix, "/") + "/"
			}
			return f.Store.List(ctx, prefix)
		}
		return f
	},
	"ListStops": func(f *flawed) store.Store { // goes on when told to stop
		f.list = func(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
			return func(yield func(store.Info, error) bool) {
				for info, err := range f.Store.List(ctx, prefix) {
					yield(info, err)
				}
			}
		}
		return f
	},
	"ListInfo": func(f *flawed) store.Store { // does not know sizes when listing
		f.list = func(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
			return func(yield func(store.Info, error) bool) {
				for info, err := range f.Store.List(ctx, prefix) {
					info.Size = 0
					if !yield(info, err) {
						return
					}
				}
			}
		}
		return f
	},
	"ListDir": func(f *flawed) store.Store { // lists all levels
		f.listDir = func(ctx context.Context, dir string) iter.Seq2[store.Info, error] { return f.Store.List(ctx, dir) }
		return f
	},
	"Tag": func(f *flawed) store.Store { // tags say the size
		f.stat = func(ctx context.Context, name string) (store.Info, error) {
			info, err := store.Stat(ctx, f.Store, name)
			info.Tag = fmt.Sprint(info.Size)
			return info, err
		}
		return f
	},
	"PutFails": func(f *flawed) store.Store { // stores what could be read
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			text, err := io.ReadAll(r)
			return errors.Join(f.Store.Put(ctx, name, bytes.NewReader(text)), err)
		}
		return f
	},
	"OpenReader": func(f *flawed) store.Store { // opens the object again at each read
		f.open = func(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
			r, info, err := f.Store.Open(ctx, name)
			return &reopening{ReadCloser: r, ctx: ctx, s: f.Store, name: name}, info, err
		}
		return f
	},
	"Atomic": func(f *flawed) store.Store { // writes half, then the rest
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			text, _ := io.ReadAll(r)
			err := f.Store.Put(ctx, name, bytes.NewReader(text[:len(text)/2]))
			runtime.Gosched()
			return errors.Join(err, f.Store.Put(ctx, name, bytes.NewReader(text)))
		}
		return f
	},
	"Context": func(f *flawed) store.Store { // writes on
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			return f.Store.Put(context.WithoutCancel(ctx), name, r)
		}
		return f
	},
	"Parallel": func(f *flawed) store.Store { // refuses when busy
		var busy atomic.Int32
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			if busy.Add(1) > 1 || strings.HasPrefix(name, "dir9/") {
				return errors.New("busy")
			}
			defer busy.Add(-1)
			return f.Store.Put(ctx, name, r)
		}
		return f
	},
	"FS": func(f *flawed) store.Store { // lists levels without their directories
		f.listDir = func(ctx context.Context, dir string) iter.Seq2[store.Info, error] {
			return func(yield func(store.Info, error) bool) {
				for info, err := range store.ListDir(ctx, f.Store, dir) {
					if !strings.HasSuffix(info.Name, "/") && !yield(info, err) {
						return
					}
				}
			}
		}
		return f
	},
	"Sub": func(f *flawed) store.Store { // knows only the last element of a name
		f.put = func(ctx context.Context, name string, r io.Reader) error {
			return f.Store.Put(ctx, strings.ReplaceAll(name, "s/t", "t"), r)
		}
		return f
	},
	"ReadOnly": func(f *flawed) store.Store { // has nothing to read
		f.open = func(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
			return nil, store.Info{}, fs.ErrNotExist
		}
		return f
	},
	"Batch": func(f *flawed) store.Store { // flushes nothing
		f.batch = func(ctx context.Context) (store.Batch, error) {
			b, err := store.NewBatch(ctx, f.Store)
			return flawedBatch{Batch: b, flush: func(context.Context) error { return nil }}, err
		}
		return f
	},
	"BatchClose": func(f *flawed) store.Store { // closing flushes
		f.batch = func(ctx context.Context) (store.Batch, error) {
			b, err := store.NewBatch(ctx, f.Store)
			return flawedBatch{Batch: b, close: func() error { return errors.Join(b.Flush(ctx), b.Close()) }}, err
		}
		return f
	},
	"BatchNames": func(f *flawed) store.Store {
		f.batch = func(ctx context.Context) (store.Batch, error) {
			b, err := store.NewBatch(ctx, f.Store)
			return carelessBatch{b}, err
		}
		return f
	},
	"PutIf": func(f *flawed) store.Store { // does not look at the tag
		f.putIf = func(ctx context.Context, name, _ string, r io.Reader) (string, error) {
			err := f.Store.Put(ctx, name, r)
			info, err2 := store.Stat(ctx, f.Store, name)
			return info.Tag, errors.Join(err, err2)
		}
		return f
	},
	"PutIfRace": func(f *flawed) store.Store { // the first looked before any of them wrote
		var seen atomic.Int32
		f.putIf = func(ctx context.Context, name, tag string, r io.Reader) (string, error) {
			if seen.Add(1) <= 2 {
				return "next", f.Store.Put(ctx, name, r)
			}
			return f.Store.(store.Swapper).PutIf(ctx, name, tag, r)
		}
		return f
	},
	"Lock": func(f *flawed) store.Store { // everybody gets it
		f.tryLock = func(context.Context, string, []byte) (io.Closer, error) { return io.NopCloser(nil), nil }
		return locking{f}
	},
	"LockWait": func(f *flawed) store.Store { // does not look at the context
		f.tryLock = func(context.Context, string, []byte) (io.Closer, error) { return io.NopCloser(nil), nil }
		return locking{f}
	},
}

// A reopening reader reads the object that has the name now.
type reopening struct {
	io.ReadCloser
	ctx  context.Context
	s    store.Store
	name string
	off  int64
}

func (r *reopening) Read(b []byte) (int, error) {
	now, _, err := r.s.Open(r.ctx, r.name)
	if err != nil {
		return 0, err
	}
	defer now.Close()
	if _, err := io.CopyN(io.Discard, now, r.off); err != nil {
		return 0, err
	}
	n, err := now.Read(b)
	r.off += int64(n)
	return n, err
}

// A recorder is a test that notes what is reported to it.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// TestRules gives each rule a store that breaks it, and wants it told so; a store that
// breaks none passes.
func TestRules(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			flaw := flaws[c.name]
			require.NotNil(t, flaw, "there is no store that breaks this rule")
			require.Empty(t, verdict(t, c, &flawed{Store: store.Memory()}), "a store without a flaw")
			said := strings.Join(verdict(t, c, flaw(&flawed{Store: store.Memory()})), "\n")
			require.Contains(t, said, "Rule: "+c.rule)
		})
	}
	require.Len(t, flaws, len(cases))
}

// verdict returns what a case says of a store.
func verdict(t *testing.T, c testCase, s store.Store) []string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				k := &checker{TB: r, rule: c.rule}
				k.broken("panic: %v", p)
			}
		}()
		c.run(&checker{TB: r, ctx: t.Context(), rule: c.rule, Store: s})
	}()
	<-done
	return r.said
}
