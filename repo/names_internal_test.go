package repo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
