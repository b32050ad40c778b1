package transform

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShortCuts has what is known of values that match.
func TestShortCuts(t *testing.T) {
	for _, c := range []struct {
		pattern, prefix, literals, suffix string
		whole                             bool
	}{
		{pattern: "", whole: true},
		{pattern: "usr", prefix: "usr", literals: "usr", whole: true},
		{pattern: "usr$", prefix: "usr", literals: "usr", suffix: "usr"},
		{pattern: "usr/.*/bin", prefix: "usr/", literals: "usr/ /bin"},
		{pattern: `.*\.so(\.\d+)*$`, literals: ".so"},
		{pattern: `.+/([a-z]+)\.py$`, literals: "/ .py", suffix: ".py"},
		{pattern: "(?i)usr/x", literals: "/"},
		{pattern: "(ab)+c?d", prefix: "ab", literals: "ab d"},
		{pattern: "a{2}b", prefix: "aab", literals: "b", whole: true},
		{pattern: "(a|b)c", literals: "c"},
		{pattern: "a|b"},
		{pattern: "a$|b$"},
		{pattern: "^usr", prefix: "usr", literals: "usr"},
	} {
		m, err := newMatcher(c.pattern, maxTime)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		want := fmt.Sprintf("%q %q %q", c.prefix, c.literals, c.suffix)
		got := fmt.Sprintf("%q %q %q", m.prefix, strings.Join(m.literals, " "), m.suffix)
		if got != want || m.whole != c.whole {
			t.Errorf("%s: %s, whole %v, want %s, %v", c.pattern, got, m.whole, want, c.whole)
		}
	}
}

// TestLooks has expressions that look around, or seem to.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no string // values that match, and that do not
	}{
		{`.*kernel/.+(?<!\.conf)$`, "kernel/drv/a kernel/a.conf.x", "kernel/a.conf usr/a"},
		{`^(?!NOHASH).+$`, "NOHAS abc", "NOHASH NOHASHx"},
		{`(?!usr/(?:share|lib)/)`, "opt/a usr/bin/a usr/shared", "usr/share/a usr/lib/a"},
		{`(?=.*\.py$)usr/`, "usr/a.py usr/lib/a.py", "usr/a.pyc opt/a.py"},
		{`(?!a)(?!b).`, "c", "a b"},
		{`.*(?<=\.so)$`, "a.so .so", "a.so.1 aso"},
		{`.*(?<![ab]\))$`, "c) a", "a) xb)"},
		{`[(?!a)]`, "( ? ! a )", "b"},
		{`\(?!a`, "(!a !a", "a"},
	} {
		m, err := newMatcher(c.pattern, maxTime)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, value := range strings.Fields(c.yes) {
			if ok, err := m.matches(value); err != nil || !ok {
				t.Errorf("%s does not match %s", c.pattern, value)
			}
		}
		for _, value := range strings.Fields(c.no) {
			if ok, err := m.matches(value); err != nil || ok {
				t.Errorf("%s matches %s", c.pattern, value)
			}
		}
	}
	for _, pattern := range []string{"(?!", "(?!a", "(?![)a", "(?!*)a", "a(?<!b$", "a(?<!*)$", `(?!a\)b`} {
		var bad *PatternError
		if _, err := newMatcher(pattern, maxTime); !errors.As(err, &bad) || bad.Error() == "" {
			t.Errorf("%s: error %v, want a PatternError", pattern, err)
		}
	}
}

// TestCanBeEmpty tells expressions that match nothing from others by matching nothing, at
// the beginning, the end and between.
func TestCanBeEmpty(t *testing.T) {
	for _, pattern := range []string{
		"", "a", "a*", "a?", "a+", "(a)", "(a*)", "(a*)+", "ab", "a*b*", "a*b", "a|b", "a|", "|a", "a*|b", "^", "$", "^a", "^a?$",
		`\b`, `\B`, `\ba`, "[ab]", "[ab]*", ".", ".*", "(?s).", "a{0,2}", "a{2}", "(a?){2}", "(?i)a", "(?:)", "(?:a|(b|c*))", `a\b`,
	} {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(pattern)
		want := false
		for _, value := range []string{"", "a", "b", "ab ", "--"} {
			for _, m := range re.FindAllStringIndex(value, -1) {
				want = want || m[0] == m[1]
			}
		}
		if got := canBeEmpty(tree); got != want {
			t.Errorf("%q: %v, want %v", pattern, got, want)
		}
	}
}

// TestAll finds all matches, also those of nothing behind another.
func TestAll(t *testing.T) {
	for _, c := range []struct{ pattern, value, want string }{
		{".*", "abc", "0-3 3-3"},
		{".*", "", "0-0"},
		{"x*", "abxxd", "0-0 1-1 2-4 4-4 5-5"},
		{"(x)*", "éxé", "0-0 2-3(2-3) 3-3 5-5"},
		{"^a*", "aab", "0-2"},
		{"a*$", "baa", "1-3 3-3"},
		{"a+", "aabaa", "0-2 3-5"},
		{`a*\b`, "aa b", "0-2 2-2 3-3 4-4"},
		{`(a)|\B`, "aab", "0-1(0-1) 1-2(1-2) 2-2"},
	} {
		f, err := newFinder(c.pattern, maxTime)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		all, err := f.all(c.value)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			text := fmt.Sprintf("%d-%d", m[0], m[1])
			if len(m) > 2 && m[2] >= 0 {
				text += fmt.Sprintf("(%d-%d)", m[2], m[3])
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s in %q (-want +got)\n%s", c.pattern, c.value, diff)
		}
	}
}
