package repo_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
)

// words is content that compresses differently at different levels.
var words = strings.Repeat("the same words in two forms; ", 40)

// zipped returns a stored form of content other than ours.
func zipped(t *testing.T, content string, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// publishAs publishes a package with one file, whose manifest names the stored
// form of a level of compression. A level below -2 stands for none named. If the
// repository has the content, it keeps its form.
func publishAs(t *testing.T, r *repo.Repository, name, content string, level int) fmri.FMRI {
	t.Helper()
	f := fmri.MustParse("pkg://test.org/" + name + ",5.11:20260102T030405Z")
	stored := zipped(t, content, max(level, gzip.HuffmanOnly))
	p, err := manifest.Inspect(bytes.NewReader(stored), 0)
	if err != nil {
		t.Fatal(err)
	}
	if level < gzip.HuffmanOnly {
		p = p.ContentOnly()
	}
	m := parse(t, "set name=pkg.fmri value="+f.String()+"\n")
	if err := m.Add(fileAction(content).WithPayload(p)); err != nil {
		t.Fatal(err)
	}
	tx, err := r.Begin(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Store(t.Context(), p.Name(), bytes.NewReader(stored)); err != nil {
		t.Fatal(err)
	}
	if err := tx.SetManifest(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// storedForm returns a payload as a repository has it.
func storedForm(t *testing.T, r *repo.Repository, content string) string {
	t.Helper()
	stored, err := r.Payload(t.Context(), "test.org", manifest.SHA1.Sum([]byte(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(stored); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func payloadName(content string) string {
	hash := manifest.SHA1.Sum([]byte(content)).Hex()
	return "publisher/test.org/file/" + hash[:2] + "/" + hash
}

func tryCopy(t *testing.T, dst repo.Sink, src repo.Source, pkgs ...fmri.FMRI) {
	t.Helper()
	if _, err := repo.Copy(t.Context(), dst, src, slices.Values(pkgs), nil); err != nil {
		t.Fatal(err)
	}
}

func noFindings(t *testing.T, r *repo.Repository) {
	t.Helper()
	if found := check(t, r); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

// wrappings are ways to a sink, with its optional methods and without.
var wrappings = map[string]func(repo.Sink) repo.Sink{
	"itself":  func(s repo.Sink) repo.Sink { return s },
	"wrapped": func(s repo.Sink) repo.Sink { return repotest.Wrap(s, nil) },
	"bare":    repotest.Bare,
}

// TestOtherFormCopied copies a package whose payload is there already, in the form
// that another manifest names. That form stays, both manifests stay as they were
// published, and neither is at fault.
func TestOtherFormCopied(t *testing.T) {
	for name, wrap := range wrappings {
		t.Run(name, func(t *testing.T) { testOtherFormCopied(t, wrap) })
	}
}

func testOtherFormCopied(t *testing.T, wrap func(repo.Sink) repo.Sink) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	b := publishAs(t, src, "b@1", words, gzip.BestSpeed)
	a := publishAs(t, dst, "a@1", words, gzip.NoCompression)
	tryCopy(t, wrap(dst), src, b)
	if storedForm(t, dst, words) != string(zipped(t, words, gzip.NoCompression)) {
		t.Error("the stored form has changed under the package that names it")
	}
	noFindings(t, dst)
	from, err := src.Manifest(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	to, err := dst.Manifest(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(from.Text()), string(to.Text())); diff != "" {
		t.Error(diff)
	}
	// Once the package that named it is gone, the form is nobody's.
	if _, err := dst.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var hash *manifest.HashError
	var size *manifest.SizeError
	found := check(t, dst)
	if len(found) != 1 || found[0].Fault != repo.BadHash || found[0].FMRI != b || !errors.As(found[0].Err, &hash) && !errors.As(found[0].Err, &size) {
		t.Errorf("a form that no manifest names: %+v", found)
	}
	fixed, err := dst.Fix(t.Context(), &repo.FixOptions{From: src})
	if err != nil || len(fixed.Repairs) != 1 || !fixed.Repairs[0].Restored {
		t.Errorf("Fix: %+v, %v", fixed, err)
	}
	noFindings(t, dst)
}

// TestNoFormNamed has a manifest that says nothing of the stored form: each is
// right by it.
func TestNoFormNamed(t *testing.T) {
	r := create(t, store.Memory())
	publishAs(t, r, "a@1", words, -3)
	publishAs(t, r, "b@1", words, gzip.BestSpeed)
	noFindings(t, r)
}

// TestLeftoverForm copies into a repository that has the payload, but no manifest
// that names its form: what an interruption left, or damage. It is replaced.
func TestLeftoverForm(t *testing.T) {
	src := create(t, store.Memory())
	b := publishAs(t, src, "b@1", words, gzip.BestSpeed)
	for name, left := range map[string]string{
		"another form":       string(zipped(t, words, gzip.NoCompression)),
		"of the same length": flipByte(storedForm(t, src, words), 4), // the time in the header
		"damage":             "junk",
	} {
		for way, wrap := range wrappings {
			s := store.Memory()
			dst := create(t, s)
			publish(t, dst, "a@1", "other content")
			if err := s.Put(t.Context(), payloadName(words), strings.NewReader(left)); err != nil {
				t.Fatal(err)
			}
			tryCopy(t, wrap(dst), src, b)
			if storedForm(t, dst, words) != storedForm(t, src, words) {
				t.Errorf("%s, %s: not replaced", name, way)
			}
			noFindings(t, dst)
		}
	}
}

// TestSuspendedForm copies over a form that only a suspended transaction names: it
// stays.
func TestSuspendedForm(t *testing.T) {
	src, s := create(t, store.Memory()), store.Memory()
	b := publishAs(t, src, "b@1", words, gzip.BestSpeed)
	r := create(t, s)
	if err := s.Put(t.Context(), payloadName(words), bytes.NewReader(zipped(t, words, gzip.NoCompression))); err != nil {
		t.Fatal(err)
	}
	tx, err := r.Begin(t.Context(), fmri.MustParse("slow@1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Add(t.Context(), fileAction(words), strings.NewReader(words)); err != nil {
		t.Fatal(err)
	}
	slow := tx.(*repo.Transaction)
	if err := slow.Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
	tryCopy(t, r, src, b)
	if storedForm(t, r, words) != string(zipped(t, words, gzip.NoCompression)) {
		t.Error("the stored form has changed under the transaction that names it")
	}
	if slow, err = r.Resume(t.Context(), slow.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	noFindings(t, r)
}

func flipByte(s string, i int) string {
	b := []byte(s)
	b[i] ^= 1
	return string(b)
}

// TestCloneForm makes a clone of a repository that stores the same content in
// another form, which the clone takes over: the packages that named the old one
// are gone, or have another manifest.
func TestCloneForm(t *testing.T) {
	for _, old := range []string{"a@1", "b@1"} {
		src, dst := create(t, store.Memory()), create(t, store.Memory())
		publishAs(t, src, "b@1", words, gzip.BestSpeed)
		publishAs(t, dst, old, words, gzip.NoCompression)
		if _, err := repo.Clone(t.Context(), dst, src, "test.org", nil); err != nil {
			t.Fatal(err)
		}
		if storedForm(t, dst, words) != storedForm(t, src, words) {
			t.Errorf("instead of %s, the clone has another form", old)
		}
		noFindings(t, dst)
	}
}

// TestFixForms restores a payload that two manifests describe in different forms,
// from a source that has one of them. No package is put aside.
func TestFixForms(t *testing.T) {
	for _, level := range []int{gzip.NoCompression, gzip.BestSpeed} {
		s := store.Memory()
		r, src := create(t, s), create(t, store.Memory())
		publishAs(t, r, "a@1", words, gzip.NoCompression)
		publishAs(t, r, "b@1", words, gzip.BestSpeed)
		publishAs(t, src, "any@1", words, level)
		if err := s.Put(t.Context(), payloadName(words), strings.NewReader("junk")); err != nil {
			t.Fatal(err)
		}
		if found := check(t, r); len(found) != 2 {
			t.Errorf("found %+v", found)
		}
		fixed, err := r.Fix(t.Context(), &repo.FixOptions{From: src})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range fixed.Repairs {
			if !x.Restored {
				t.Errorf("not restored: %+v", x)
			}
		}
		noFindings(t, r)
		if got := len(list(t, r, "test.org")); got != 2 {
			t.Errorf("%d packages are listed", got)
		}
	}
}

// TestFormOfSource verifies packages of a source that is no Repository by the
// manifests of packages that were not asked for, as well.
func TestFormOfSource(t *testing.T) {
	r := create(t, store.Memory())
	publishAs(t, r, "a@1", words, gzip.NoCompression)
	b := publishAs(t, r, "b@1", words, gzip.BestSpeed)
	for f, err := range repo.Verify(t.Context(), struct{ repo.Source }{r}, slices.Values([]fmri.FMRI{b}), nil) {
		t.Errorf("found %+v, %v", f, err)
	}
}

// TestFormReplacedMeanwhile publishes content that is stored in a form that no
// manifest names, while a copy replaces that form: the new manifest names the one
// that is there in the end.
func TestFormReplacedMeanwhile(t *testing.T) {
	src, s := create(t, store.Memory()), store.Memory()
	b := publishAs(t, src, "b@1", words, gzip.BestSpeed)
	r := create(t, s)
	if err := s.Put(t.Context(), payloadName(words), bytes.NewReader(zipped(t, words, gzip.NoCompression))); err != nil {
		t.Fatal(err)
	}
	tx, err := r.Begin(t.Context(), fmri.MustParse("new@1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Add(t.Context(), fileAction(words), strings.NewReader(words)); err != nil {
		t.Fatal(err)
	}
	tryCopy(t, open(t, s), src, b)
	f, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	stored := manifest.SHA1.Sum([]byte(storedForm(t, r, words))).Hex()
	if !strings.Contains(string(m.Text()), "chash="+stored) {
		t.Errorf("the stored form is %s:\n%s", stored, m.Text())
	}
	noFindings(t, r)
}
