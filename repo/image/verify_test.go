package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// verifyFiles are the contents of the payloads below.
var verifyFiles = map[string]string{"a": "aaa\n", "b": "bbb\n", "l": "terms\n"}

// TestVerifyRules holds what verify minds and what not, attribute by attribute.
func TestVerifyRules(t *testing.T) {
	const head = "set name=pkg.fmri value=pkg://p/x@1-0\n"
	for _, test := range []struct {
		name   string
		action string
		edits  []edit
		want   string
	}{
		{"time", "file a path=f mode=0644 owner=root group=sys timestamp=20200102T030405Z",
			[]edit{{Write: "f", Content: "aaa\n", Mode: "0644"}}, "timestamp"},
		{"time of an editable file", "file a path=f mode=0644 owner=root group=sys timestamp=20200102T030405Z preserve=true",
			[]edit{{Write: "f", Content: "aaa\n", Mode: "0644"}}, ""},
		{"content", "file a path=f mode=0644 owner=root group=sys", []edit{{Write: "f", Content: "xxx\n", Mode: "0644"}}, "hash"},
		{"size", "file a path=f mode=0644 owner=root group=sys", []edit{{Write: "f", Content: "longer\n", Mode: "0644"}}, "hash"},
		{"edited", "file a path=f mode=0644 owner=root group=sys preserve=renamenew", []edit{{Write: "f", Content: "xxx\n", Mode: "0644"}}, "edited"},
		{"program with preserve", "file a path=f mode=0644 owner=root group=sys preserve=true elfhash=0123456789012345678901234567890123456789", []edit{{Write: "f", Content: "xxx\n", Mode: "0644"}}, "hash"},
		{"mountpoint", "file a path=f mode=0644 owner=root group=sys mountpoint=true", []edit{{Write: "f", Content: "xxx\n", Mode: "0644"}}, ""},
		{"mountpoint, mode", "file a path=f mode=0644 owner=root group=sys mountpoint=true", []edit{{Chmod: "f", Mode: "0600"}}, "mode"},
		{"set-id", "file a path=f mode=4755 owner=root group=sys", []edit{{Chmod: "f", Mode: "0755"}}, "mode"},
		{"missing", "file a path=f mode=0644 owner=root group=sys", []edit{{Remove: "f"}}, "missing"},
		{"missing, abandoned", "file a path=f mode=0644 owner=root group=sys preserve=abandon", []edit{{Remove: "f"}}, ""},
		{"changed, abandoned", "file a path=f mode=0644 owner=root group=sys preserve=abandon", []edit{{Write: "f", Content: "x", Mode: "0600"}}, ""},
		{"missing, legacy", "file a path=f mode=0644 owner=root group=sys preserve=legacy", []edit{{Remove: "f"}}, ""},
		{"missing, install-only", "file a path=f mode=0644 owner=root group=sys preserve=install-only", []edit{{Remove: "f"}}, "missing"},
		{"a directory instead", "file a path=f mode=0644 owner=root group=sys", []edit{{Remove: "f"}, {Write: "f/in", Content: "x", Mode: "0644"}}, "file type"},
		{"a link instead", "dir path=f mode=0755 owner=root group=sys", []edit{{Remove: "f"}, {Symlink: "f", Target: "etc"}}, "file type"},
		{"link with preserve", "link path=f target=x preserve=true", []edit{{Remove: "f"}, {Symlink: "f", Target: "etc"}}, ""},
		{"license", "license l license=T", []edit{{Write: "var/pkg/license/x/license.T", Content: "others\n", Mode: "0444"}}, "hash"},
		{"variant of others", "file a path=f mode=0644 owner=root group=sys variant.arch=sparc", []edit{{Write: "f", Content: "x", Mode: "0644"}}, "should not exist"},
		{"variant of others, clean", "file a path=f mode=0644 owner=root group=sys variant.arch=sparc", nil, ""},
		{"directory of others", "dir path=f mode=0755 owner=root group=sys variant.arch=sparc", []edit{{Write: "f/in", Content: "x", Mode: "0644"}}, ""},
		{"variant of others, license", "license l license=T variant.arch=sparc", nil, ""},
		{"both variants", "file a path=f mode=0644 owner=root group=sys variant.arch=i386\nfile b path=f mode=0600 owner=root group=sys variant.arch=sparc", nil, ""},
		{"target of a hardlink", "file a path=t mode=0644 owner=root group=sys\nhardlink path=f target=t", []edit{{Remove: "t"}}, "missing, target"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf()
			s.publish(t, head+test.action+"\n", verifyFiles)
			i := s.create(t, tempDir(t))
			require.NoError(t, install(t, i, "x"))
			for _, e := range test.edits {
				e.do(t, i.Root())
			}
			var got []string
			for f, err := range i.Verify(t.Context(), nil) {
				require.NoError(t, err)
				if f.Problem != WrongOwner && f.Problem != WrongGroup {
					got = append(got, f.Problem.String())
				}
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
		})
	}
}

// TestVerifyOverlay looks at the file on top, and at the one below only when it is alone.
func TestVerifyOverlay(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/base@1-0\nfile a path=f mode=0644 owner=root group=sys overlay=allow preserve=true\n", verifyFiles)
	s.publish(t, "set name=pkg.fmri value=pkg://p/upper@1-0\nfile b path=f mode=0600 owner=root group=sys overlay=true\n", verifyFiles)
	i := s.create(t, tempDir(t))
	findings := func() string {
		var got []string
		for f, err := range i.Verify(t.Context(), nil) {
			require.NoError(t, err)
			got = append(got, f.Package.Name()+" "+f.Problem.String())
		}
		return strings.Join(got, ", ")
	}
	at := filepath.Join(i.Root(), "f")
	require.NoError(t, install(t, i, "base"))
	require.NoError(t, os.Chmod(at, 0o600))
	require.Equal(t, "base mode", findings())
	require.NoError(t, install(t, i, "upper"))
	require.Equal(t, "", findings())
	require.NoError(t, os.Remove(at))
	require.Equal(t, "upper missing", findings())
}

// TestVerifyOwner compares owners by number.
func TestVerifyOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("owners count for the superuser only")
		return
	}
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nfile a path=f mode=0644 owner=bin group=sys\n", verifyFiles)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "x"))
	require.NoError(t, os.Chown(filepath.Join(i.Root(), "f"), 1, 12))
	var got []string
	for f, err := range i.Verify(t.Context(), nil) {
		require.NoError(t, err)
		got = append(got, f.String())
	}
	require.Equal(t, []string{"file f: owner: 1 should be bin (2)", "file f: group: 12 should be sys (3)"}, got)
}

// TestVerifySome looks at what it is asked for, and stops when the caller does.
func TestVerifySome(t *testing.T) {
	s := newShelf()
	for _, name := range []string{"x", "y"} {
		s.publish(t, "set name=pkg.fmri value=pkg://p/"+name+"@1-0\nfile a path="+name+"1 mode=0644 owner=root group=sys\n"+
			"file a path="+name+"2 mode=0644 owner=root group=sys\n", verifyFiles)
	}
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "x", "y"))
	for _, name := range []string{"x1", "x2", "y1", "y2"} {
		require.NoError(t, os.Remove(filepath.Join(i.Root(), name)))
	}
	count := 0
	for f, err := range i.Verify(t.Context(), i.state.Load().packages()) {
		require.NoError(t, err)
		require.Equal(t, "x", f.Package.Name())
		if count++; count == 2 {
			break
		}
	}
	require.Equal(t, 2, count)
	for p := range i.Known().All() {
		if p.Name() == "y" {
			require.NoError(t, os.Remove(filepath.Join(i.Root(), filepath.FromSlash(i.manifestPath(p.FMRI())))))
		}
	}
	var problems []string
	for f, err := range i.Verify(t.Context(), nil) {
		if err != nil {
			require.ErrorContains(t, err, "the manifest of pkg://p/y@1,5.11-0:")
		}
		problems = append(problems, f.Package.Name())
	}
	require.Equal(t, []string{"x", "x", "y"}, problems, "an error concerns one package")
}
