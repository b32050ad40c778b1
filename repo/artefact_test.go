package repo_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// vectorDirs are where artefacts are: our own and, if it is set, IPS_VECTORS.
func vectorDirs() []string {
	dirs := []string{"testdata/vectors"}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "artefacts"), filepath.Join(dir, "artefacts", "signing"))
	}
	return dirs
}

// artefacts calls f for each repository that the reference has written.
func artefacts(t *testing.T, f func(t *testing.T, file string, s store.Store)) {
	for _, dir := range vectorDirs() {
		files, err := filepath.Glob(filepath.Join(dir, "repo-*.tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.Contains(file, "catalogs") {
				continue
			}
			t.Run(filepath.Base(file), func(t *testing.T) { f(t, file, untar(t, file)) })
		}
	}
}

// untar reads a compressed tar file of one directory into memory.
func untar(t testing.TB, file string) store.Store {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := store.Memory()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := s.Put(t.Context(), name, r); err != nil {
			t.Fatal(err)
		}
	}
}

// readJSON reads what the reference said about an artefact, if that was recorded.
func readJSON(t *testing.T, file string, v any) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

// TestArtefactLists compares what we see in repositories of the reference with
// what it sees.
func TestArtefactLists(t *testing.T) {
	artefacts(t, func(t *testing.T, file string, s store.Store) {
		r, err := repo.Open(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		var packages []struct {
			FMRI string `json:"pkg.fmri"`
		}
		var got, want []string
		if readJSON(t, strings.TrimSuffix(file, "tar.gz")+"list.json", &packages) {
			for _, p := range packages {
				want = append(want, p.FMRI)
			}
			names, err := r.Publishers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				got = append(got, list(t, r, name)...)
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		compareInfo(t, r, file)
	})
}

func compareInfo(t *testing.T, r *repo.Repository, file string) {
	type info struct{ Publisher, Packages, Status, Updated string }
	var got, want []info
	if !readJSON(t, strings.TrimSuffix(file, "tar.gz")+"info.json", &want) {
		return
	}
	names, err := r.Publishers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		c, err := r.Catalog(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		packages := 0
		for range c.Stems(name) {
			packages++
		}
		status := "online"
		if busy, err := r.Busy(t.Context(), name); busy || err != nil {
			status = fmt.Sprintf("busy (%v)", err)
		}
		got = append(got, info{name, strconv.Itoa(packages), status, c.Modified().Format("2006-01-02T15:04:05.999999Z")})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestArtefactContents reads every manifest and payload, and checks each by what
// is said about it.
func TestArtefactContents(t *testing.T) {
	artefacts(t, func(t *testing.T, file string, s store.Store) {
		r, err := repo.Open(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		names, err := r.Publishers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			c, err := r.Catalog(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			for p := range c.All() {
				m, err := r.Manifest(t.Context(), p.FMRI())
				if err != nil {
					t.Error(err)
					continue
				}
				if want, ok := p.ManifestDigest(); !ok || manifest.SHA1.Sum(m.Text()) != want {
					t.Errorf("%s: manifest is not the catalogued one", p.FMRI())
				}
				checkPayloads(t, r, p.FMRI(), m)
			}
		}
	})
}

func checkPayloads(t *testing.T, r repo.Source, f fmri.FMRI, m *manifest.Manifest) {
	t.Helper()
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		for _, p := range payloads {
			rc, err := r.Payload(t.Context(), f.Publisher(), p.Name())
			if err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
			if _, err := io.Copy(io.Discard, p.Verify(rc)); err != nil {
				t.Errorf("%s: %v", f, err)
			}
			rc.Close()
		}
	}
}

// TestArtefactRebuild makes catalogs of the reference's manifests anew: every
// part must have the same bytes.
func TestArtefactRebuild(t *testing.T) {
	artefacts(t, func(t *testing.T, file string, s store.Store) {
		r, err := repo.Open(t.Context(), s, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		names, err := r.Publishers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			before := catalogParts(t, s, name)
			if err := r.Rebuild(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, catalogParts(t, s, name)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

var unmarked = regexp.MustCompile(`"_FEATURE":\[[^]]*\],|"_SIGNATURE":{[^}]*}`)

// catalogParts returns the parts of a catalog as they are stored.
func catalogParts(t *testing.T, s store.Store, publisher string) map[string]string {
	t.Helper()
	parts := map[string]string{}
	for info, err := range s.List(t.Context(), "publisher/"+publisher+"/catalog/catalog.") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Name, ".attrs") {
			// Whoever saved the catalog last may have marked its format.
			parts[info.Name] = unmarked.ReplaceAllString(read(t, s, info.Name), "")
		}
	}
	if len(parts) == 0 {
		t.Errorf("no parts in %v", slices.Collect(maps.Keys(parts)))
	}
	return parts
}

// read returns the content of an object.
func read(t testing.TB, s store.Store, name string) string {
	t.Helper()
	r, _, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
