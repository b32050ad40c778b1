package transform

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitAsShell compares split with recorded results of Python's shlex.split.
func TestSplitAsShell(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "words.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := 0
	for lines := bufio.NewScanner(f); lines.Scan(); records++ {
		var c struct {
			Text  string
			Words []string // nil if the text is wrong
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got, err := split(c.Text)
		var syn *SyntaxError
		switch {
		case c.Words == nil:
			if !errors.As(err, &syn) {
				t.Errorf("%q: %q, error %v", c.Text, got, err)
			}
		case err != nil || strings.Join(got, "\x00") != strings.Join(c.Words, "\x00") || len(got) != len(c.Words):
			t.Errorf("%q: %q, %v, want %q", c.Text, got, err, c.Words)
		}
	}
	t.Logf("%d records", records)
}

// FuzzSplit splits a text, and its words put in quotes again: both have the same words.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"", " a b ", `'a b' "c\"d" e\ f`, `''`, `"`, `\`, `a"b"'c'`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := split(text)
		if err != nil {
			return
		}
		var again []string
		for _, w := range words {
			again = append(again, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		got, err := split(strings.Join(again, " \t"))
		if diff := cmp.Diff(words, got); diff != "" || err != nil {
			t.Errorf("%q in quotes: %v\n%s", text, err, diff)
		}
		for i, w := range words {
			again[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
		}
		got, err = split(strings.Join(again, "\n"))
		if diff := cmp.Diff(words, got); diff != "" || err != nil {
			t.Errorf("%q in double quotes: %v\n%s", text, err, diff)
		}
	})
}

func TestCut(t *testing.T) {
	for text, want := range map[string][2]string{
		"":              {"", ""},
		"  ":            {"", ""},
		"drop":          {"drop", ""},
		" set a  b ":    {"set", "a  b "},
		"\temit\u00a0x": {"emit", "x"},
		"emit   ":       {"emit", ""},
	} {
		if word, rest := cut(text); word != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q", text, word, rest)
		}
	}
}
