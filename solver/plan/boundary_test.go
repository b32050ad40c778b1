package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/plan"
)

// TestReserved holds where packages may deliver and where not, in images of both kinds.
func TestReserved(t *testing.T) {
	const full, user = "var/pkg", ".org.opensolaris,pkg"
	for _, test := range []struct {
		path     string
		reserved string // the metadata directories with which the place is reserved
	}{
		{"var/pkg", ""},
		{"var/pkg/pkg5.image", full},
		{"var/pkg/pkg5.image.new", ""},
		{"var/pkg/lock", full},
		{"var/pkg/lock/x", ""},
		{"var/pkg/cache", full},
		{"var/pkg/cache/x/y", full},
		{"var/pkg/cached", ""},
		{"var/pkg/gui_cache", full},
		{"var/pkg/history", full},
		{"var/pkg/license", full},
		{"var/pkg/linked", full},
		{"var/pkg/lost+found/x", full},
		{"var/pkg/publisher", full},
		{"var/pkg/ssl/key", full},
		{"var/pkg/state", full},
		{"var/pkg/mine", ""},
		{"var/pkgs/state", ""},
		{"opt/var/pkg/state", ""},
		{".org.opensolaris,pkg/state", user},
		{".org.opensolaris,pkg/lock", user},
		{"var/tmp", ""},
		{"var/tmp/x", full + " " + user},
		{"var/tmpx", ""},
		{"var/share", ""},
		{"var/share/x", full + " " + user},
		{"tmp", ""},
		{"tmp/x", full + " " + user},
		{"system/volatile", ""},
		{"system/volatile/x", full + " " + user},
	} {
		for _, metadata := range []string{full, user} {
			for _, action := range []string{"dir mode=0755 owner=root group=root", "file x mode=0644 owner=root group=root", "link target=x", "hardlink target=x"} {
				m := published(t, "set name=pkg.fmri value=pkg://p/a@1-0\n"+action+" path="+test.path+"\n")
				f, _ := m.FMRI()
				s := story{after: map[fmri.FMRI]*manifest.Manifest{f: m}}
				in := s.input()
				in.Metadata = metadata
				_, err := plan.New(in)
				if strings.Contains(test.reserved, metadata) {
					require.ErrorIs(t, err, plan.ErrReserved, "%s at %s in %s", action, test.path, metadata)
					var refused *plan.ActionError
					require.ErrorAs(t, err, &refused)
					require.Equal(t, f, refused.Package)
				} else {
					require.NoError(t, err, "%s at %s in %s", action, test.path, metadata)
				}
			}
		}
	}
}

// TestReservedBefore lets what is at a reserved place already be changed, and go.
func TestReservedBefore(t *testing.T) {
	s := story{
		before: parsePackages(t, "set name=pkg.fmri value=pkg://p/a@1-0\nfile x path=tmp/x mode=0644 owner=root group=root\nfile y path=tmp/y mode=0644 owner=root group=root\n"),
		after:  parsePackages(t, "set name=pkg.fmri value=pkg://p/a@2-0\nfile z path=tmp/x mode=0644 owner=root group=root\n"),
	}
	p, err := plan.New(s.input())
	require.NoError(t, err)
	require.Equal(t, "update package pkg://p/a@2,5.11-0 from 1,5.11-0\nremove file    tmp/y\nupdate file    tmp/x\n", p.String())
}

// TestLongestPath takes a path of 1,024 bytes and none that is longer.
func TestLongestPath(t *testing.T) {
	for _, action := range []string{"dir mode=0755 owner=root group=root", "file x mode=0644 owner=root group=root", "link target=x"} {
		for length, ok := range map[int]bool{1024: true, 1025: false, 1026: false, 2048: false} {
			name := strings.Repeat("d/", length/2)[:length-1] + "x"
			m := published(t, "set name=pkg.fmri value=pkg://p/a@1-0\n"+action+" path="+name+"\n")
			f, _ := m.FMRI()
			s := story{after: map[fmri.FMRI]*manifest.Manifest{f: m}}
			_, err := plan.New(s.input())
			if ok {
				require.NoError(t, err, "%s of %d bytes", action, length)
				continue
			}
			var refused *plan.ActionError
			require.ErrorAs(t, err, &refused, "%s of %d bytes", action, length)
			require.ErrorContains(t, err, "the longest that can be has 1024")
		}
	}
}
