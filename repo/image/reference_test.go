package image

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/solver"
)

// unpack extracts an image that the reference has made, without its owners.
func unpack(t *testing.T, file string) string {
	t.Helper()
	src, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	z, err := gzip.NewReader(src)
	if err != nil {
		t.Fatal(err)
	}
	root := tempDir(t)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(root, "image")
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := extract(filepath.Join(root, filepath.FromSlash(h.Name)), h, r); err != nil {
			t.Fatal(err)
		}
	}
}

func extract(name string, h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		return os.Mkdir(name, 0o755)
	case tar.TypeSymlink:
		return os.Symlink(h.Linkname, name)
	}
	text, err := io.ReadAll(content)
	return errors.Join(err, os.WriteFile(name, text, 0o600), os.Chmod(name, h.FileInfo().Mode().Perm()))
}

// A run is what a command of the reference printed about the image.
type run struct {
	Exit   int
	Stdout string
}

func openReference(t *testing.T) (*Image, map[string]run) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors/image.expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]run
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	i, err := Open(t.Context(), unpack(t, "testdata/vectors/image.tar.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i, want
}

// TestReferenceLists compares what is installed and what is known.
func TestReferenceLists(t *testing.T) {
	i, want := openReference(t)
	var all, installed strings.Builder
	for pub := range i.Known().Publishers() {
		for stem := range i.Known().Stems(pub) {
			for p := range i.Known().Versions(pub, stem) {
				fmt.Fprintf(&all, "%s %s %s\n", p.Name(), p.Version().Short(), shortFlags(StatusOf(p)))
			}
		}
	}
	for p := range i.Installed().All() {
		fmt.Fprintln(&installed, p.FMRI())
	}
	if diff := cmp.Diff(listing(want["list-a"].Stdout), all.String()); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	full := regexp.MustCompile(`(?m)^(pkg://\S+@[\d.]+)(-\S+) .*$`).ReplaceAllString(want["list"].Stdout, "$1,5.11$2")
	_, full, _ = strings.Cut(full, "\n")
	if diff := cmp.Diff(full, installed.String()); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
}

// shortFlags prints the column IFO.
func shortFlags(s Status) string {
	last := flag(s.Obsolete, "o")
	if s.Renamed {
		last = "r"
	}
	return flag(s.Installed, "i") + flag(s.Frozen, "f") + last
}

func flag(set bool, letter string) string {
	if set {
		return letter
	}
	return "-"
}

// listing takes the words of a table without its head. That a package was asked for by
// name, the flag m, is not a thing of all implementations.
func listing(table string) string {
	_, table, _ = strings.Cut(table, "\n")
	var out strings.Builder
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		words[2] = strings.Replace(words[2], "m", "-", 1)
		fmt.Fprintln(&out, strings.Join(words, " "))
	}
	return out.String()
}

// TestReferenceConfig compares the settings.
func TestReferenceConfig(t *testing.T) {
	i, want := openReference(t)
	c := i.Config()
	if c.Type != Full || len(c.Publishers) != 1 {
		t.Fatalf("config: %+v", c)
	}
	for line := range strings.Lines(want["property"].Stdout) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if got, ok := c.Properties[name]; ok && got != strings.TrimSpace(value) {
			t.Errorf("property %s is %q, want %q", name, got, strings.TrimSpace(value))
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(want["variant"].Stdout), "\n")[1:] {
		name, value, _ := strings.Cut(line, "\t")
		if c.Varcets.Variants[name] != value {
			t.Errorf("%s is %q, want %q", name, c.Varcets.Variants[name], value)
		}
	}
	if got, ok := c.Varcets.Facets["facet.doc.man"]; !ok || got {
		t.Errorf("facets: %v", c.Varcets.Facets)
	}
	s := i.state.Load()
	if !slices.Equal(s.avoid.Avoided, []string{"system/maple"}) || len(s.frozen) != 1 || s.frozen[0].Package.Name() != "system/laurel" {
		t.Errorf("avoided %v, frozen %v", s.avoid, s.frozen)
	}
}

// TestReferenceVerify finds what was broken on purpose in the image.
func TestReferenceVerify(t *testing.T) {
	i, want := openReference(t)
	var got []string
	for f, err := range i.Verify(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Problem != WrongOwner && f.Problem != WrongGroup { // these were not unpacked
			key, _ := f.Action.Key()
			got = append(got, fmt.Sprintf("%s: %s: ERROR: %s", f.Package.Name(), key, f.Message()))
		}
	}
	var verify struct {
		Messages map[string]map[string]json.RawMessage `json:"item-messages"`
	}
	if err := json.Unmarshal([]byte(want["verify-broken"].Stdout), &verify); err != nil {
		t.Fatal(err)
	}
	var broken []string
	for pkg, items := range verify.Messages {
		for item, list := range items {
			var texts []struct {
				Text string `json:"msg_text"`
			}
			if item == "messages" {
				continue
			}
			if err := json.Unmarshal(list, &texts); err != nil {
				t.Fatal(err)
			}
			name := strings.Split(strings.TrimPrefix(pkg, "pkg://one.public.example/"), "@")[0]
			for _, m := range texts {
				broken = append(broken, name+": "+strings.TrimPrefix(item, "file: ")+": "+m.Text)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(broken)
	for n, text := range broken {
		broken[n] = strings.NewReplacer("Hash:", "hash:", "missing: regular file does not exist", "missing").Replace(text)
	}
	if diff := cmp.Diff(broken, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReferenceHistory reads the records of the reference.
func TestReferenceHistory(t *testing.T) {
	i, want := openReference(t)
	var lines []string
	for r, err := range i.History() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Join([]string{r.Name, r.Client, r.Outcome}, " "))
		if r.Start.Before(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("record of %v", r.Start)
		}
	}
	var records []string
	for line := range strings.Lines(want["history"].Stdout) {
		records = append(records, strings.Join(strings.Fields(line), " "))
	}
	// The table was printed before the last, failed attempt at an update.
	if diff := cmp.Diff(records, lines[:len(records)]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReferenceIsOnlyRead checks that an image whose catalogs are in a database is not
// changed, and that the caller is told why.
func TestReferenceIsOnlyRead(t *testing.T) {
	i, _ := openReference(t)
	before := contents(t, i.Root(), "")
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "system/basil")})
	require.NoError(t, err, "a plan changes nothing")
	if err := i.Execute(t.Context(), p.Plan); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("execute: %v", err)
	}
	if err := i.Refresh(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("refresh: %v", err)
	}
	if diff := cmp.Diff(before, contents(t, i.Root(), "")); diff != "" {
		t.Errorf("image has changed:\n%s", diff)
	}
}

// TestUnfinishedDatabase refuses a database that was being written, which only its own
// program can restore.
func TestUnfinishedDatabase(t *testing.T) {
	for _, suffix := range []string{"-wal", "-journal"} {
		root := unpack(t, "testdata/vectors/image.tar.gz")
		at := filepath.Join(root, "var/pkg/state", databaseFile+suffix)
		require.NoError(t, os.WriteFile(at, nil, 0o644))
		i, err := Open(t.Context(), root, nil)
		require.NoError(t, err, "an empty file is nothing")
		require.NoError(t, i.Close())
		require.NoError(t, os.WriteFile(at, []byte("rest"), 0o644))
		_, err = Open(t.Context(), root, nil)
		var bad *FormatError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, FormatError{File: "state/catalog.db", Msg: "is being written"}, *bad)
	}
}

// TestDamagedDatabase changes the database byte by byte: it is read or refused.
func TestDamagedDatabase(t *testing.T) {
	root := unpack(t, "testdata/vectors/image.tar.gz")
	src, err := os.ReadFile(filepath.Join(root, "var/pkg/state", databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(src); n += 37 {
		bad := slices.Clone(src)
		bad[n] ^= 0xff
		checkDatabase(t, bad)
		checkDatabase(t, src[:n])
	}
}

func checkDatabase(t *testing.T, src []byte) {
	t.Helper()
	d, err := openDatabase(src)
	if err != nil {
		return
	}
	rows := 0
	for _, err := range d.table("packages") {
		if err != nil && !errors.Is(err, errDatabase) {
			t.Fatal(err)
		}
		if rows++; rows > len(src) {
			t.Fatal("more rows than bytes")
		}
	}
}

func FuzzDatabase(f *testing.F) {
	f.Add([]byte("SQLite format 3\x00"))
	if src, err := os.ReadFile("testdata/small.db"); err == nil {
		f.Add(src)
	} else if !errors.Is(err, fs.ErrNotExist) {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) { checkDatabase(t, src) })
}
