package image

import (
	"context"
	"io"
	"sync"
)

// A reading reads until its context ends.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(p)
	if end := r.ctx.Err(); end != nil && err != nil {
		err = end // which is why the source was closed
	}
	return n, err
}

// An openReading closes what it reads when its context ends, so that a source which
// keeps its reader waiting is let go.
type openReading struct {
	reading
	close func() error
	stop  func() bool
}

// readUntil returns what reads from a source until it is closed, or until ctx ends.
func readUntil(ctx context.Context, from io.ReadCloser) io.ReadCloser {
	once := sync.OnceValue(from.Close)
	stop := context.AfterFunc(ctx, func() { _ = once() })
	return &openReading{reading: reading{ctx: ctx, from: from}, close: once, stop: stop}
}

func (r *openReading) Close() error {
	r.stop()
	return r.close()
}
