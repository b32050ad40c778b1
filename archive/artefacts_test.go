package archive_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// artefacts are archives that the reference made, and what it says of them.
var artefacts = []string{"one", "many", "two-publishers"}

// An expectation is what the reference says of an archive.
type expectation struct {
	List []struct {
		FMRI fmri.FMRI `json:"pkg.fmri"`
	}
	Members []string // names with a final slash for directories
	Size    int64
}

// openArtefact opens an archive of testdata.
func openArtefact(t testing.TB, name string) (*archive.ReadCloser, expectation) {
	t.Helper()
	file := filepath.Join("testdata", name+".p5p")
	src, err := os.ReadFile(file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var want expectation
	if err := json.Unmarshal(src, &want); err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, want
}

// packages returns all packages of an archive in its order.
func packages(t testing.TB, a *archive.Reader) []fmri.FMRI {
	t.Helper()
	type place struct {
		f  fmri.FMRI
		at int
	}
	publishers, err := a.Publishers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	order := map[string]int{}
	for m := range a.Members() {
		order[m.Name] = len(order)
	}
	var places []place
	for _, p := range publishers {
		for f, err := range a.Packages(p) {
			if err != nil {
				t.Fatal(err)
			}
			dir, err := f.DirPath()
			if err != nil {
				t.Fatal(err)
			}
			places = append(places, place{f, order["publisher/"+p+"/pkg/"+dir]})
		}
	}
	slices.SortFunc(places, func(a, b place) int { return a.at - b.at })
	var list []fmri.FMRI
	for _, p := range places {
		list = append(list, p.f)
	}
	return list
}

// TestArtefacts reads archives of the reference: their members, their packages, and all
// manifests and payloads.
func TestArtefacts(t *testing.T) {
	for _, name := range artefacts {
		t.Run(name, func(t *testing.T) {
			a, want := openArtefact(t, name)
			if !a.Indexed() {
				t.Error("no index")
			}
			members := []string{"pkg5.index.0.gz"}
			for m := range a.Members() {
				if m.Dir {
					m.Name += "/"
				}
				members = append(members, m.Name)
			}
			if diff := cmp.Diff(want.Members, members); diff != "" {
				t.Errorf("members (-want +got)\n%s", diff)
			}
			got := packages(t, &a.Reader)
			var listed []fmri.FMRI
			for _, p := range want.List {
				listed = append(listed, p.FMRI)
			}
			slices.SortFunc(listed, fmri.FMRI.Compare)
			sorted := slices.SortedFunc(slices.Values(got), fmri.FMRI.Compare)
			if !slices.Equal(listed, sorted) {
				t.Errorf("packages: %v\nwant %v", sorted, listed)
			}
			for _, f := range got {
				checkPackage(t, &a.Reader, f)
			}
		})
	}
}

// checkPackage verifies the payloads of a package.
func checkPackage(t testing.TB, a *archive.Reader, f fmri.FMRI) {
	t.Helper()
	m, err := a.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range allPayloads(t, m) {
		checkPayload(t, a, f, p)
	}
}

// allPayloads returns the payloads of a manifest.
func allPayloads(t testing.TB, m *manifest.Manifest) (all []manifest.Payload) {
	t.Helper()
	for action := range m.All() {
		payloads, err := action.Payloads()
		if err != nil {
			t.Error(err)
		}
		all = append(all, payloads...)
	}
	return all
}

func checkPayload(t testing.TB, a *archive.Reader, f fmri.FMRI, p manifest.Payload) {
	t.Helper()
	for _, publisher := range []string{f.Publisher(), ""} {
		r, err := a.Payload(t.Context(), publisher, p.Name())
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := io.Copy(io.Discard, p.Verify(r)); err != nil {
			t.Errorf("%v: %v", f, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestArtefactsWithoutIndex reads the same archives without looking at the index, and
// finds the same.
func TestArtefactsWithoutIndex(t *testing.T) {
	for _, name := range artefacts {
		t.Run(name, func(t *testing.T) {
			a, _ := openArtefact(t, name)
			src, err := os.ReadFile(filepath.Join("testdata", name+".p5p"))
			if err != nil {
				t.Fatal(err)
			}
			var first archive.Member
			for m := range a.Members() {
				first = m
				break
			}
			plain := newReader(t, src[first.Offset:])
			if plain.Indexed() {
				t.Error("it has an index")
			}
			members := slices.Collect(plain.Members())
			for i := range members {
				members[i].Offset += first.Offset
			}
			if diff := cmp.Diff(slices.Collect(a.Members()), members); diff != "" {
				t.Errorf("(-index +scan)\n%s", diff)
			}
			for _, f := range packages(t, plain) {
				checkPackage(t, plain, f)
			}
		})
	}
}

func newReader(t testing.TB, src []byte) *archive.Reader {
	t.Helper()
	a, err := archive.NewReader(t.Context(), bytes.NewReader(src), int64(len(src)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// rewrite writes the packages of an archive to another one.
func rewrite(t testing.TB, a *archive.Reader, opts *archive.WriterOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w := archive.NewWriter(&out, opts)
	for _, f := range packages(t, a) {
		m, err := a.Manifest(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		open := func(p manifest.Payload) (io.ReadCloser, error) {
			return a.Payload(t.Context(), f.Publisher(), p.Name())
		}
		if err := w.Add(f, m, open); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRewriteArtefacts writes the archives of the reference again: the members and their
// order, names, sizes and bytes are the same. What differs is that these have fractions of
// seconds in their times, which take a pax header of 1024 bytes for each member, and
// bytes' quotes around types.
func TestRewriteArtefacts(t *testing.T) {
	for _, name := range artefacts {
		t.Run(name, func(t *testing.T) {
			old, _ := openArtefact(t, name)
			out := rewrite(t, &old.Reader, nil)
			a := newReader(t, out)
			var want, got []archive.Member
			for m := range old.Members() {
				m.Entry -= 1024
				m.Offset = 0
				want = append(want, m)
			}
			for m := range a.Members() {
				m.Offset = 0
				got = append(got, m)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("members (-want +got)\n%s", diff)
			}
			for m := range a.Members() {
				if m.Dir {
					continue
				}
				if was, is := old.ReadMember(t, m.Name), a.ReadMember(t, m.Name); !bytes.Equal(was, is) {
					t.Errorf("%s is %q; want %q", m.Name, is, was)
				}
			}
			if again := rewrite(t, a, nil); !bytes.Equal(out, again) {
				t.Error("the same packages make another archive")
			}
		})
	}
}

// TestIndexBytes compares the index with that of the reference, text for text.
func TestIndexBytes(t *testing.T) {
	for _, name := range artefacts {
		old, _ := openArtefact(t, name)
		a := newReader(t, rewrite(t, &old.Reader, nil))
		was, is := old.IndexText(t), a.IndexText(t)
		was = strings.NewReplacer("\x00b'0'\x00\n", "\x000\x00\n", "\x00b'5'\x00\n", "\x005\x00\n").Replace(was)
		if was := withoutPax(t, was); was != is {
			t.Errorf("%s: index\n%q\nwant\n%q", name, is, was)
		}
	}
}

// withoutPax returns an index of an archive with a pax header of 1024 bytes for each
// member as it is without these.
func withoutPax(t *testing.T, index string) string {
	t.Helper()
	var b strings.Builder
	n := 0
	for record := range strings.SplitAfterSeq(index, "\x00\n") {
		if record == "" {
			continue
		}
		fields := strings.Split(record, "\x00")
		for i, less := range []int{1024 * n, 1024} {
			number, err := strconv.Atoi(fields[i+1])
			if err != nil {
				t.Fatal(err)
			}
			fields[i+1] = strconv.Itoa(number - less)
		}
		b.WriteString(strings.Join(fields, "\x00"))
		n++
	}
	return b.String()
}
