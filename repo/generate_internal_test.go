package repo

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

// TestHexRuns finds what may be the name of a payload, wherever it stands.
func TestHexRuns(t *testing.T) {
	const forty = "0123456789abcdef0123456789abcdef01234567"
	for text, want := range map[string][]string{
		"":                                  nil,
		"no digits":                         nil,
		forty:                               {forty},
		forty[1:]:                           nil,
		"file " + forty + " path=x":         {forty},
		"chash=" + forty + "89 " + forty:    {forty + "89", forty},
		"g" + forty + "g":                   {forty},
		"ABCDEF" + forty[:39] + "A" + forty: {forty},
	} {
		var got []string
		for run := range hexRuns([]byte(text)) {
			got = append(got, string(run))
		}
		require.Equal(t, want, got, text)
	}
	for range hexRuns([]byte(forty + " " + forty)) {
		break
	}
}

// TestHome names objects, and reads back of what package a manifest is.
func TestHome(t *testing.T) {
	for _, h := range []home{{"test.org", "publisher/test.org/"}, {publisher: "test.org"}} {
		f, err := h.packageOf(h.packages() + "a%2Fb%2Bc/1.0%2C5.11%3A20260102T030405Z")
		require.NoError(t, err)
		require.Equal(t, "pkg://test.org/a/b+c@1.0,5.11:20260102T030405Z", f.String())
		require.Equal(t, h.packages()+"a%2Fb%2Bc/1.0%2C5.11%3A20260102T030405Z", h.manifest(f))
		for _, name := range []string{
			"a%2Fb/1.0", "a/b/1.0%2C5.11", "a%2fb/1.0%2C5.11", "a/%", "a%/1.0%2C5.11", "a/one", "/1.0%2C5.11", "a%2F/1.0%2C5.11",
		} {
			_, err := h.packageOf(h.packages() + name)
			require.Error(t, err, name)
		}
	}
}

// TestCheckName refuses what could lead out of a publisher's home, or into another's.
func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "A.b-c", "0", "openindiana.org"} {
		require.NoError(t, checkName(name), name)
	}
	for _, name := range []string{"", ".", "..", ".a", "-a", "_a", "a/b", `a\b`, "a b", "a\x00", "é"} {
		require.Error(t, checkName(name), name)
	}
}
