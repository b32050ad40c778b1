package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// The rows of a table of decisions: what happens to the package, and to the content.
var occasions = []struct {
	name     string
	from, to string // versions of the package
	old, new string // contents; "" where the version has no such file
}{
	{"install", "", "1", "", "a"},
	{"update", "1", "2", "a", "b"},
	{"update, same content", "1", "2", "a", "a"},
	{"update brings the file", "1", "2", "", "b"},
	{"update takes the file", "1", "2", "a", ""},
	{"downgrade", "2", "1", "b", "a"},
	{"downgrade, same content", "2", "1", "a", "a"},
	{"downgrade brings the file", "2", "1", "", "a"},
	{"repair", "1", "1", "a", "a"},
	{"repair brings the file", "1", "1", "", "a"},
	{"uninstall", "1", "", "a", ""},
	{"from another package", "other@2", "1", "b", "a"},
}

// The columns: what is on disk.
var disks = []struct {
	name string
	disk plan.Disk
}{
	{"nothing", plan.Disk{}},
	{"old", plan.Disk{Exists: true, IsOld: true}},
	{"new", plan.Disk{Exists: true, IsNew: true}},
	{"edited", plan.Disk{Exists: true}},
}

// occasion makes the step of a row for a file with these attributes.
func occasion(t *testing.T, from, to, old, new, attrs string) plan.Step {
	t.Helper()
	name := func(v string) (f fmri.FMRI) {
		if v == "" {
			return f
		}
		if !strings.Contains(v, "@") {
			v = "a@" + v
		}
		return fmri.MustParse("pkg://p/" + v)
	}
	action := func(content, version string) *manifest.Action {
		if content == "" {
			return nil
		}
		_, version, _ = strings.Cut("@"+version, "@")
		version = version[strings.LastIndex(version, "@")+1:]
		text := strings.ReplaceAll(attrs, "VERSION", version)
		a := manifest.MustParseAction(strings.TrimSpace("file " + strings.Repeat(content, 40) + " path=f mode=0644 owner=root group=sys " + text))
		return &a
	}
	s := plan.Step{Package: solver.Change{From: name(from), To: name(to)}}
	s.Old, s.New = action(old, from), action(new, to)
	switch {
	case s.New == nil:
		s.Phase = plan.Remove
	case s.Old == nil:
		s.Phase = plan.Install
	default:
		s.Phase = plan.Update
	}
	return s
}

// TestDecisions holds what becomes of a file in every situation, as one table for each
// value of preserve. What cannot be is left out: without old content nothing has it.
func TestDecisions(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/decide/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			attrs := strings.TrimSpace(c.Section["attributes"])
			var table strings.Builder
			fmt.Fprintf(&table, "%-26s", "on disk:")
			for _, d := range disks {
				fmt.Fprintf(&table, "| %-22s", d.name)
			}
			for _, o := range occasions {
				s := occasion(t, o.from, o.to, o.old, o.new, attrs)
				fmt.Fprintf(&table, "\n%-26s", o.name)
				for _, d := range disks {
					text := "-"
					if (o.old != "" || !d.disk.IsOld) && (o.new != "" || !d.disk.IsNew) {
						text = show(s.Decide(d.disk))
					}
					fmt.Fprintf(&table, "| %-22s", text)
				}
			}
			lines := strings.Split(table.String(), "\n")
			for n, line := range lines {
				lines[n] = strings.TrimRight(line, " ")
			}
			c.Want(t, "table", strings.Join(lines, "\n")+"\n")
		})
	}
}

// TestDecideTwice carries each decision out and decides again: nothing more is moved or
// written, so that an interrupted plan may be taken up.
func TestDecideTwice(t *testing.T) {
	for _, attrs := range []string{
		"", "preserve=true", "preserve=renameold", "preserve=renamenew", "preserve=legacy", "preserve=abandon", "preserve=install-only",
	} {
		for _, o := range occasions {
			s := occasion(t, o.from, o.to, o.old, o.new, attrs)
			for _, d := range disks {
				if s.New == nil || o.old == "" && d.disk.IsOld {
					continue
				}
				first := s.Decide(d.disk)
				if !first.Deliver || first.Beside != "" || !s.Editable() {
					continue
				}
				again := s.Decide(plan.Disk{Exists: true, IsNew: true, IsOld: o.old == o.new})
				require.False(t, again.Salvage || again.Aside != "" || again.Deliver, "%s, %s, %s: %s, and then %s",
					attrs, o.name, d.name, show(first), show(again))
			}
		}
	}
}

// TestDecideLink holds what becomes of links.
func TestDecideLink(t *testing.T) {
	link := func(target, attrs string) *manifest.Action {
		a := manifest.MustParseAction("link path=l target=" + target + attrs)
		return &a
	}
	missing, old, new, other := plan.Disk{}, plan.Disk{Exists: true, IsOld: true}, plan.Disk{Exists: true, IsNew: true}, plan.Disk{Exists: true}
	for _, test := range []struct {
		name     string
		step     plan.Step
		preserve [4]string // with nothing, the old link, the new one, another one on disk
		plain    string
	}{
		{"install", plan.Step{Phase: plan.Install, Change: manifest.Change{New: link("b", "")}}, [4]string{"write", "write", "write", "write"}, "write"},
		{"update", plan.Step{Phase: plan.Update, Change: manifest.Change{Old: link("a", ""), New: link("b", "")}}, [4]string{"leave", "write", "write", "leave"}, "write"},
		{"remove", plan.Step{Phase: plan.Remove, Change: manifest.Change{Old: link("a", "")}}, [4]string{"leave", "delete", "delete", "leave"}, "delete"},
	} {
		for n, d := range []plan.Disk{missing, old, new, other} {
			require.Equal(t, test.plain, show(test.step.Decide(d)), "%s, plain, %+v", test.name, d)
			s := test.step
			for _, a := range []**manifest.Action{&s.Old, &s.New} {
				if *a != nil {
					target, _ := (*a).Attrs.Get("target")
					*a = link(target, " preserve=true")
				}
			}
			require.Equal(t, test.preserve[n], show(s.Decide(d)), "%s, preserve, %+v", test.name, d)
		}
	}
}
