package transform

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A regexpCase is what Python's re does with an expression and a value. They were
// recorded with Python 3.11.
type regexpCase struct {
	Pattern     string
	Value       string
	Error       bool // the expression or the replacement is none
	Unsupported bool // by RE2
	Match       bool // match finds it
	Groups      []*string
	Look        bool    // the expression looks around at its ends, which only matchers can
	Search      bool    // search finds it
	Repl        *string // nil means that each match is put in angle brackets
	Sub         string  // the result of sub
}

// lenient are expressions that Python refuses and RE2 understands. They do no harm.
var lenient = map[string]bool{`(?<n>a)`: true, `(a)(?P<a>b)(?P<a>c)`: true, `[\d-z]`: true}

// differs has the expressions of which the package comment says that they are not quite
// the same, and the values for which they differ.
var differs = map[string]func(value string) bool{
	`\b`:    isNotASCII,
	`\B`:    func(value string) bool { return value == "" || isNotASCII(value) },
	`|a`:    hasA,
	`a*?`:   hasA,
	`(a*)*`: hasA,
}

func hasA(value string) bool { return strings.Contains(value, "a") }

func isNotASCII(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r >= utf8.RuneSelf })
}

// TestRegexpAsPython compares the recorded cases.
func TestRegexpAsPython(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "regexp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := 0
	for lines := bufio.NewScanner(f); lines.Scan(); records++ {
		var c regexpCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		c.check(t)
	}
	t.Logf("%d records", records)
}

func (c *regexpCase) check(t *testing.T) {
	t.Helper()
	if c.Look {
		c.checkMatch(t, nil)
		return
	}
	f, err := newFinder(c.Pattern)
	switch {
	case c.Unsupported:
		if _, err := newMatcher(c.Pattern); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: matcher: %v, want an error that matches ErrUnsupported", c.Pattern, err)
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: error %v, want one that matches ErrUnsupported", c.Pattern, err)
		}
	case c.Repl != nil && err == nil:
		c.checkReplacement(t, f)
	case c.Error:
		var bad *PatternError
		if !errors.As(err, &bad) && !lenient[c.Pattern] {
			t.Errorf("%s: error %v, want a PatternError", c.Pattern, err)
		}
	case err != nil:
		t.Errorf("%s: %v", c.Pattern, err)
	default:
		c.checkMatch(t, f)
	}
}

func (c *regexpCase) checkReplacement(t *testing.T, f *finder) {
	t.Helper()
	r, err := newReplacement(*c.Repl, f.re)
	if err != nil || c.Error {
		if (err != nil) != c.Error {
			t.Errorf("%s: replacement %s: error %v, want one: %v", c.Pattern, *c.Repl, err, c.Error)
		}
		return
	}
	if got, ok := f.replace(c.Value, r, 1000); !ok || got != c.Sub {
		t.Errorf("%s: replacement %s in %q: got %q, want %q", c.Pattern, *c.Repl, c.Value, got, c.Sub)
	}
}

func (c *regexpCase) checkMatch(t *testing.T, f *finder) {
	t.Helper()
	if d := differs[c.Pattern]; d != nil && d(c.Value) {
		return
	}
	m, err := newMatcher(c.Pattern)
	if err != nil {
		t.Errorf("%s: %v", c.Pattern, err)
		return
	}
	if got := m.matches(c.Value); got != c.Match {
		t.Errorf("%s matches %q: got %v, want %v", c.Pattern, c.Value, got, c.Match)
	}
	if got := m.slow(c.Value); got != c.Match {
		t.Errorf("%s matches %q the slow way: got %v, want %v", c.Pattern, c.Value, got, c.Match)
	}
	if diff := cmp.Diff(c.Groups, submatches(m.re, c.Value)); c.Match && diff != "" {
		t.Errorf("%s: groups of %q (-want +got)\n%s", c.Pattern, c.Value, diff)
	}
	if f == nil {
		return
	}
	if got := f.re.MatchString(c.Value); got != c.Search {
		t.Errorf("%s is found in %q: got %v, want %v", c.Pattern, c.Value, got, c.Search)
	}
	got, ok := f.replace(c.Value, replacement{{text: "<"}, {}, {text: ">"}}, 1000)
	if !ok || got != c.Sub {
		t.Errorf("%s marked in %q: got %q, want %q", c.Pattern, c.Value, got, c.Sub)
	}
}

// submatches returns what the groups matched, nil for those that did not.
func submatches(re *regexp.Regexp, value string) []*string {
	groups := []*string{}
	m := re.FindStringSubmatchIndex(value)
	for i := 2; i < len(m); i += 2 {
		if m[i] < 0 {
			groups = append(groups, nil)
			continue
		}
		g := value[m[i]:m[i+1]]
		groups = append(groups, &g)
	}
	return groups
}

// FuzzMatcher compares the short cuts with what they are short for.
func FuzzMatcher(f *testing.F) {
	for _, pattern := range []string{"usr/(.*)", `.+/file10+\.py$`, "(?i)a+b", "a{2,3}(bc)+d?$", "(ab|cd)e|f", "^(?!a).*(?<!b)$", "(?=a)[^b]", `\b.`, "a$|b$", "((a+b)+c)$"} {
		f.Add(pattern, "usr/lib/file100.py")
		f.Add(pattern, "aabcbce")
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		m, err := newMatcher(pattern)
		if err != nil {
			return
		}
		if got, want := m.matches(value), m.slow(value); got != want {
			t.Errorf("%q matches %q: got %v, want %v", pattern, value, got, want)
		}
	})
}

// TestReplaceLimit replaces by more than there may be: within one match, in many, and with
// what is left of the value.
func TestReplaceLimit(t *testing.T) {
	for _, c := range []struct {
		pattern, value, by string
		limit              int
		ok                 bool
	}{
		{"(a+)", "aaaa", `\1\1`, 8, true},
		{"(a+)", "aaaa", `\1\1`, 7, false},
		{"(a+)", strings.Repeat("a", 1000), strings.Repeat(`\1`, 1_000_000), 10_000, false},
		{"a", strings.Repeat("a", 1000), "bb", 2000, true},
		{"a", strings.Repeat("a", 1000), "bb", 1999, false},
		{"a", "abbbb", "c", 4, false},
		{"z", "abbbb", "c", 4, true}, // nothing is made
	} {
		f, err := newFinder(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newReplacement(c.by, f.re)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := f.replace(c.value, r, c.limit); ok != c.ok || ok && c.value[0] == 'a' && c.pattern != "z" && len(got) > c.limit {
			t.Errorf("%s in %.10q by %.10q up to %d: %v, %d bytes", c.pattern, c.value, c.by, c.limit, ok, len(got))
		}
	}
}
