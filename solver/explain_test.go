package solver_test

import (
	"errors"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the wanted texts in testdata/explain")

// A story is a file of testdata/explain: what is known, installed and asked for, one
// to a line, and after "--" the explanation that is wanted.
type story struct {
	known list
	img   solver.Image
	req   solver.Request
}

func (s *story) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		for p, err := range s.known.Packages() {
			p.FMRI = storyFMRI(p.FMRI.Name() + "@" + p.FMRI.Version().String())
			if !yield(p, err) {
				return
			}
		}
	}
}

// storyFMRI reads "a@1" or "p1/a@1".
func storyFMRI(text string) fmri.FMRI {
	publisher := "test"
	if p, rest, ok := strings.Cut(text, "/"); ok && len(p) == 2 && p[0] == 'p' {
		publisher, text = p, rest
	}
	return fmri.MustParse("pkg://" + publisher + "/" + text)
}

// actionTexts writes the shorthand of a story out as actions.
func actionTexts(shorthand string) string {
	var actions []string
	for _, part := range strings.Split(shorthand, "; ") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "obsolete":
			actions = append(actions, "set name=pkg.obsolete value=true")
		case "renamed":
			actions = append(actions, "set name=pkg.renamed value=true")
		case "explicit":
			actions = append(actions, "set name=pkg.depend.explicit-install value=true")
		case "sparc":
			actions = append(actions, "set name=variant.arch value=sparc")
		case "hold":
			actions = append(actions, "set name=pkg.depend.install-hold value="+words[1])
		default:
			text := "depend type=" + words[0]
			for _, w := range words[1:] {
				if !strings.Contains(w, "=") {
					w = "fmri=" + w
				}
				text += " " + w
			}
			actions = append(actions, text)
		}
	}
	return strings.Join(actions, "; ")
}

// add reads one line of a story.
func (s *story) add(t *testing.T, line string) {
	key, rest, _ := strings.Cut(line, " ")
	first, after, _ := strings.Cut(rest, " ")
	switch key {
	case "known":
		s.known = append(s.known, strings.TrimSpace(first+" "+actionTexts(after)))
	case "installed":
		s.img.Installed = append(s.img.Installed, storyFMRI(rest))
	case "freeze":
		s.img.Frozen = append(s.img.Frozen, solver.Freeze{Package: fmri.MustParse(first), Comment: after})
	case "reject":
		s.req.Reject = append(s.req.Reject, fmri.MustParsePattern(rest))
	case "publisher":
		s.img.Publishers = append(s.img.Publishers, solver.Publisher{Name: first, Sticky: after == "sticky"})
	case "root":
		s.img.Root = append(s.img.Root, storyFMRI(rest))
	case "parent":
		s.img.Linked = true
		if rest != "" {
			s.img.Parent = append(s.img.Parent, storyFMRI(rest))
		}
	case "request":
		for _, op := range []solver.Op{solver.Install, solver.Update, solver.Uninstall, solver.ExactInstall} {
			if op.String() == first {
				s.req.Op = op
			}
		}
		for _, p := range strings.Fields(after) {
			s.req.Patterns = append(s.req.Patterns, fmri.MustParsePattern(p))
		}
	default:
		t.Fatalf("line %q", line)
	}
}

// TestExplanations compares what is said about a conflict with testdata/explain.
func TestExplanations(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { tellStory(t, file) })
	}
}

func tellStory(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	setting, want, _ := strings.Cut(string(text), "--\n")
	s := story{img: solver.Image{Varcets: manifest.Varcets{Variants: map[string]string{"variant.arch": "i386"}}}}
	for _, line := range strings.Split(strings.TrimSpace(setting), "\n") {
		s.add(t, line)
	}
	model, err := solver.NewModel(&s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = solver.Solve(t.Context(), model, &s.img, s.req)
	var conflict *solver.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("no conflict: %v", err)
	}
	got := conflict.Error() + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(setting+"--\n"+got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
