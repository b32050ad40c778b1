package repo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/goips/ips/manifest"
)

// packers keeps what packs and verifies payloads for reuse.
type packers struct{ fast, exact, readers sync.Pool }

// pack writes the stored form of content to dst. ELF files are recognised in
// what has the methods of an io.ReaderAt and tells its size, as files do, and
// otherwise up to maxELF.
func (ps *packers) pack(ctx context.Context, how Packing, dst io.Writer, content io.Reader) (_ manifest.Payload, err error) {
	pool := &ps.exact
	if how == PackFast {
		pool = &ps.fast
	}
	p, ok := pool.Get().(*manifest.Packer)
	if !ok {
		if p, err = how.newPacker(); err != nil {
			return manifest.Payload{}, err
		}
	}
	defer pool.Put(p)
	content, at, size, err := randomAccess(content)
	if err != nil {
		return manifest.Payload{}, err
	}
	payload, err := p.PackStream(dst, contextReader{ctx, content})
	if err == nil && at != nil && payload.Size == size {
		payload.ELF, err = manifest.ReadELF(at, size)
	}
	return payload, err
}

// maxELF is the size of the largest ELF file that is kept in memory because it
// cannot be read twice, in bytes.
const maxELF = 64 << 20

// randomAccess returns how to read content from the beginning and, if it may be
// an ELF file, how to read it anywhere.
func randomAccess(content io.Reader) (io.Reader, io.ReaderAt, int64, error) {
	if at, size, ok := readTwice(content); ok {
		return io.NewSectionReader(at, 0, size), at, size, nil
	}
	buffered := bufio.NewReaderSize(content, 32<<10)
	if head, _ := buffered.Peek(4); string(head) != "\x7fELF" {
		return buffered, nil, 0, nil
	}
	data, err := io.ReadAll(io.LimitReader(buffered, maxELF+1))
	if err != nil || len(data) > maxELF {
		return io.MultiReader(bytes.NewReader(data), buffered), nil, 0, err
	}
	r := bytes.NewReader(data)
	return r, r, r.Size(), nil
}

// readTwice returns how to read content anywhere, if that can be done.
func readTwice(content io.Reader) (io.ReaderAt, int64, bool) {
	at, ok := content.(io.ReaderAt)
	if !ok {
		return nil, 0, false
	}
	size, ok := sizeOf(content)
	return at, size, ok
}

// sizeOf returns how many bytes a reader has.
func sizeOf(r io.Reader) (int64, bool) {
	switch r := r.(type) {
	case interface{ Size() int64 }:
		return r.Size(), true
	case fs.File:
		info, err := r.Stat()
		return fileSize(info, err)
	}
	return 0, false
}

func fileSize(info fs.FileInfo, err error) (int64, bool) {
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
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

// verify reads the stored form of a payload to its end, and reports
// whether it is what is known of it.
func (ps *packers) verify(ctx context.Context, p manifest.Payload, stored io.Reader) error {
	r, ok := ps.readers.Get().(*manifest.PayloadReader)
	if !ok {
		r = new(manifest.PayloadReader)
	}
	r.Reset(p, contextReader{ctx, stored})
	_, err := r.WriteTo(io.Discard)
	r.Reset(manifest.Payload{}, nil)
	ps.readers.Put(r)
	return err
}

// isDamage reports whether an error is about the bytes of a payload, and not
// about reading them.
func isDamage(err error) bool {
	var bad *manifest.PayloadError
	return errors.As(err, &bad)
}
