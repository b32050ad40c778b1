package search_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
)

// TestQueryErrors shows each fault as a person sees it.
func TestQueryErrors(t *testing.T) {
	for _, want := range []string{
		"ssh AND\n       ^ a word is missing",
		"ssh AND OR x\n        ^ a word is missing",
		"\n^ a word is missing",
		"(a b\n    ^ there is no ) before this",
		"<a (b) c\n        ^ there is no > before this",
		"a) b\n ^ this does not fit here",
		"a: b:c\n   ^ a restriction does not restrict another",
		"päth:'a b\n         ^ the phrase does not end before this",
		"'a \"b\n   ^ the phrase does not end before this",
		"''\n ^ a phrase has words only, and at least one",
		"'a:b'\n ^ a phrase has words only, and at least one",
		"<a> OR b c\n    ^ one side finds packages, the other actions",
		"a <b>\n     ^ one side finds actions, the other packages",
		"a.b\n ^ nothing begins with this",
	} {
		query, _, _ := strings.Cut(want, "\n")
		if strings.HasSuffix(want, "nothing begins with this") {
			query = strings.Replace(query, ".", "\t", 1)
		}
		_, err := search.ParseQuery(query)
		var bad *search.QueryError
		if !errors.As(err, &bad) {
			t.Errorf("%q: error %v", query, err)
			continue
		}
		if d := cmp.Diff(want, bad.Caret()); d != "" {
			t.Errorf("%q, %v (-want +got):\n%s", query, err, d)
		}
		if bad.Query != query || !strings.HasPrefix(query[bad.Offset:], bad.Token) || !strings.Contains(err.Error(), bad.Reason) {
			t.Errorf("%#v", bad)
		}
	}
}

func TestQueryLimits(t *testing.T) {
	ok := []string{strings.Repeat("x ", 200), "'" + strings.Repeat("x ", 200) + "'", strings.Repeat("p<", 10000) + "a" + strings.Repeat(">", 10000)}
	tooLong := []string{strings.Repeat("x ", 201), "'" + strings.Repeat("x ", 201) + "'", strings.Repeat("(", 1<<16) + "a", strings.Repeat("a:b ", 201)}
	for _, query := range ok {
		q, err := search.ParseQuery(query)
		if err != nil {
			t.Error(err)
			continue
		}
		if again, err := search.ParseQuery(q.String()); err != nil || again != q {
			t.Errorf("what is allowed is too long when written out: %v", err)
		}
	}
	for _, query := range tooLong {
		var bad *search.QueryError
		if _, err := search.ParseQuery(query); !errors.As(err, &bad) || bad.Fault != search.FaultTooLong || len(err.Error()) > 400 {
			t.Errorf("error %v", err)
		}
	}
}

// TestMixed searches for queries that no text has.
func TestMixed(t *testing.T) {
	a := search.Term{Token: "a"}
	for _, q := range []search.Query{
		search.And{Left: a, Right: search.Packages{Query: a}},
		search.Packages{Query: search.Or{Left: search.Packages{Query: a}, Right: a}},
	} {
		if q.Returns() != search.Mixed || q.Returns().String() != "mixed" {
			t.Errorf("%s finds %s", q, q.Returns())
		}
		var bad *search.QueryError
		for _, err := range search.Walk(t.Context(), q, func(func(search.Package, error) bool) {}, nil) {
			if !errors.As(err, &bad) || bad.Fault != search.FaultMixed {
				t.Errorf("%s: error %v", q, err)
			}
		}
		if bad == nil {
			t.Errorf("%s: no error", q)
		}
	}
}

// TestScopeString has packages that cannot stand at the beginning of a query.
func TestScopeString(t *testing.T) {
	for query, want := range map[string]string{
		`:":::`:          `:"*:::*`,
		`:(a:::x`:        `:(a*:::x`,
		`:pKg<a:b:c:x y`: `(:pKg<a*:b:c:x AND :::y)`,
		`:>:::'x'`:       `:>*:::'x'`,
		`:pa<b:::x`:      `pa<b*:::x`,
	} {
		q := mustParse(t, query)
		if got := q.String(); got != want {
			t.Errorf("%s is %s, want %s", query, got, want)
		}
		if again := mustParse(t, q.String()); again != q {
			t.Errorf("%s reads back as %s", q, again)
		}
	}
}

func TestByPackage(t *testing.T) {
	for query, want := range map[string]string{
		"a":             "p<:::a>",
		"a b OR 'c'":    "((p<:::a> AND p<:::b>) OR p<:::'c'>)",
		"<a b> AND <c>": "(p<(:::a AND :::b)> AND p<:::c>)",
	} {
		if got := search.ByPackage(mustParse(t, query)).String(); got != want {
			t.Errorf("%s by package is %s, want %s", query, got, want)
		}
	}
}

// TestMatching has the rules of searches that the recorded ones do not show.
func TestMatching(t *testing.T) {
	text := "set name=pkg.fmri value=pkg://p/app/hello@1.1,5.11:20200102T030405Z\n" +
		"set name=pkg.summary value=\"Says Hello to\"\n" +
		"dir path=usr mode=0755 owner=root group=bin\n" +
		"file abc path=usr/bin/hello mode=0755 owner=root group=bin\n" +
		"depend type=require fmri=hello@1\n"
	pkgs := packagesOf(t, text)
	for query, want := range map[string]string{
		"hello":                       "pkg.fmri pkg.summary basename require",
		"HELLO":                       "pkg.fmri pkg.summary basename require",
		"set::hello":                  "pkg.fmri pkg.summary",
		"SET::hello":                  "", // the kind is exact
		":Basename:hello":             "", // and so is the key
		"hello::basename:*":           "", // the name is taken from its beginning
		"app/hello::basename:hello":   "basename",
		"APP/*@1.1:::hello":           "pkg.fmri pkg.summary basename require",
		"app/hello@1.1:file::*":       "content hash basename path",
		"app/hello@1.2:::*":           "",
		"?":                           "pkg.fmri pkg.fmri pkg.fmri pkg.fmri pkg.fmri pkg.fmri pkg.summary pkg.summary pkg.summary basename path content hash basename path require require",
		"hello AND abc":               "basename",
		"abc AND hello":               "content hash",
		"hello AND basename:hello":    "basename",
		"abc AND basename:hello":      "", // the key of the hit is another
		"file:: AND set::*":           "",
		"abc AND ('bin/hello' OR x)":  "content hash",
		"abc AND ('bin/hello' AND x)": "",
		"'says hello'":                "pkg.summary",
		"'path=usr/bin/hello'":        "", // not the beginning of a token
		"\"hello mode=0755\"":         "basename",
		"'hell mode'":                 "",
		"hello OR hello":              "pkg.fmri pkg.summary basename require pkg.fmri pkg.summary basename require",
		"Says":                        "pkg.summary",
		"[r-t]ays":                    "pkg.summary",
	} {
		var keys []string
		for hit, err := range search.Walk(t.Context(), mustParse(t, query), pkgs, nil) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, hit.Key)
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s finds %q, want %q", query, got, want)
		}
	}
	for query, want := range map[string]int{"Hello": 1, "hello": 3, "H*": 1, "'Says Hello'": 1, "'says Hello'": 0, "APP/*:::hello": 3} {
		n := 0
		for range search.Walk(t.Context(), mustParse(t, query), pkgs, &search.Options{CaseSensitive: true}) {
			n++
		}
		if n != want {
			t.Errorf("%s finds %d in its case, want %d", query, n, want)
		}
	}
}

// TestPhraseValue shows the phrase where a set action has it elsewhere than in its value.
func TestPhraseValue(t *testing.T) {
	pkgs := packagesOf(t, "set name=a value=\"one two\" two=\"two three\"\nfile abc path=one info=x\n")
	for query, want := range map[string]string{
		"'one two'":       "one two",
		"'two Three'":     "two Three", // not in the value
		"'one two' OR x":  "one two",
		"'two'":           "one two",
		"'one info=x'":    "basename",
		"'One Two'":       "one two",
		"'NAME=A VALUE'":  "",
		"'one two\" inf'": "",
	} {
		q, err := search.ParseQuery(query)
		if err != nil {
			continue
		}
		got := ""
		for hit, err := range search.Walk(t.Context(), q, pkgs, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = hit.Value
		}
		if got != want {
			t.Errorf("%s shows %q, want %q", query, got, want)
		}
	}
}
