package manifesttest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goips/ips/manifest/manifesttest"
)

// recorder is a test whose failures are looked at rather than reported.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// record runs f as a test of its own and returns its failures.
func record(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan bool)
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return strings.Join(r.failures, "\n")
}

const story = `The story.
-- manifest --
dir path=a
-- count --
1
-- empty --
-- last --
no newline`

// write puts a case into a directory of its own.
func write(t *testing.T, text string) (glob string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "story.txtar")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(filepath.Dir(name), "*.txtar")
}

func TestCases(t *testing.T) {
	c := manifesttest.Cases(t, write(t, story))[0]
	if c.Name != "story" || c.Comment != "The story.\n" || len(c.Section) != 4 {
		t.Errorf("got %+v", c)
	}
	c.Want(t, "manifest", string(manifesttest.MustParse(c.Section["manifest"]).Text()))
	c.Want(t, "count", "1")
	c.Want(t, "empty", "")
	c.Want(t, "absent", "")
	c.Want(t, "last", "no newline\n")
}

func TestCasesFail(t *testing.T) {
	none := filepath.Join(t.TempDir(), "*")
	if got := record(t, func(t testing.TB) { manifesttest.Cases(t, none) }); !strings.Contains(got, "no cases match") {
		t.Errorf("no files: %q", got)
	}
	twice := write(t, "-- a --\n-- a --\n")
	if got := record(t, func(t testing.TB) { manifesttest.Cases(t, twice) }); !strings.Contains(got, "second section a") {
		t.Errorf("section twice: %q", got)
	}
}

func TestWantFails(t *testing.T) {
	c := manifesttest.Cases(t, write(t, story))[0]
	got := record(t, func(t testing.TB) { c.Want(t, "count", "2\n") })
	if !strings.Contains(got, "section count differs") {
		t.Errorf("got %q", got)
	}
}

func TestUpdate(t *testing.T) {
	if err := flag.Set("update", "true"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set("update", "false") }() // it was set before
	glob := write(t, story)
	c := manifesttest.Cases(t, glob)[0]
	c.Want(t, "count", "2\n")
	c.Want(t, "new", "3")
	want := strings.Replace(story, "1\n", "2\n", 1) + "\n-- new --\n3\n"
	if got, err := os.ReadFile(strings.Replace(glob, "*", "story", 1)); string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	marker := record(t, func(t testing.TB) { c.Want(t, "count", "-- x --\n") })
	if !strings.Contains(marker, "cannot hold") {
		t.Errorf("a marker in a section: %q", marker)
	}
}

func TestMustParse(t *testing.T) {
	defer func() {
		const want = "manifesttest: 1:13: missing value \"b\"\n\tdir path=a b\n\t            ^\n"
		if got := recover(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}()
	manifesttest.MustParse("dir path=a b\n")
}

func Example() {
	// In a test: for _, c := range manifesttest.Cases(t, "testdata/*.txtar") { … }
	m := manifesttest.MustParse("dir path=usr \\\n    mode=0755\n")
	fmt.Print(string(m.Canonical().Text()))
	// Output: dir mode=0755 path=usr
}
