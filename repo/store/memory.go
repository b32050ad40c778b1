package store

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Memory returns an empty store in memory. It is a Stater, Batcher and Swapper.
func Memory() Store { return &memory{objects: map[string]memObject{}} }

type memory struct {
	mu      sync.RWMutex
	objects map[string]memObject
	changes uint64
}

// A memObject is never changed, only replaced.
type memObject struct {
	data []byte
	time time.Time
	tag  string
}

func (o memObject) info(name string) Info {
	return Info{Name: name, Size: int64(len(o.data)), Time: o.time, Tag: o.tag}
}

// A memReader has the methods of bytes.Reader and Close.
type memReader struct{ *bytes.Reader }

func (memReader) Close() error { return nil }

func (m *memory) get(ctx context.Context, op, name string) (memObject, error) {
	if err := ctx.Err(); err != nil {
		return memObject{}, err
	}
	if err := check(op, name); err != nil {
		return memObject{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.objects[name]
	if !ok {
		return memObject{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return o, nil
}

func (m *memory) Open(ctx context.Context, name string) (io.ReadCloser, Info, error) {
	o, err := m.get(ctx, "open", name)
	if err != nil {
		return nil, Info{}, err
	}
	return memReader{bytes.NewReader(o.data)}, o.info(name), nil
}

func (m *memory) Stat(ctx context.Context, name string) (Info, error) {
	o, err := m.get(ctx, "stat", name)
	if err != nil {
		return Info{}, err
	}
	return o.info(name), nil
}

func (m *memory) Put(ctx context.Context, name string, r io.Reader) error {
	_, err := m.put(ctx, name, r, func(memObject, bool) bool { return true })
	return err
}

func (m *memory) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	return m.put(ctx, name, r, func(o memObject, ok bool) bool { return ok == (tag != "") && o.tag == tag })
}

// put stores r if the old object is as it ought to be.
func (m *memory) put(ctx context.Context, name string, r io.Reader, ok func(old memObject, exists bool) bool) (string, error) {
	if err := check("put", name); err != nil {
		return "", err
	}
	data, err := io.ReadAll(contextReader{ctx, r})
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, exists := m.objects[name]; !ok(old, exists) {
		return "", &fs.PathError{Op: "put", Path: name, Err: ErrChanged}
	}
	return m.set(name, data), nil
}

// set stores data with the lock held and returns its tag.
func (m *memory) set(name string, data []byte) string {
	m.changes++
	tag := strconv.FormatUint(m.changes, 10)
	m.objects[name] = memObject{data, time.Now(), tag}
	return tag
}

func (m *memory) Remove(ctx context.Context, name string) error {
	if _, err := m.get(ctx, "remove", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	return nil
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for _, info := range m.snapshot(prefix) {
			if err := ctx.Err(); err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// snapshot returns the objects with a prefix, in order.
func (m *memory) snapshot(prefix string) []Info {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var infos []Info
	for name, o := range m.objects {
		if strings.HasPrefix(name, prefix) {
			infos = append(infos, o.info(name))
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return infos
}

// NewBatch returns a batch whose Flush is a single change.
func (m *memory) NewBatch(ctx context.Context) (Batch, error) {
	return &heldBatch{flush: m.flush}, ctx.Err()
}

func (m *memory) flush(ctx context.Context, objects []heldObject) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range objects {
		if o.data == nil {
			delete(m.objects, o.name)
			continue
		}
		m.set(o.name, o.data.Bytes())
	}
	return nil
}

// A contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
