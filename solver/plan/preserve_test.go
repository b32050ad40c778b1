package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// show prints a decision in a few words.
func show(d plan.Decision) string {
	var words []string
	for _, w := range []struct {
		is   bool
		text string
	}{
		{d.Leave, "leave"}, {d.Salvage, "salvage"}, {d.Aside != "", "to " + d.Aside},
		{d.Deliver, "write" + strings.Replace(d.Beside, ".", " .", 1)}, {d.Remove, "delete"},
	} {
		if w.is {
			words = append(words, w.text)
		}
	}
	if len(words) == 0 {
		return "keep"
	}
	return strings.Join(words, ", ")
}

// situations are the columns of the table of pkg(7): what is to happen, and what is on
// disk. The digits are the versions of package and content.
var situations = []struct {
	name string
	step func(attr string) plan.Step
	disk plan.Disk
}{
	{"initial, file there", step("", "1", "a", "a"), plan.Disk{Exists: true}},
	{"initial, clean", step("", "1", "a", "a"), plan.Disk{}},
	{"update, unmodified", step("1", "2", "a", "b"), plan.Disk{Exists: true, IsOld: true}},
	{"update, modified", step("1", "2", "a", "b"), plan.Disk{Exists: true}},
	{"update, missing", step("1", "2", "a", "b"), plan.Disk{}},
	{"mode only, modified", step("1", "2", "a", "a"), plan.Disk{Exists: true}},
	{"downgrade, unmodified", step("2", "1", "b", "a"), plan.Disk{Exists: true, IsOld: true}},
	{"downgrade, modified", step("2", "1", "b", "a"), plan.Disk{Exists: true}},
	{"uninstall, unmodified", step("1", "", "a", "a"), plan.Disk{Exists: true, IsOld: true}},
	{"uninstall, modified", step("1", "", "a", "a"), plan.Disk{Exists: true}},
}

// step makes the step of a file when its package goes from one version to another.
func step(from, to, old, new string) func(attr string) plan.Step {
	return func(attr string) plan.Step {
		s := plan.Step{Phase: plan.Update, Package: solver.Change{From: version(from), To: version(to)}}
		s.Old, s.New = fileAction(old, attr), fileAction(new, attr)
		switch {
		case from == "":
			s.Phase, s.Old = plan.Install, nil
		case to == "":
			s.Phase, s.New = plan.Remove, nil
		}
		return s
	}
}

func version(v string) fmri.FMRI {
	if v == "" {
		return fmri.FMRI{}
	}
	return fmri.MustParse("pkg://p/x@" + v + "-0")
}

// fileAction returns a file with a content named by a letter.
func fileAction(content, attr string) *manifest.Action {
	if attr != "" && !strings.Contains(attr, "=") {
		attr = "preserve=" + attr
	}
	hash := fmt.Sprintf("%040x", content)
	a := manifest.MustParseAction("file " + hash + " path=f mode=0644 owner=root group=root " + attr)
	return &a
}

const elfhash = "0123456789012345678901234567890123456789"

// TestDecide is the table of pkg(7), row by row in the order of situations.
func TestDecide(t *testing.T) {
	for attr, want := range map[string][]string{
		"":                                 {"write", "write", "write", "write", "write", "keep", "write", "write", "delete", "delete"},
		"true":                             {"salvage, write", "write", "write", "keep", "write", "keep", "keep", "keep", "delete", "salvage"},
		"anything":                         {"salvage, write", "write", "write", "keep", "write", "keep", "keep", "keep", "delete", "salvage"},
		"renameold":                        {"salvage, write", "write", "write", "to .old, write", "write", "to .old, write", "keep", "keep", "delete", "salvage"},
		"renamenew":                        {"salvage, write", "write", "write", "write .new", "write", "write .new", "keep", "keep", "delete", "salvage"},
		"legacy":                           {"salvage", "keep", "write", "write", "write", "write", "write", "write", "delete", "salvage"},
		"abandon":                          {"leave", "leave", "leave", "leave", "leave", "leave", "leave", "leave", "leave", "leave"},
		"install-only":                     {"keep", "write", "keep", "keep", "keep", "keep", "keep", "keep", "leave", "leave"},
		"preserve=true elfhash=" + elfhash: {"write", "write", "write", "write", "write", "keep", "write", "write", "delete", "salvage"},
	} {
		for i, s := range situations {
			if got := show(s.step(attr).Decide(s.disk)); got != want[i] {
				t.Errorf("preserve=%s: %s: %q, want %q", attr, s.name, got, want[i])
			}
		}
	}
}

// TestDecideAgain holds the property that makes plans restartable: what is done on
// the content that a step has delivered before does not lose anything.
func TestDecideAgain(t *testing.T) {
	for _, attr := range []string{"true", "renameold", "renamenew", "legacy"} {
		for _, s := range situations {
			st := s.step(attr)
			if d := st.Decide(s.disk); !d.Deliver || d.Beside != "" {
				continue // nothing is delivered at the path of the file
			}
			got := st.Decide(plan.Disk{Exists: true, IsNew: true, IsOld: !st.ContentChanged()})
			if got.Salvage || got.Aside != "" || got.Remove {
				t.Errorf("preserve=%s: %s: after it was done: %q", attr, s.name, show(got))
			}
		}
	}
}

func TestDecideSpecialCases(t *testing.T) {
	update := func(oldAttr, newAttr string, from, to string) plan.Step {
		s := step(from, to, "a", "b")("")
		s.Old, s.New = fileAction("a", oldAttr), fileAction("b", newAttr)
		return s
	}
	edited := plan.Disk{Exists: true}
	for _, test := range []struct {
		name string
		step plan.Step
		disk plan.Disk
		want string
	}{
		{"another value becomes legacy", update("true", "legacy", "1", "2"), edited, "to .legacy, write"},
		{"legacy, repaired", update("true", "legacy", "1", "1"), edited, "write"},
		{"renameold, repaired", update("renameold", "renameold", "1", "1"), edited, "keep"},
		{"renamenew, repaired", update("renamenew", "renamenew", "1", "1"), edited, "keep"},
		{"preserve=false goes", update("false", "true", "1", "2"), edited, "keep"},
		{
			"older version cannot read the file",
			update("preserve=true preserve-version=2", "preserve=true preserve-version=1", "2", "1"), edited,
			"to .update, write",
		},
		{
			"older version can read the file",
			update("preserve=true preserve-version=1", "preserve=true preserve-version=2", "2", "1"), edited,
			"keep",
		},
		{
			"downgrade, missing",
			update("true", "true", "2", "1"), plan.Disk{},
			"write",
		},
	} {
		if got := show(test.step.Decide(test.disk)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
