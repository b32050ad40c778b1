package transform

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// A regexpCase is what Python's re does with an expression in the values of the table. They
// were recorded by testdata/regexp.py with Python 3.11.
type regexpCase struct {
	Pattern string
	Error   bool        // the expression or the replacement is none
	Match   [][]*string // the match of the beginning and its groups, nil for none
	Repl    *string     // nil means that each match is put in angle brackets
	Sub     []string    // the results of sub
}

// regexpValues are the values of a table: of cases without and with a replacement.
type regexpValues struct{ Values, Replaced []string }

// differs are the expressions that Python refuses and this package understands, which does
// no harm, and one that this package does not support.
var differs = map[string]bool{`a{3,9999999999999999999}`: true, `\N{DIGIT ONE}`: true}

// TestRegexpAsPython compares the recorded cases.
func TestRegexpAsPython(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "regexp.jsonl"))
	require.NoError(t, err)
	checkTable(t, bytes.NewReader(text), differs)
}

// TestRegexpRandom compares random cases, 10,000 of them with the Python at hand if
// IPS_LONG is set, and else those that were recorded.
func TestRegexpRandom(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "regexp-random.jsonl"))
	if os.Getenv("IPS_LONG") != "" {
		text, err = exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "regexp.py"), "32", "10000").Output()
	}
	require.NoError(t, err)
	checkTable(t, bytes.NewReader(text), nil)
}

func checkTable(t *testing.T, r io.Reader, differs map[string]bool) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	require.True(t, lines.Scan())
	var values regexpValues
	require.NoError(t, json.Unmarshal(lines.Bytes(), &values))
	records := 0
	for ; lines.Scan(); records++ {
		var c regexpCase
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		if !differs[c.Pattern] {
			c.check(t, values)
		}
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, records)
}

func (c *regexpCase) check(t *testing.T, values regexpValues) {
	t.Helper()
	f, err := newFinder(c.Pattern, maxTime)
	var bad *PatternError
	switch {
	case c.Repl != nil && err == nil:
		c.checkReplacement(t, f, values.Replaced)
	case c.Error:
		if !errors.As(err, &bad) && !(lookBehind(c.Pattern) && err == nil) {
			t.Errorf("%s: error %v, want a PatternError", c.Pattern, err)
		}
	case err != nil:
		t.Errorf("%s: %v", c.Pattern, err)
	default:
		c.checkMatches(t, values.Values)
	}
}

// lookBehind reports whether Python may mind how far an expression looks behind.
func lookBehind(pattern string) bool { return strings.Contains(pattern, "(?<") }

func (c *regexpCase) checkReplacement(t *testing.T, f *finder, values []string) {
	t.Helper()
	r, err := newReplacement(*c.Repl, f.expr)
	if err != nil || c.Error {
		if (err != nil) != c.Error {
			t.Errorf("%s: replacement %s: error %v, want one: %v", c.Pattern, *c.Repl, err, c.Error)
		}
		return
	}
	for i, value := range values {
		if got, ok, err := f.replace(value, r, 1000); err != nil || !ok || got != c.Sub[i] {
			t.Errorf("%s: replacement %s in %q: got %q, %v, want %q", c.Pattern, *c.Repl, value, got, err, c.Sub[i])
		}
	}
}

func (c *regexpCase) checkMatches(t *testing.T, values []string) {
	t.Helper()
	m, err := newMatcher(c.Pattern, maxTime)
	require.NoError(t, err)
	f, err := newFinder(c.Pattern, maxTime)
	require.NoError(t, err)
	for i, value := range values {
		want := c.Match[i]
		if got, err := m.matches(value); err != nil || got != (want != nil) {
			t.Errorf("%s matches %q: got %v, %v, want %v", c.Pattern, value, got, err, want != nil)
			continue
		}
		if diff := cmp.Diff(want, submatches(&m, value)); diff != "" {
			t.Errorf("%s: groups of %q (-want +got)\n%s", c.Pattern, value, diff)
		}
		if got, err := f.expr.isIn(value); err != nil || got != (c.Sub[i] != value) {
			t.Errorf("%s is found in %q: got %v, %v, want %v", c.Pattern, value, got, err, c.Sub[i] != value)
		}
		got, ok, err := f.replace(value, replacement{{text: "<"}, {}, {text: ">"}}, 10000)
		if err != nil || !ok || got != c.Sub[i] {
			t.Errorf("%s marked in %q: got %q, %v, want %q", c.Pattern, value, got, err, c.Sub[i])
		}
	}
}

// submatches returns the match and what the groups matched, nil for those that did not.
func submatches(of *matcher, value string) []*string {
	var groups []*string
	m, _ := of.submatches(value)
	for i := 0; i < len(m); i += 2 {
		if m[i] < 0 {
			groups = append(groups, nil)
			continue
		}
		g := value[m[i]:m[i+1]]
		groups = append(groups, &g)
	}
	return groups
}

// TestEndlessExpressions has expressions and values for which trying all ways takes longer
// than anybody waits.
func TestEndlessExpressions(t *testing.T) {
	const limit = 20 * time.Millisecond
	value := strings.Repeat("a", 5000)
	for _, pattern := range []string{`(?=a)(a+)+$b`, `(?!b)(a|aa)+c`, `(.*)*\1b`} {
		m, err := newMatcher(pattern, limit)
		require.NoError(t, err)
		_, err = m.matches(value + "!")
		requireTooLong(t, err, pattern)
		f, err := newFinder(pattern, limit)
		require.NoError(t, err)
		_, err = f.expr.isIn(value + "!")
		requireTooLong(t, err, pattern)
		_, _, err = f.replace(value+"!", nil, 10000)
		requireTooLong(t, err, pattern)
	}
}

func requireTooLong(t *testing.T, err error, pattern string) {
	t.Helper()
	var of *PatternError
	var limit *LimitError
	if !errors.As(err, &of) || of.Pattern != pattern || !errors.As(err, &limit) || limit.Limit != "MaxTime" {
		t.Errorf("%s: error %v, want a PatternError with a LimitError", pattern, err)
	}
}

// TestLargeExpressions reads expressions as long as a line may be, of what is not read in one
// go or becomes longer. All end soon, most in an error.
func TestLargeExpressions(t *testing.T) {
	const size = 1 << 20
	for _, part := range []string{"a", "a*+", "{", "{1", "{1,", `\b`, "(", "(?:", "[", "[a", "(?i:a)", "(?P<", "(?#", "[^\\W]", "a|", "(?=a)", "(a)*", "é", "(?x:#"} {
		for _, end := range []string{"", "]"} {
			_, err := newFinder(strings.Repeat(part, size/len(part))+end, maxTime)
			var bad *PatternError
			if err != nil && !errors.As(err, &bad) {
				t.Errorf("%s: %v", part, err)
			}
		}
	}
	_, err := newMatcher("(?i)["+strings.Repeat("a-\U0010ffff", 3000)+"]", maxTime)
	require.ErrorContains(t, err, "too many characters")
	for _, pattern := range []string{"(?i)[" + strings.Repeat("a-\U0010ffff", 10) + "]", strings.Repeat("(?:a{1000}){1000}", 1000), "((a{1000}){1000}){1000}(?!a)", strings.Repeat("(?>a{1000000000}", 900) + strings.Repeat("){1000000000}", 900)} {
		m, err := newMatcher(pattern, maxTime)
		require.NoError(t, err)
		_, _ = m.matches("aaa")
	}
}

// FuzzMatcher compares the short cuts with what they are short for.
func FuzzMatcher(f *testing.F) {
	for _, pattern := range []string{"usr/(.*)", `.+/file10+\.py$`, "(?i)a+b", "a{2,3}(bc)+d?$", "(ab|cd)e|f", "^(?!a).*(?<!b)$", "(?=a)[^b]", `\b.`, "a$|b$", "((a+b)+c)$", `(a)?(?(1)b|c)`, `(?>a*+)\1`, `(?<=[^\W])(?P<n>a)(?P=n)`, `(?aix: [a-\x7f] {2}+)#`} {
		f.Add(pattern, "usr/lib/file100.py")
		f.Add(pattern, "aabcbce")
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		m, err := newMatcher(pattern, 20*time.Millisecond)
		if err != nil {
			return
		}
		if f, err := newFinder(pattern, 20*time.Millisecond); err == nil {
			_, _, _ = f.replace(value, nil, 1000)
		}
		got, err := m.matches(value)
		want, err2 := m.slow(value)
		if err == nil && err2 == nil && got != want {
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
		f, err := newFinder(c.pattern, maxTime)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newReplacement(c.by, f.expr)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok, err := f.replace(c.value, r, c.limit); err != nil || ok != c.ok || ok && c.value[0] == 'a' && c.pattern != "z" && len(got) > c.limit {
			t.Errorf("%s in %.10q by %.10q up to %d: %v, %d bytes", c.pattern, c.value, c.by, c.limit, ok, len(got))
		}
	}
}
