package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/solver"
)

// obstacles are what may be at the path x.
var obstacles = map[string][]edit{
	"nothing":   nil,
	"file":      {{Write: "x", Content: "mine", Mode: "0600"}},
	"empty dir": {{Write: "x/in", Content: "", Mode: "0600"}, {Remove: "x/in"}},
	"full dir":  {{Write: "x/in", Content: "mine", Mode: "0600"}},
	"link":      {{Symlink: "x", Target: "elsewhere"}},
	"link to t": {{Symlink: "x", Target: "t"}},
}

// outcomeAt returns what is at x and below, and what was put aside, in a few words.
func outcomeAt(t *testing.T, root string) string {
	t.Helper()
	var words []string
	for name, o := range objects(t, root) {
		if name == "t" || name == "elsewhere" {
			continue
		}
		switch o.Type {
		case "link":
			words = append(words, name+"->"+o.Target)
		case "file":
			words = append(words, name+"="+strings.TrimSpace(o.Content))
		default:
			words = append(words, name+"/")
		}
	}
	for name, c := range contents(t, filepath.Join(root, "var/pkg/lost+found"), "") {
		name, _, _ = strings.Cut(name, "-")
		words = append(words, "lost"+name+"="+c.Content)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestObstacles installs each kind of thing where something is already, and takes it away
// when somebody has put something else there.
func TestObstacles(t *testing.T) {
	kinds := map[string]string{
		"file":     "file f path=x mode=0644 owner=root group=sys",
		"dir":      "dir path=x mode=0755 owner=root group=sys",
		"link":     "link path=x target=t",
		"hardlink": "hardlink path=x target=t",
		"keep":     "file f path=x mode=0644 owner=root group=sys preserve=true",
	}
	s := newShelf()
	for name, action := range kinds {
		s.publish(t, "set name=pkg.fmri value=pkg://p/"+name+"@1-0\n"+action+"\nfile t path=t mode=0644 owner=root group=sys\n",
			map[string]string{"f": "new\n", "t": "target\n"})
	}
	for _, test := range []struct{ kind, obstacle, want string }{
		{"file", "nothing", "x=new"},
		{"file", "file", "x=new"},
		{"file", "empty dir", "x=new"},
		{"file", "full dir", "lost/x=mine x=new"},
		{"file", "link", "x=new"},
		{"keep", "file", "lost/x=mine x=new"},
		{"keep", "link", "x=new"},
		{"dir", "nothing", "x/"},
		{"dir", "file", "lost/x=mine x/"},
		{"dir", "full dir", "x/ x/in=mine"},
		{"dir", "link", "error: somebody has replaced the directory with a link"},
		{"link", "nothing", "x->t"},
		{"link", "file", "x->t"},
		{"link", "empty dir", "x->t"},
		{"link", "full dir", "lost/x=mine x->t"},
		{"link", "link", "x->t"},
		{"link", "link to t", "x->t"},
		{"hardlink", "nothing", "x=target"},
		{"hardlink", "file", "x=target"},
		{"hardlink", "full dir", "lost/x=mine x=target"},
		{"hardlink", "link to t", "x=target"},
	} {
		t.Run(test.kind+" over "+test.obstacle, func(t *testing.T) {
			i := s.create(t, tempDir(t))
			for _, e := range obstacles[test.obstacle] {
				e.do(t, i.Root())
			}
			err := install(t, i, test.kind)
			if text, ok := strings.CutPrefix(test.want, "error: "); ok {
				require.ErrorContains(t, err, text)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, outcomeAt(t, i.Root()))
			for f, err := range i.Verify(t.Context(), nil) {
				t.Errorf("%v %v", f, err)
			}
		})
	}
}

// TestObstaclesOnRemoval takes packages away whose things somebody has replaced: what is not
// theirs is put aside, or stays if no harm is done.
func TestObstaclesOnRemoval(t *testing.T) {
	s := newShelf()
	files := map[string]string{"f": "delivered\n", "t": "target\n"}
	for name, action := range map[string]string{
		"file":     "file f path=x mode=0644 owner=root group=sys",
		"dir":      "dir path=x mode=0755 owner=root group=sys",
		"link":     "link path=x target=t",
		"hardlink": "hardlink path=x target=t",
		"keep":     "file f path=x mode=0644 owner=root group=sys preserve=true",
		"implied":  "file f path=x/f mode=0644 owner=root group=sys",
	} {
		s.publish(t, "set name=pkg.fmri value=pkg://p/"+name+"@1-0\n"+action+"\nfile t path=t mode=0644 owner=root group=sys\n", files)
	}
	replace := func(obstacle string) []edit { return append([]edit{{Remove: "x"}}, obstacles[obstacle]...) }
	for _, test := range []struct {
		name, kind string
		edits      []edit
		want       string
	}{
		{"file gone", "file", replace("nothing"), ""},
		{"file became a link", "file", replace("link"), ""},
		{"file became a directory", "file", replace("full dir"), "lost/x"},
		{"file edited", "file", []edit{{Write: "x", Content: "mine", Mode: "0600"}}, ""},
		{"editable file edited", "keep", []edit{{Write: "x", Content: "mine", Mode: "0600"}}, "lost/x"},
		{"editable file as it was", "keep", nil, ""},
		{"directory became a file", "dir", replace("file"), "lost/x"},
		{"directory with more in it", "dir", []edit{{Write: "x/in", Content: "mine", Mode: "0600"}}, "lost/x"},
		{"link became a file", "link", replace("file"), "lost/x"},
		{"link leads elsewhere", "link", replace("link"), ""},
		{"hardlink became a link", "hardlink", replace("link"), "lost/x"},
		{"hardlink gone", "hardlink", replace("nothing"), ""},
		{"directory that no action names, with more in it", "implied", []edit{{Write: "x/in", Content: "mine", Mode: "0600"}}, "x/ x/in=mine"},
		{"directory that no action names, gone", "implied", []edit{{Remove: "x/f"}, {Remove: "x"}}, ""},
		{"directory that no action names became a file", "implied", append([]edit{{Remove: "x/f"}}, replace("file")...), "x=mine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := s.create(t, tempDir(t))
			require.NoError(t, install(t, i, test.kind))
			for _, e := range test.edits {
				e.do(t, i.Root())
			}
			_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, test.kind)})
			require.NoError(t, err)
			got := outcomeAt(t, i.Root())
			if strings.HasPrefix(test.want, "lost") {
				lost, err := filepath.Glob(filepath.Join(i.Root(), "var/pkg/lost+found/x-*"))
				require.NoError(t, err)
				require.Len(t, lost, 1)
				_, err = os.Lstat(filepath.Join(i.Root(), "x"))
				require.ErrorIs(t, err, os.ErrNotExist)
				return
			}
			require.Equal(t, test.want, got)
			require.Empty(t, names(i))
		})
	}
}
