package manifest_test

import (
	"io/fs"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/stretchr/testify/require"
)

// TestPathWords pins what a person reads whose path is refused.
func TestPathWords(t *testing.T) {
	for path, want := range map[string]string{
		"../etc": `path="../etc": not a path within the image: ".." could lead out of it; write the path from the root`,
		"/":      `path="/": not a path within the image: it names nothing; write what lies below the root, such as usr/bin/ls`,
		"a\nb":   `path="a\nb": not a path within the image: a line break in a file name cannot be written in a manifest; rename the file`,
		"a\x00":  `path="a\x00": not a path within the image: no file name has a NUL byte`,
		"\xff":   `path="\xff": not a path within the image: it is not UTF-8; rename the file`,
	} {
		_, err := at(manifest.KindDir, "path", path).Path()
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, fs.ErrInvalid)
	}
}

// TestMaxActions stops at the limit, and says which.
func TestMaxActions(t *testing.T) {
	const text = "set name=a value=b\nset name=b value=b\nset name=c value=b\n"
	m, err := (&manifest.Options{MaxActions: 2}).Parse("some.p5m", []byte(text))
	require.EqualError(t, err, "some.p5m:3: manifest exceeds MaxActions of 2")
	require.Equal(t, 2, m.Len())
	_, err = (&manifest.Options{MaxActions: 3}).Parse("some.p5m", []byte(text))
	require.NoError(t, err)
}

// TestLegacyURI takes the names that old packages have in some manifests.
func TestLegacyURI(t *testing.T) {
	m, err := manifest.Parse("", []byte("legacy pkg=pkg:/x name=x category=system\n"))
	require.NoError(t, err)
	require.Empty(t, m.Validate())
}
