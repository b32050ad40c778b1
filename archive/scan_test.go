package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// An endless ReaderAt has the same bytes again and again, or others made for each place.
type endless struct {
	unit []byte
	make func(n int64) []byte // of the size of a unit
	read int64                // bytes
	at   func(read int64)
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	e.read += int64(len(p))
	if e.at != nil {
		e.at(e.read)
	}
	for i := 0; i < len(p); {
		n, unit := (off+int64(i))/int64(len(e.unit)), e.unit
		if e.make != nil {
			unit = e.make(n)
		}
		i += copy(p[i:], unit[(off+int64(i))%int64(len(unit)):])
	}
	return len(p), nil
}

// TestEndlessHeaders has archives of two gigabytes without an index that are one header
// again and again. Each is refused before much of it was read.
func TestEndlessHeaders(t *testing.T) {
	dir := header{name: "publisher/", dir: true}.append(nil)
	extended := append(appendBlock(nil, block{name: "x", size: 11, typ: 'x'}), make([]byte, blockSize)...)
	copy(extended[blockSize:], appendPaxRecord(nil, "a", "bcdef"))
	global := append(appendBlock(nil, block{name: "x", size: 11, typ: 'g'}), extended[blockSize:]...)
	for _, c := range []struct {
		name string
		unit []byte
		want error
	}{
		{"directory", dir, ErrDuplicate},
		{"extended", extended, ErrLimit},
		{"global", global, ErrLimit},
		{"alternating", append(dir[:len(dir):len(dir)], header{name: "b", size: 0}.append(nil)...), ErrDuplicate},
	} {
		r := &endless{unit: c.unit}
		_, err := NewReader(t.Context(), r, 2<<30)
		var e *Error
		require.ErrorAs(t, err, &e, c.name)
		require.ErrorIs(t, err, c.want, c.name)
		require.Less(t, r.read, int64(3*maxHeader), c.name)
	}
}

// TestScanEnds ends the context while an archive without an index is read: many members,
// and one with many headers.
func TestScanEnds(t *testing.T) {
	member := func(n int64) []byte { return header{name: fmt.Sprintf("m%d", n)}.append(nil) }
	extended := append(appendBlock(nil, block{name: "x", size: 11, typ: 'x'}), make([]byte, blockSize)...)
	copy(extended[blockSize:], appendPaxRecord(nil, "a", "bcdef"))
	for _, e := range []endless{{unit: member(0), make: member}, {unit: extended}} {
		ctx, cancel := context.WithCancel(t.Context())
		e.at = func(read int64) {
			if read > 1<<20 {
				cancel()
			}
		}
		_, err := NewReader(ctx, &e, 2<<30)
		require.Equal(t, context.Canceled, err)
		require.Less(t, e.read, int64(2<<20))
		cancel()
	}
}

// TestManyMembers has more members than an archive without an index may have.
func TestManyMembers(t *testing.T) {
	if os.Getenv("IPS_LONG") == "" {
		t.Skip("reads a gigabyte of headers; set IPS_LONG")
	}
	e := &endless{unit: make([]byte, blockSize), make: func(n int64) []byte { return header{name: fmt.Sprintf("m%d", n)}.append(nil) }}
	_, err := NewReader(t.Context(), e, 4<<30)
	require.ErrorIs(t, err, ErrLimit)
	require.False(t, errors.Is(err, io.EOF))
}
