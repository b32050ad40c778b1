package search

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// slowGlob is compile by way of a regular expression.
func slowGlob(text string, fold bool) *regexp.Regexp {
	var b strings.Builder
	if fold {
		b.WriteString("(?i)")
	}
	b.WriteString(`(?s)\A`)
	for rest := text; rest != ""; {
		r := []rune(rest)[0]
		set := regexp.MustCompile(`(?s)\A\[!?.[^\]]*\]`).FindString(rest)
		switch {
		case set != "":
			b.WriteString(slowSet(set[1 : len(set)-1]))
			rest = rest[len(set):]
			continue
		case r == '*':
			b.WriteString(".*")
		case r == '?':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		rest = rest[len(string(r)):]
	}
	return regexp.MustCompile(b.String() + `\z`)
}

// slowSet returns the expression for what is in the brackets of a set.
func slowSet(set string) string {
	not := ""
	if rest, ok := strings.CutPrefix(set, "!"); ok {
		not, set = "^", rest
	}
	var b strings.Builder
	for r := []rune(set); len(r) > 0; {
		if len(r) >= 3 && r[1] == '-' {
			if r[0] <= r[2] {
				b.WriteString(regexp.QuoteMeta(string(r[0])) + "-" + regexp.QuoteMeta(string(r[2])))
			}
			r = r[3:]
			continue
		}
		b.WriteString(`\x{` + strconv.FormatInt(int64(r[0]), 16) + `}`)
		r = r[1:]
	}
	if b.Len() == 0 {
		return map[string]string{"": `[^\x{0}-\x{10ffff}]`, "^": "."}[not]
	}
	return "[" + not + b.String() + "]"
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		exact, folded bool
	}{
		{"", "", true, true},
		{"", "a", false, false},
		{"*", "", true, true},
		{"a*b*c", "aXbYbZc", true, true},
		{"a*b*c", "aXbYbZ", false, false},
		{"lib?so", "lib.so", true, true},
		{"lib?so", "libso", false, false},
		{"ls", "LS", false, true},
		{"GRÖE", "gröe", false, true},
		{"k", "\u212a", false, true}, // the Kelvin sign
		{"file[01].txt", "file1.txt", true, true},
		{"file[!01].txt", "file1.txt", false, false},
		{"[a-c]x", "Bx", false, true},
		{"[!a-c]x", "Bx", true, false},
		{"[]]", "]", true, true},
		{"[!]]", "]", false, false},
		{"[a", "[a", true, true},
		{"a[", "a[", true, true},
		{"[z-a]", "m", false, false},
		{"[a-]", "-", true, true},
		{"数?", "数x", true, true},
		{"*.so.*", "libc.so.1", true, true},
	} {
		for fold, want := range map[bool]bool{false: c.exact, true: c.folded} {
			if got := compile(c.pattern, fold).match(c.text); got != want {
				t.Errorf("%q matches %q: %v, want %v (case matters: %v)", c.pattern, c.text, got, want, !fold)
			}
		}
	}
}

// FuzzGlob compares patterns with regular expressions.
func FuzzGlob(f *testing.F) {
	f.Add("a*[b-d]?", "abcd", true)
	f.Add("[!]-x]*", "]-", false)
	f.Add("*a*a*a*b", strings.Repeat("a", 100), false)
	f.Add("\u017fK", "sk", true)
	f.Fuzz(func(t *testing.T, pattern, text string, fold bool) {
		pattern, text = strings.ToValidUTF8(pattern, ""), strings.ToValidUTF8(text, "")
		if len(pattern) > 100 || len(text) > 1000 {
			return
		}
		if got, want := compile(pattern, fold).match(text), slowGlob(pattern, fold).MatchString(text); got != want {
			t.Errorf("%q matches %q: %v, want %v (fold %v)", pattern, text, got, want, fold)
		}
	})
}

func TestCompareDecimal(t *testing.T) {
	numbers := []uint32{0, 1, 2, 9, 10, 11, 19, 20, 99, 100, 101, 199, 1000, 1999999999, 4294967295, 429496729, 42949673}
	for _, a := range numbers {
		for _, b := range numbers {
			want := strings.Compare(strconv.FormatUint(uint64(a), 10), strconv.FormatUint(uint64(b), 10))
			if got := compareDecimal(a, b); got != want {
				t.Errorf("compareDecimal(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// TestMatchAllocs keeps the scan of a list of tokens free of garbage.
func TestMatchAllocs(t *testing.T) {
	p := compile("*lib[a-z]?*.so*", true)
	if n := testing.AllocsPerRun(100, func() { p.match("/usr/lib/amd64/libssl.so.1.1") }); n > 0 {
		t.Errorf("a match allocates %v times", n)
	}
}
