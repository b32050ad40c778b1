package search_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// TestErrors has the text of each kind of error, and what it matches.
func TestErrors(t *testing.T) {
	for want, err := range map[string]error{
		"main_dict.ascii.v2:7: odd":                                            &search.FormatError{File: "main_dict.ascii.v2", Line: 7, Err: errors.New("odd")},
		"manf_list.v1: EOF":                                                    &search.FormatError{File: "manf_list.v1", Err: io.EOF},
		"inconsistent index: no full_fmri_list":                                &search.InconsistentError{File: "full_fmri_list", Want: 2},
		"inconsistent index: full_fmri_list has version 3, others 2":           &search.InconsistentError{File: "full_fmri_list", Version: 3, Want: 2},
		"line of more than 10 bytes":                                           &search.LimitError{What: "line", Limit: 10},
		`invalid query "a AND": a word is missing at offset 5`:                 queryError(t, "a AND"),
		`invalid query "\"b": the phrase does not end before this at offset 2`: queryError(t, `"b`),
	} {
		if err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
	}
	if err := error(&search.FormatError{Err: io.EOF}); !errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
		t.Error("a FormatError matches other than its cause")
	}
	if err := error(&search.InconsistentError{Version: 3, Want: 2}); !errors.Is(err, fs.ErrNotExist) {
		t.Error("an inconsistent index is not as good as none")
	}
	for f, want := range map[search.QueryFault]string{
		search.FaultLexical: "lexical", search.FaultParse: "parse", search.FaultMixed: "mixed-types",
		search.FaultTooLong: "too-long", 0: "QueryFault(0)",
	} {
		if f.String() != want {
			t.Errorf("fault is %q, want %q", f, want)
		}
	}
}

func queryError(t *testing.T, query string) error {
	t.Helper()
	_, err := search.ParseQuery(query)
	if err == nil {
		t.Fatalf("%s can be parsed", query)
	}
	return err
}

// A streamFS has files that can only be read from the beginning.
type streamFS struct{ fstest.MapFS }

func (s streamFS) Open(name string) (fs.File, error) {
	f, err := s.MapFS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.File }{f}, nil
}

// TestStreams reads an index from files that are no io.ReaderAt, and with lines longer than
// any buffer.
func TestStreams(t *testing.T) {
	long := strings.Repeat("lo ng", 30) + strings.Repeat("-", 70_000) + " ng."
	text := "set name=x value=\"" + long + "\"\nset name=y value=" + strings.ReplaceAll(long, " ", "-") + "\nuser username=joe group=a\n"
	p := &publisher{texts: map[fmri.FMRI][]byte{fmri.MustParse("a@1"): []byte(text)}}
	files := build(t, new(search.Builder), p, p.sorted()).files
	x := openIndex(t, streamFS{files})
	for query, want := range map[string]int{"joe": 1, "lo-ng*": 1, "ng.": 1, "nglo": 29, "user::": 1, "'ng.'": 1} {
		n := 0
		for hit, err := range x.Search(t.Context(), mustParse(t, query), p.manifests, nil) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; hit.Key == "x" && hit.Value != long {
				t.Errorf("%s: value of %d bytes, want %d", query, len(hit.Value), len(long))
			}
		}
		if n != want {
			t.Errorf("%s is found %d times, want %d", query, n, want)
		}
	}
	again := build(t, &search.Builder{Base: x}, p, nil).files
	for _, name := range []string{"main_dict.ascii.v2", "token_byte_offset.v1"} {
		_, got, _ := strings.Cut(string(again[name].Data), "\n")
		_, want, _ := strings.Cut(string(files[name].Data), "\n")
		if got != want {
			t.Errorf("%s is another when nothing is added", name)
		}
	}
}

// TestManyWords has a line whose index would be a hundred times as large as all others.
func TestManyWords(t *testing.T) {
	text := "set name=x value=\"" + strings.Repeat("word ", 8_000) + "\"\nset name=y value=word\n"
	p := &publisher{texts: map[fmri.FMRI][]byte{fmri.MustParse("a@1"): []byte(text)}}
	var skipped error
	x := openIndex(t, build(t, &search.Builder{Skipped: func(_ fmri.FMRI, err error) { skipped = err }}, p, p.sorted()).files)
	var limit *search.LimitError
	if !errors.As(skipped, &limit) {
		t.Errorf("error %v", skipped)
	}
	for _, query := range []string{"word", "word AND word", "*"} {
		want := hits(t, search.Walk(t.Context(), mustParse(t, query), p.packages(), nil))
		if got := hits(t, x.Search(t.Context(), mustParse(t, query), p.manifests, nil)); len(got) != 1 || len(want) != 1 {
			t.Errorf("%s: %d and %d found", query, len(got), len(want))
		}
	}
}

// TestLenientEscapes reads what others may have written: lower-case digits, and percent
// signs that stand for themselves.
func TestLenientEscapes(t *testing.T) {
	dict := "a%c3%b6 set!x@100%#0,0@%4#0,0@%zz#0,0@a%20b#0,0\n"
	files := emptyIndex(map[string]string{
		"main_dict.ascii.v2": dict, "token_byte_offset.v1": "0aö 11\n", "manf_list.v1": "a@1,5.11\n", "full_fmri_list": "pkg:/a@1,5.11\n",
	})
	x := openIndex(t, files)
	var values []string
	manifests := func(context.Context, fmri.FMRI) ([]byte, error) { return []byte("set name=x value=y\n"), nil }
	for hit, err := range x.Search(t.Context(), mustParse(t, "AÖ"), manifests, nil) {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, hit.Value)
	}
	if d := cmp.Diff([]string{"100%", "%4", "%zz", "a b"}, values); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}

// TestEscape has all bytes that stand for themselves.
func TestEscape(t *testing.T) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/"
	for c := range 256 {
		s := string([]byte{byte(c)})
		if got, want := search.Escape(s), slowEscape(s); got != want || strings.Contains(plain, s) != (got == s) {
			t.Errorf("Escape(%q) = %q, want %q", s, got, want)
		}
	}
}

// TestDamagedRuns reads runs that are not as they were written.
func TestDamagedRuns(t *testing.T) {
	p := publishers(t, "repo-two.tar.gz")[0]
	for name, damage := range map[string]func([]byte) []byte{
		"cut off in the middle": func(b []byte) []byte { return b[:len(b)/2+1] },
		"cut off at the start":  func(b []byte) []byte { return b[:1] },
		"huge group":            func(b []byte) []byte { return append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, b...) },
		"huge count":            func([]byte) []byte { return []byte{3, 'a', 0, 'b', 0xff, 0xff, 0xff, 0xff, 0x7f} },
		"number too long":       func([]byte) []byte { return []byte(strings.Repeat("\xff", 20)) },
	} {
		scratch := newMemory()
		b := &search.Builder{Scratch: scratch, Memory: 2000}
		for _, f := range p.sorted() {
			if err := b.Add(f, p.texts[f]); err != nil {
				t.Fatal(err)
			}
		}
		run := scratch.files["sort.0"]
		run.Data = damage(run.Data)
		m := newMemory()
		if err := b.Write(m); err == nil {
			t.Errorf("%s: no error", name)
		}
		if m.files["main_dict.ascii.v2"] != nil || m.open != 0 {
			t.Errorf("%s: there is a dictionary, or %d files are open", name, m.open)
		}
	}
}
