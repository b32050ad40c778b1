package catalogtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const universe = `lib/ssl@1.0.2-5
lib/ssl@3.0 obsolete
web/server@1.0
	require lib/ssl@1
	optional lib/zlib
web/server@2.0:20200102T030405Z
	depend fmri=lib/ssl@1 type=require variant.arch=sparc
	require-any lib/ssl@2 lib/tls
	conditional lib/zlib lib/zlib-server
	variant.arch i386 sparc
	summary A "server" of pages
`

func TestRoundTrip(t *testing.T) {
	c, err := Parse(universe)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(universe, Format(c)); diff != "" {
		t.Error(diff)
	}
}
