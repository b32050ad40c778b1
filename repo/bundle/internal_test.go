package bundle

import (
	"archive/tar"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRelative(t *testing.T) {
	for _, test := range []struct{ dir, name, want string }{
		{".", "a", "a"},
		{".", "a/b", "a/b"},
		{"a", "a/b", "b"},
		{"a", "b", "../b"},
		{"a", "ab/c", "../ab/c"},
		{"a/b", "a/c", "../c"},
		{"a/b/c", "a/d/e", "../../d/e"},
		{"a/b/c", "d", "../../../d"},
		{"a/b", "a/b/c/d", "c/d"},
	} {
		require.Equal(t, test.want, relative(test.dir, test.name), "%s from %s", test.name, test.dir)
	}
}

func TestFormatMode(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0: "0000", 0o644: "0644", 0o755 | fs.ModeDir: "0755", 0o755 | fs.ModeSetuid: "4755",
		0o755 | fs.ModeSetgid: "2755", 0o777 | fs.ModeSticky | fs.ModeDir: "1777",
		0o711 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky: "7711",
	} {
		require.Equal(t, want, formatMode(mode))
	}
}

func TestIsSparse(t *testing.T) {
	require.False(t, isSparse(&tar.Header{}))
	require.False(t, isSparse(&tar.Header{PAXRecords: map[string]string{"path": "x"}}))
	for _, key := range []string{"GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize"} {
		require.True(t, isSparse(&tar.Header{PAXRecords: map[string]string{key: "1"}}), key)
	}
}
