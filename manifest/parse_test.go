package manifest_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
	"github.com/stretchr/testify/require"
)

func TestPositions(t *testing.T) {
	const text = "dir path=a\n\n\t dir path=b\n# c\ndir \\\n  path=c\r\n\\\n \\\n    dir path=d"
	m, err := manifest.Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for a := range m.All() {
		got = append(got, a.Pos.String())
	}
	if want := []string{"1:1", "3:3", "5:1", "9:5"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestLimits reads manifests at each limit and beyond it, whole and as a stream.
func TestLimits(t *testing.T) {
	line := "dir path=" + strings.Repeat("x", 90) + "\n"
	tests := []struct {
		name   string
		opts   manifest.Options
		within string
		beyond string
	}{
		{"MaxSize", manifest.Options{MaxSize: 200}, line + line, line + line + "#"},
		{"MaxLine", manifest.Options{MaxLine: 100}, line, "#" + line},
		{"MaxLine", manifest.Options{MaxLine: 100}, "\\\n dir path=a\\\n b=c\n", strings.Repeat("\\\n", 50) + "dir path=a\n"},
		{"MaxAttrs", manifest.Options{MaxAttrs: 3}, "dir path=a b=c d=e\n", "dir path=a b=c d=e f=g\n"},
		{"MaxAttrs", manifest.Options{MaxAttrs: 100}, "dir path=a" + strings.Repeat(" a=b", 99), "dir path=a" + strings.Repeat(" a=b", 100)},
	}
	for _, test := range tests {
		for _, read := range []func(*manifest.Options, string) error{parseAll, streamAll} {
			if err := read(&test.opts, test.within); err != nil {
				t.Errorf("%s: within: %v", test.name, err)
			}
			var limit *manifest.LimitError
			if err := read(&test.opts, test.beyond+line); !errors.As(err, &limit) || limit.Limit != test.name {
				t.Errorf("%s: beyond: %v", test.name, err)
			}
			if err := read(nil, test.beyond); err != nil {
				t.Errorf("%s: with the defaults: %v", test.name, err)
			}
		}
	}
}

func parseAll(o *manifest.Options, text string) error {
	_, err := o.Parse("", []byte(text))
	return err
}

// streamAll returns the first fault, and an error of its own if reading goes on
// behind a limit.
func streamAll(o *manifest.Options, text string) (first error) {
	for _, err := range o.Actions("", strings.NewReader(text)) {
		if first != nil {
			return errors.New("more follows " + first.Error())
		}
		first = err
	}
	return first
}

func TestMaxErrors(t *testing.T) {
	text := []byte("dir path=a\n" + strings.Repeat("x\n", 2000) + "dir path=b\n")
	m, err := manifest.Parse("", text)
	var list manifest.ErrorList
	var limit *manifest.LimitError
	if !errors.As(err, &list) || len(list) != 1001 || !errors.As(list[1000], &limit) || limit.Limit != "MaxErrors" || m.Len() != 1 {
		t.Errorf("got %v, %d faults, %d actions", err, len(list), m.Len())
	}
	if _, err := (&manifest.Options{MaxErrors: 2000}).Parse("", text); !errors.As(err, &list) || len(list) != 2000 {
		t.Errorf("with more room: %d faults", len(list))
	}
}

// TestLongLine reads a line that is longer than the parts that a stream is read in.
func TestLongLine(t *testing.T) {
	text := "dir path=a\n\\\n" + strings.Repeat("# \\\n", 40000) + "\ndir path=b " + strings.Repeat(" \\\n", 100000) + "c=d\ndir path=e"
	checkManifest(t, text)
	if m, err := manifest.Parse("", []byte(text)); err != nil || m.Len() != 3 {
		t.Errorf("%d actions, %v", m.Len(), err)
	}
}

// TestEndlessLine reads a line without end. It is given up at the limit.
func TestEndlessLine(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("dir path=a\n"), repeat('x'))
	n, last := 0, error(nil)
	for _, err := range manifest.Actions("f", endless) {
		n, last = n+1, err
	}
	if want := "f:2: manifest exceeds MaxLine of 1048576"; n != 2 || last == nil || last.Error() != want {
		t.Errorf("got %d actions, %v, want %s", n, last, want)
	}
}

// TestEndlessManifest reads comments without end.
func TestEndlessManifest(t *testing.T) {
	o := &manifest.Options{MaxSize: 1 << 20}
	var limit *manifest.LimitError
	for _, err := range o.Actions("f", repeat('\n')) {
		if !errors.As(err, &limit) || limit.Limit != "MaxSize" {
			t.Errorf("got %v", err)
		}
	}
}

// repeat is a reader without end.
type repeat byte

func (c repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

// TestReadError checks that the error of a reader ends the stream behind the lines that
// came whole, even if it looks like the end of the text.
func TestReadError(t *testing.T) {
	for _, fault := range []error{io.ErrUnexpectedEOF, iotest.ErrTimeout} {
		r := io.MultiReader(strings.NewReader("dir path=a\ndir path=b\ndir pa"), iotest.ErrReader(fault))
		var got []error
		for _, err := range manifest.Actions("f", r) {
			got = append(got, err)
		}
		if len(got) != 3 || got[0] != nil || got[1] != nil || !errors.Is(got[2], fault) || got[2].Error() != "f:3: "+fault.Error() {
			t.Errorf("%v: got %v", fault, got)
		}
	}
}

// TestIdleReader reads from a reader that never has anything.
func TestIdleReader(t *testing.T) {
	for _, err := range manifest.Actions("f", idle{}) {
		if !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("got %v", err)
		}
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestActionsStop(t *testing.T) {
	for _, text := range []string{"dir path=a\ndir path=b\n", "x\ny\n"} {
		n := 0
		for range manifest.Actions("", strings.NewReader(text)) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%q: %d steps", text, n)
		}
	}
}

// TestBlocks reads texts that are longer than the parts in which a stream is read, with
// the seams in all sorts of lines, and compares with the whole.
func TestBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	lines := []string{
		"dir path=a\n", "dir \\\r\n path=b\r\n", "dir \\\n\tpath=c \\\n \\\n\n", "# comment \\\r\nset\n", "\r\n", "\\\n", "\\\r\n",
		"bogus \\\r\n a=b\n", "dir\r\n", "set name=a value=b\\\\\r\nc\n", "file path='a\\\n b'\n",
	}
	o := &manifest.Options{MaxErrors: 1 << 20}
	for range 5 {
		var text strings.Builder
		for text.Len() < 300_000 {
			text.WriteString(lines[random.IntN(len(lines))])
			if random.IntN(2000) == 0 {
				text.WriteString("#" + strings.Repeat("x", random.IntN(200_000)) + "\r\n")
			}
		}
		m, err := o.Parse("", []byte(text.String()))
		whole := outline(func(yield func(manifest.Action, error) bool) {
			for a := range m.All() {
				yield(a, nil)
			}
			for _, e := range err.(manifest.ErrorList) {
				yield(manifest.Action{}, e)
			}
		})
		if diff := cmp.Diff(whole, outline(o.Actions("", strings.NewReader(text.String())))); diff != "" {
			t.Fatalf("(-whole +stream)\n%.2000s", diff)
		}
	}
}

// outline lists actions with their places, and behind them the errors.
func outline(seq iter.Seq2[manifest.Action, error]) (lines []string) {
	var faults []string
	for a, err := range seq {
		if err != nil {
			faults = append(faults, err.Error())
		} else {
			lines = append(lines, a.Pos.String()+" "+a.String())
		}
	}
	return append(lines, faults...)
}

// TestSmallReads reads a manifest byte by byte and through errors with data.
func TestSmallReads(t *testing.T) {
	src := published(1, 300)
	for _, r := range []io.Reader{iotest.OneByteReader(bytes.NewReader(src)), iotest.DataErrReader(bytes.NewReader(src))} {
		var m manifest.Manifest
		for a, err := range manifest.Actions("", r) {
			if err := errors.Join(err, m.Add(a)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(m.Text(), src) {
			t.Error("published text is not canonical, or was read wrongly")
		}
	}
}

// TestActionsAreSeparate checks that a change of one action does not reach into the
// attributes of the next, which stand beside them.
func TestActionsAreSeparate(t *testing.T) {
	m, err := manifest.Parse("", []byte("dir path=a\ndir path=b\n"))
	if err != nil {
		t.Fatal(err)
	}
	for a := range m.All() {
		_ = append(a.Attrs, manifest.Attr{Name: "x", Value: "y"})
	}
	if got := string(m.Canonical().Text()); got != "dir path=a\ndir path=b\n" {
		t.Errorf("got %q", got)
	}
}

// TestBlankLines checks that lines without actions do not cost the memory of some.
func TestBlankLines(t *testing.T) {
	src := bytes.Repeat([]byte("\n"), 16<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := manifest.Parse("", src)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err != nil || m.Len() != 0 || used > 4*uint64(len(src)) {
		t.Errorf("%d actions, %v, %d bytes for %d", m.Len(), err, used, len(src))
	}
}

// TestAllocations checks that reading and printing need less than one allocation
// an action.
func TestAllocations(t *testing.T) {
	const lines = 1000
	src := published(7, lines)
	m, err := manifest.Parse("", src)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(){
		"Parse":     func() { _, _ = manifest.Parse("", src) },
		"Canonical": func() { m.Canonical() },
		"Actions": func() {
			for range manifest.Actions("", bytes.NewReader(src)) {
			}
		},
	}
	for name, run := range tests {
		if n := testing.AllocsPerRun(10, run); n > lines/20 {
			t.Errorf("%s: %v allocations for %d actions", name, n, lines)
		}
	}
	a := slices.Collect(m.Kind(manifest.KindFile))[0]
	if n := testing.AllocsPerRun(100, func() { a.Equal(a); a.Compare(a); a.Key(); a.Attrs.Get("pkg.size") }); n > 0 {
		t.Errorf("questions to an action: %v allocations", n)
	}
}

// TestWholeLimits reads manifests at the limits of what all actions have together. The
// manifest has what was read until then.
func TestWholeLimits(t *testing.T) {
	const text = "dir path=a b=c\n# no action\ndir path=d\ndir path=e f=g\n"
	for _, c := range []struct {
		opts   manifest.Options
		want   int // actions
		beyond string
	}{
		{manifest.Options{MaxActions: 3, MaxTotal: 5}, 3, ""},
		{manifest.Options{MaxActions: 2}, 2, "4: manifest exceeds MaxActions of 2"},
		{manifest.Options{MaxTotal: 4}, 2, "4: manifest exceeds MaxTotal of 4"},
		{manifest.Options{MaxTotal: 1}, 0, "1: manifest exceeds MaxTotal of 1"},
	} {
		m, err := c.opts.Parse("", []byte(text))
		require.Equal(t, c.want, m.Len())
		if c.beyond == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.beyond)
		}
	}
}

// TestMemory parses hostile manifests as large as any may be, if IPS_LONG is set, and else
// a sixteenth: what is allocated is some times their size, not many.
func TestMemory(t *testing.T) {
	size, opts := 16<<20, manifest.Options{MaxActions: 1 << 16, MaxTotal: 1 << 19}
	if os.Getenv("IPS_LONG") != "" {
		size, opts = 255<<20, manifest.Options{}
	}
	for _, line := range []string{
		"set name=a value=b\n", "a\n", "depend\n", "set name=a value=b \\\n", "\\\n", "dir path=a " + strings.Repeat("x=y ", 2000) + "\n", "dir path=a" + strings.Repeat(" ", 1000) + "\n",
	} {
		src := bytes.Repeat([]byte(line), size/len(line))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = opts.Parse("m", src) // most are refused
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*size), "%.20q", line)
	}
}
