package repo

import (
	"context"
	"io"
	"io/fs"

	"github.com/goips/ips/repo/store"
)

// readObject reads an object of at most limit bytes.
func readObject(ctx context.Context, s store.Store, name string, limit int64) ([]byte, error) {
	r, info, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if info.Size > limit {
		return nil, tooLarge(name, limit)
	}
	data := make([]byte, 0, info.Size+1)
	return readAll(r, data, name, limit)
}

// readAll reads r, which was said to fit into buf.
func readAll(r io.Reader, buf []byte, name string, limit int64) ([]byte, error) {
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
		if int64(len(buf)) > limit {
			return nil, tooLarge(name, limit)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// tooLarge reports an object that is larger than such objects may be, in bytes.
func tooLarge(name string, limit int64) error {
	return because(fs.ErrInvalid, "%s is larger than %d MiB, which no such file is", name, limit>>20)
}

// A limitedReader fails where there is more than it may read.
type limitedReader struct {
	r    io.Reader
	name string
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.name, maxPart)
	}
	return n, err
}

// exists reports whether there is an object of that name.
func exists(ctx context.Context, s store.Store, name string) (bool, error) {
	_, err := store.Stat(ctx, s, name)
	if err == nil {
		return true, nil
	}
	return false, ignore(err, fs.ErrNotExist)
}

// removeObjects removes objects, some of which may be gone already.
func removeObjects(ctx context.Context, s store.Store, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	b, err := store.NewBatch(ctx, s)
	if err != nil {
		return err
	}
	defer b.Close()
	for _, name := range names {
		if err := b.Remove(name); err != nil {
			return err
		}
	}
	return b.Flush(ctx)
}

// removeBelow removes all objects whose names begin with a prefix.
func removeBelow(ctx context.Context, s store.Store, prefix string) error {
	names, err := namesBelow(ctx, s, prefix)
	if err != nil {
		return err
	}
	return removeObjects(ctx, s, names...)
}

// namesBelow returns the names of all objects that begin with a prefix.
func namesBelow(ctx context.Context, s store.Store, prefix string) ([]string, error) {
	var names []string
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		names = append(names, info.Name)
	}
	return names, nil
}
