package manifest_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
)

// TestErrors prints the faults of manifests, then the actions without fault.
func TestErrors(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/errors/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			m, err := manifest.Parse("test.p5m", []byte(c.Section["manifest"]))
			var b strings.Builder
			if err := manifest.PrintError(&b, err); err != nil {
				t.Fatal(err)
			}
			c.Want(t, "want", b.String())
			c.Want(t, "actions", string(m.Canonical().Text()))
		})
	}
}

func TestErrorText(t *testing.T) {
	syntax := &manifest.SyntaxError{Fault: manifest.FaultMissingValue, Name: "b", Input: "dir path=a b", Offset: 12}
	whole := &manifest.SyntaxError{Fault: manifest.FaultSetForm, Input: "set ", Offset: -1}
	at := manifest.Position{Line: 3, Col: 13}
	tests := []struct {
		err  error
		want string
	}{
		{syntax, `missing value "b" at offset 12`},
		{whole, "set action without name or value"},
		{&manifest.SyntaxError{Fault: 99, Offset: -1}, "Fault(99)"},
		{&manifest.Error{File: "f", Pos: at, Err: syntax}, `f:3:13: missing value "b"`},
		{&manifest.Error{Pos: at, Err: syntax}, `3:13: missing value "b"`},
		{&manifest.Error{File: "f", Pos: manifest.Position{Line: 3}, Err: whole}, "f:3: set action without name or value"},
		{&manifest.Error{File: "f", Err: syntax}, `f: missing value "b" at offset 12`},
		{&manifest.Error{Err: fs.ErrNotExist}, "file does not exist"},
		{&manifest.Error{File: "f", Pos: at, Err: fmt.Errorf("in a %w", syntax)}, `f:3:13: in a missing value "b" at offset 12`},
		{manifest.ErrorList{}, "no errors"},
		{manifest.ErrorList{{File: "f", Err: whole}}, "f: set action without name or value"},
		{manifest.ErrorList{{File: "f", Err: whole}, {}, {}}, "f: set action without name or value (and 2 more errors)"},
		{&manifest.LimitError{Limit: "MaxLine", Max: 10}, "manifest exceeds MaxLine of 10"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestErrorUnwrap(t *testing.T) {
	list := manifest.ErrorList{{Err: io.ErrUnexpectedEOF}, {Err: &manifest.LimitError{Limit: "MaxSize"}}}
	var limit *manifest.LimitError
	if !errors.Is(list.Err(), io.ErrUnexpectedEOF) || !errors.As(list.Err(), &limit) || limit.Limit != "MaxSize" {
		t.Errorf("%v does not unwrap", list)
	}
	if err := (manifest.ErrorList{}).Err(); err != nil {
		t.Errorf("empty list is %v", err)
	}
}

// TestFaults checks that each fault has its words.
func TestFaults(t *testing.T) {
	seen := map[string]bool{}
	for f := manifest.FaultUnknownType; f <= manifest.FaultPath; f++ {
		if strings.Contains(f.String(), "(") || seen[f.String()] {
			t.Errorf("fault %d is %q", f, f)
		}
		seen[f.String()] = true
	}
	if text := manifest.Fault(99).String(); text != "Fault(99)" {
		t.Errorf("no fault is %q", text)
	}
}

func TestPosition(t *testing.T) {
	for want, p := range map[string]manifest.Position{"-": {}, "7": {Line: 7}, "7:2": {Line: 7, Col: 2}} {
		if got := p.String(); got != want || p.IsValid() != (want != "-") {
			t.Errorf("%#v: got %q, %v, want %q", p, got, p.IsValid(), want)
		}
	}
}

// TestPrintErrorForeign checks what is printed for errors without a place in a text,
// and that the error of the writer comes back.
func TestPrintErrorForeign(t *testing.T) {
	var b strings.Builder
	err := errors.Join(manifest.PrintError(&b, io.EOF), manifest.PrintError(&b, &manifest.SyntaxError{Fault: manifest.FaultPath, Offset: -1}))
	if want := "EOF\ninvalid path\n"; err != nil || b.String() != want {
		t.Errorf("got %q, %v, want %q", b.String(), err, want)
	}
	_, err = manifest.Parse("", []byte("x\ny\n"))
	if err := manifest.PrintError(failingWriter{}, err); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v, want the error of the writer", err)
	}
}

// TestPrintErrorCuts checks that a long text is cut between characters.
func TestPrintErrorCuts(t *testing.T) {
	text := "dir path=" + strings.Repeat("é日", 30) + " =" + strings.Repeat("日é", 30)
	_, err := manifest.ParseAction(text)
	var b strings.Builder
	if err := manifest.PrintError(&b, err); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(b.String(), '\uFFFD') || !strings.Contains(b.String(), "...日é日") {
		t.Errorf("got %q", b.String())
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, fs.ErrClosed }
