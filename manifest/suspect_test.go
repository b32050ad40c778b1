package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestSuspects has manifests that may be published and should perhaps not be.
func TestSuspects(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"set name=a value=b\nfile x path=a mode=0444 owner=root group=bin\ndir path=b", ""},
		{"set name=a value=$(VERSION)", `m:1: value="$(VERSION)": the macro $(VERSION) was not filled in`},
		{"set name=a value=$(VERSION", ""},
		{"set name=a value=b value=x$(A)$(B)", `m:1: value="x$(A)$(B)": the macro $(A) was not filled in`},
		{"file $(DIR)/x path=a", `m:1: the macro $(DIR) in the name of the payload was not filled in`},
		{"depend fmri=__TBD type=require", `m:1: fmri="__TBD": the dependency was not resolved, so no package fulfils it`},
		{"depend fmri=a predicate=__TBD type=conditional", `m:1: predicate="__TBD": the dependency was not resolved, so no package fulfils it`},
		{"depend fmri=a fmri=__TBD type=require-any", `m:1: fmri="__TBD": the dependency was not resolved, so no package fulfils it`},
		{"set name=fmri value=__TBD", ""},
		{"file x path=a\n\nfile y path=a", `m:3: path="a": delivered twice, also by the file in line 1`},
		{"file x path=a\nfile x path=a", `m:2: path="a": delivered twice, also by the file in line 1`},
		{"link target=x path=a/b\ndir path=a//b/", `m:2: path="a//b/": delivered twice, also by the link in line 1`},
		{"dir path=a mode=0755\ndir path=a mode=0755", ""},
		{"dir path=a mode=0755\ndir path=a mode=0700", `m:2: path="a": delivered twice, also by the dir in line 1`},
		{"file x path=a variant.arch=i386\nfile y path=a variant.arch=sparc", ""},
		{"file x path=a variant.arch=i386\nfile y path=a variant.arch=i386", `m:2: path="a": delivered twice, also by the file in line 1`},
		{"file x path=a variant.arch=i386\nfile y path=a variant.zone=global", `m:2: path="a": delivered twice, also by the file in line 1`},
		{"file x path=a facet.a=true\nfile y path=a facet.b=true", `m:2: path="a": delivered twice, also by the file in line 1`},
		{"link path=a target=x mediator=j mediator-version=1\nlink path=a target=y mediator=j mediator-version=2", ""},
		{"link path=a target=x mediator=j mediator-version=1\nlink path=a target=y mediator=j mediator-version=1", `m:2: path="a": delivered twice, also by the link in line 1`},
		{"link path=a target=x\nlink path=a target=y mediator=j mediator-version=1", `m:2: path="a": delivered twice, also by the link in line 1`},
		{"file x path=a variant.v=1\nfile x path=a variant.v=2\nfile y path=a variant.v=2", `m:3: path="a": delivered twice, also by the file in line 2`},
		{"driver name=a\ndriver name=a\nlegacy pkg=a\nlegacy pkg=a", ""},
	} {
		m, err := manifest.Parse("m", []byte(c.text+"\n"))
		require.NoError(t, err)
		var got []string
		for _, e := range m.Suspects() {
			e.File, e.Pos.Col = "m", 0
			got = append(got, e.Error())
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.text, diff)
		}
	}
}

// TestManyMeetings has more actions of one path than can be compared with each other.
func TestManyMeetings(t *testing.T) {
	m := new(manifest.Manifest)
	for i := range 200_000 {
		require.NoError(t, m.Add(manifest.MustParseAction(fmt.Sprintf("file x path=a variant.v=%d", i))))
	}
	require.Empty(t, m.Suspects())
}
