package image

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// endless is a compressed payload that does not end, and whose reader gives up on the way.
type endless struct {
	rest   []byte
	reads  atomic.Int64
	closed atomic.Int64
	giveUp func()
}

func (e *endless) Read(p []byte) (int, error) {
	if e.reads.Add(1) == 3 {
		e.giveUp()
	}
	if e.rest == nil {
		e.rest = []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
	} else if len(e.rest) == 0 {
		e.rest = append([]byte("\x00\xff\xff\x00\x00"), make([]byte, 1<<16-1)...) // a block as it is, not the last one
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func (e *endless) Close() error {
	e.closed.Add(1)
	return nil
}

// stuck is a payload that sends nothing until it is closed.
type stuck struct {
	endless
	done chan struct{}
}

func (s *stuck) Read([]byte) (int, error) {
	s.giveUp()
	<-s.done
	return 0, os.ErrClosed
}

func (s *stuck) Close() error {
	close(s.done) // twice would panic
	return s.endless.Close()
}

// TestEndlessSource ends with its context while it fetches what does not end, and closes
// what does not come.
func TestEndlessSource(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		s := newShelf()
		lie(t, s, "large", "hello\n", func(p *manifest.Payload) { p.Size = 1 << 40 }, nil)
		i := s.create(t, tempDir(t))
		p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "large")})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		source := &endless{giveUp: cancel}
		s.onPayload = func() io.ReadCloser { return source }
		if blocks {
			waiting := &stuck{endless: endless{giveUp: cancel}, done: make(chan struct{})}
			source = &waiting.endless
			s.onPayload = func() io.ReadCloser { return waiting }
		}
		require.ErrorIs(t, i.Execute(ctx, p.Plan), context.Canceled)
		require.LessOrEqual(t, source.reads.Load(), int64(4))
		require.Equal(t, int64(1), source.closed.Load())
	}
}

// TestCutCopy ends a plan while a file is copied to its place: it is not given up, and
// the next operation finishes it.
func TestCutCopy(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/two@1-0\nfile f path=a mode=0644 owner=root group=sys\n"+
		"file f path=b mode=0644 owner=root group=sys\n", map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "two")})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	i.hooks.before = func(op, name string) error {
		if op == "create" && name == tempName("a") {
			cancel()
		}
		return nil
	}
	require.ErrorIs(t, i.Execute(ctx, p.Plan), context.Canceled)
	i.hooks.before = nil
	_, err = os.Lstat(filepath.Join(i.Root(), "a"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, i.Refresh(t.Context()))
	require.Equal(t, []string{"pkg://p/two@1-0"}, names(i))
	for f, err := range i.Verify(t.Context(), nil) {
		t.Errorf("%v %v", f, err)
	}
}

// TestVerifyEnds stops in the middle of a file, and does not call it unreadable.
func TestVerifyEnds(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs int
	for f, err := range i.Verify(ctx, nil) {
		require.ErrorIs(t, err, context.Canceled, "%v", f)
		errs++
	}
	require.Equal(t, 1, errs)
}
