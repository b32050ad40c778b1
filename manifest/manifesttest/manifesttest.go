// Package manifesttest reads golden cases: text files of named sections, one
// story a file.
//
// A case is a txtar file. Before the first section stands a comment that tells the
// story; some sections are input, others what is wanted:
//
//	A continued line is one action.
//	-- manifest --
//	dir path=usr \
//	    mode=0755
//	-- canonical --
//	dir mode=0755 path=usr
//
// A test reads its cases and compares:
//
//	for _, c := range manifesttest.Cases(t, "testdata/*.txtar") {
//		t.Run(c.Name, func(t *testing.T) {
//			m := manifesttest.MustParse(c.Section["manifest"])
//			c.Want(t, "canonical", string(m.Canonical().Text()))
//		})
//	}
//
// With the flag -update, which importing this package gives to a test binary, Want
// rewrites the section instead of comparing it.
package manifesttest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/goips/ips/manifest"
)

var update = flag.Bool("update", false, "rewrite the wanted sections of golden cases")

// A Case is one file: a comment, then sections introduced by "-- name --".
type Case struct {
	Name    string            // of the file, without directory and extension
	Comment string            // what stands before the first section
	Section map[string]string // texts by name, each empty or ending in a newline

	file    string
	archive *txtar.Archive
}

// Cases reads the files that match glob, in the order of their names. It ends the
// test if there are none, or if one has two sections of the same name.
func Cases(t testing.TB, glob string) []*Case {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases match %s: %v", glob, err)
	}
	slices.Sort(files)
	cases := make([]*Case, len(files))
	for i, file := range files {
		cases[i] = read(t, file)
	}
	return cases
}

func read(t testing.TB, file string) *Case {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	c := &Case{
		Name:    strings.TrimSuffix(name, filepath.Ext(name)),
		Comment: string(archive.Comment),
		Section: make(map[string]string),
		file:    file,
		archive: archive,
	}
	for _, f := range archive.Files {
		if _, ok := c.Section[f.Name]; ok {
			t.Fatalf("%s: second section %s", file, f.Name)
		}
		c.Section[f.Name] = string(f.Data)
	}
	return c
}

// Want fails the test if got is not the text of the section. A final newline that
// got lacks is added. An absent section is an empty one.
func (c *Case) Want(t testing.TB, section, got string) {
	t.Helper()
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	want := c.Section[section]
	switch {
	case got == want:
	case *update:
		c.rewrite(t, section, got)
	default:
		t.Errorf("%s: section %s differs (-want +got)\n%s", c.file, section, cmp.Diff(want, got))
	}
}

// rewrite puts a text into a section of the file, at the end if it is new.
func (c *Case) rewrite(t testing.TB, section, text string) {
	t.Helper()
	if txtar.NeedsQuote([]byte(text)) {
		t.Fatalf("%s: section %s cannot hold %q", c.file, section, text)
	}
	i := slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == section })
	if i < 0 {
		i = len(c.archive.Files)
		c.archive.Files = append(c.archive.Files, txtar.File{Name: section})
	}
	c.archive.Files[i].Data = []byte(text)
	c.Section[section] = text
	if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o666); err != nil {
		t.Fatal(err)
	}
}

// MustParse is like [manifest.Parse] but panics on error. It is for
// manifests known when the test is written.
func MustParse(text string) *manifest.Manifest {
	m, err := manifest.Parse("", []byte(text))
	if err != nil {
		var b strings.Builder
		_ = manifest.PrintError(&b, err) // a Builder does not fail
		panic("manifesttest: " + b.String())
	}
	return m
}
