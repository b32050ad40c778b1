package store_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/repo/store"
)

// A leased has no locks but leases.
type leased struct {
	store.Store
	store.Swapper
}

func memoryOfLeases() leased {
	m := store.Memory()
	return leased{m, m.(store.Swapper)}
}

// TestLeaseWithoutNote holds a lease whose object is not empty, for that would be free,
// and which whoever removes the object frees.
func TestLeaseWithoutNote(t *testing.T) {
	s := memoryOfLeases()
	lock, err := store.Acquire(t.Context(), s, "lock", nil)
	require.NoError(t, err)
	var held *store.LockedError
	_, err = store.Acquire(t.Context(), s, "lock", nil)
	require.ErrorAs(t, err, &held)
	require.Equal(t, "locked\n", string(held.Note))
	require.NoError(t, s.Remove(t.Context(), "lock"))
	require.NoError(t, lock.Release())
}

// A contested is a store in which somebody else is always faster.
type contested struct{ leased }

func (contested) PutIf(context.Context, string, string, io.Reader) (string, error) {
	return "", store.ErrChanged
}

// TestLockedByNobody is told of a holder that has gone meanwhile.
func TestLockedByNobody(t *testing.T) {
	s := contested{memoryOfLeases()}
	var held *store.LockedError
	_, err := store.Acquire(t.Context(), struct {
		store.Store
		store.Swapper
	}{s.Store, s}, "lock", nil)
	require.ErrorAs(t, err, &held)
	require.Empty(t, held.Note)
}

// TestDraftDropped keeps nothing of a draft whose content cannot be read to its end.
func TestDraftDropped(t *testing.T) {
	dir := t.TempDir()
	s, err := store.OpenDir(dir)
	require.NoError(t, err)
	defer s.Close()
	b, err := store.NewBatch(t.Context(), s)
	require.NoError(t, err)
	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	broken := io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(errors.New("no more")))
	require.EqualError(t, store.PutBatch(t.Context(), b, "name", broken), "no more")
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, after, len(before))
	require.NoError(t, b.Flush(t.Context()))
	require.NoError(t, b.Close())
	_, err = os.Stat(dir + "/name")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A clinging is a store from which nothing can be removed.
type clinging struct{ plain }

var errClings = errors.New("it clings")

func (clinging) Remove(context.Context, string) error { return errClings }

// TestHeldRemoval reports what could not be removed when a batch in memory is flushed.
func TestHeldRemoval(t *testing.T) {
	b, err := store.NewBatch(t.Context(), clinging{plain{store.Memory()}})
	require.NoError(t, err)
	require.NoError(t, b.Remove("name"))
	require.ErrorIs(t, b.Flush(t.Context()), errClings)
}

// TestFlushEnded keeps nothing when the context has ended, and says so.
func TestFlushEnded(t *testing.T) {
	s := tempDir(t)
	b, err := store.NewBatch(t.Context(), s)
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, store.PutBatch(t.Context(), b, "dir/name", strings.NewReader("text")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Flush(ended), context.Canceled)
	_, err = store.Stat(t.Context(), s, "dir/name")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, b.Flush(t.Context()), "once more, with time enough")
	_, err = store.Stat(t.Context(), s, "dir/name")
	require.NoError(t, err)
}
