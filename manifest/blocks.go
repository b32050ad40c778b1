package manifest

import (
	"bytes"
	"io"
)

// blocks reads a manifest in parts that end with a logical line.
type blocks struct {
	r      io.Reader
	limits Options
	buf    []byte
	n      int   // bytes in buf
	total  int64 // bytes read
}

// blockSize is the usual size of a part. Lines that are longer grow it.
const blockSize = 64 << 10

// read returns the next part. The last one comes with an error, [io.EOF] at the
// end of the manifest.
func (b *blocks) read() (string, error) {
	for size := blockSize; ; size *= 2 {
		b.buf = append(b.buf, make([]byte, max(0, size-len(b.buf)))...)
		err := b.fill()
		switch {
		case b.total > b.limits.MaxSize:
			return "", &LimitError{"MaxSize", b.limits.MaxSize}
		case err == io.EOF:
			return b.take(b.n), err
		}
		if end := lastLine(b.buf[:b.n]); end > 0 || err != nil {
			return b.take(end), err
		}
		if b.n > b.limits.MaxLine {
			return "", &LimitError{"MaxLine", int64(b.limits.MaxLine)}
		}
	}
}

// fill reads until buf is full or the reader fails.
func (b *blocks) fill() error {
	const patience = 100 // reads of nothing
	for idle := 0; b.n < len(b.buf); idle++ {
		n, err := b.r.Read(b.buf[b.n:])
		if n > 0 {
			idle = 0
		}
		b.n += n
		b.total += int64(n)
		if err != nil {
			return err
		}
		if idle == patience {
			return io.ErrNoProgress
		}
	}
	return nil
}

// take removes the first n bytes from buf.
func (b *blocks) take(n int) string {
	text := string(b.buf[:n])
	b.n = copy(b.buf, b.buf[n:b.n])
	return text
}

// lastLine returns the end of the last logical line in text that ends in it.
func lastLine(text []byte) int {
	for {
		end := bytes.LastIndexByte(text, '\n')
		if end < 0 {
			return 0
		}
		if !bytes.HasSuffix(bytes.TrimSuffix(text[:end], []byte("\r")), []byte(`\`)) {
			return end + 1
		}
		text = text[:end]
	}
}
