package repo

import (
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/repo/store"
)

// endless is what never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestLimitedReader ends what does not end by itself.
func TestLimitedReader(t *testing.T) {
	for _, test := range []struct {
		r    io.Reader
		fits bool
	}{
		{strings.NewReader(strings.Repeat("x", 1000)), true},
		{strings.NewReader(strings.Repeat("x", 1001)), false},
		{endless{}, false},
	} {
		n, err := io.Copy(io.Discard, &limitedReader{test.r, "part", 1000})
		require.LessOrEqual(t, n, int64(1000))
		if test.fits {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.ErrorContains(t, err, "part is larger than")
	}
}

// TestReadObject reads no more than may be, whatever the store says of the size.
func TestReadObject(t *testing.T) {
	s := store.Memory()
	require.NoError(t, s.Put(t.Context(), "a", strings.NewReader("content")))
	text, err := readObject(t.Context(), s, "a", 7)
	require.NoError(t, err)
	require.Equal(t, "content", string(text))
	_, err = readObject(t.Context(), s, "a", 6)
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = readObject(t.Context(), s, "b", 6)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = readAll(endless{}, nil, "c", 1<<20)
	require.EqualError(t, err, "c is larger than 1 MiB, which no such file is")

	there, err := exists(t.Context(), s, "a")
	require.NoError(t, err)
	require.True(t, there)
	require.NoError(t, removeObjects(t.Context(), s, "a", "never there"))
	there, err = exists(t.Context(), s, "a")
	require.NoError(t, err)
	require.False(t, there)
}

// TestJournalText reads what it has written, and refuses what it does not understand.
func TestJournalText(t *testing.T) {
	j := journal{{op: opRebuild}, {op: opDrop}}
	got, err := parseJournal(j.text())
	require.NoError(t, err)
	require.Equal(t, j, got)
	require.True(t, got.has(opDrop))
	require.False(t, got.has(opAdd))
	for text, want := range map[string]string{
		"ips journal 2\n":             "is not understood",
		"add pkg://a/b@1\n":           "is not understood",
		"ips journal 1\nadd b c@1\n":  "journal: ",
		"ips journal 1\nadd pkg://\n": "journal: ",
	} {
		_, err := parseJournal([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
