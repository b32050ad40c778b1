package ini_test

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/repo/internal/ini"
)

// created is what the reference writes when it makes a repository.
const created = `[publisher]
prefix = 

[repository]
version = 4
trust-anchor-directory = /etc/ssl/pkg/
signature-required-names = []
check-certificate-revocation = False

[CONFIGURATION]
version = 4

`

func TestRoundTrip(t *testing.T) {
	f, err := ini.Parse("pkg5.repository", []byte(created))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, string(f.Text())); diff != "" {
		t.Error(diff)
	}
}

func TestEdit(t *testing.T) {
	f, err := ini.Parse("x", []byte("#comment\n; another\n\n[a]\n# a third\nx: 1\n  more\n\n[CONFIGURATION]\nversion=4\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.Set("a", "x", "2")
	f.Set("foo", "bar", "1\n2")
	want := "# comment\n\n[a]\nx = 2\n\n[foo]\nbar = 1\n\t2\n\n[CONFIGURATION]\nversion = 4\n\n"
	if diff := cmp.Diff(want, string(f.Text())); diff != "" {
		t.Error(diff)
	}
	if v, ok := f.Get("foo", "bar"); v != "1\n2" || !ok {
		t.Errorf("Get = %q, %v", v, ok)
	}
	if _, ok := f.Get("foo", "baz"); ok {
		t.Error("Get of nothing is ok")
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x = 1\n":           "f:1: property outside of a section",
		"[a]\n\n[b\n":       "f:3: section without ]",
		"[a]\njust words\n": "f:2: neither section, property nor comment",
		"[a]\nx = \xff\n":   "f: not UTF-8",
	} {
		_, err := ini.Parse("f", []byte(text))
		if err == nil || err.Error() != want || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
}

func TestLists(t *testing.T) {
	for _, items := range [][]string{{}, {"a"}, {"a", "b c"}, {"it's", `say "x"`, `both ' and "`, "back\\slash\n"}} {
		text := ini.FormatList(items)
		got, err := ini.ParseList(text)
		if err != nil || !cmp.Equal(got, items) {
			t.Errorf("%s reads as %q, %v", text, got, err)
		}
	}
	if got := ini.FormatList([]string{"a", "it's"}); got != `['a', "it's"]` {
		t.Error(got)
	}
	for _, bad := range []string{"", "a", "[", "['a'", "['a' 'b']", "[a]", "['a'] x", "[,]"} {
		if got, err := ini.ParseList(bad); err == nil {
			t.Errorf("ParseList(%q) = %q", bad, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(created)
	f.Add("[a]\nx: 1\n  more\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ini.Parse("x", []byte(text))
		if err != nil {
			return
		}
		once := file.Text()
		again, err := ini.Parse("x", once)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, once, err)
		}
		if diff := cmp.Diff(string(once), string(again.Text())); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}

// TestParseMany reads files of many lines with memory that grows as they do.
func TestParseMany(t *testing.T) {
	for name, text := range map[string]string{
		"one value":       "[a]\nx = 1\n" + strings.Repeat(" more\n", 100_000),
		"one property":    "[a]\n" + strings.Repeat("x = 1\n", 100_000),
		"many properties": "[a]\n" + many("p%d = 1\n"),
		"many sections":   many("[s%d]\n"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ini.Parse("many", []byte(text))
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
			t.Errorf("%s: %d bytes for %d", name, used, len(text))
		}
	}
}

func many(format string) string {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
