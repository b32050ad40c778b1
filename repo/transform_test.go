package repo_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// rewrite returns a function for CopyOptions that makes other texts of manifests.
func rewrite(t *testing.T, f func(text string) string) func(*manifest.Manifest) (*manifest.Manifest, error) {
	return func(m *manifest.Manifest) (*manifest.Manifest, error) {
		text := f(string(m.Text()))
		if text == "" {
			return nil, nil
		}
		return parse(t, text), nil
	}
}

// copyRewritten copies packages with other manifests to a new repository, and returns
// that.
func copyRewritten(t *testing.T, src repo.Source, pkgs []fmri.FMRI, f func(string) string) (*repo.Repository, store.Store, error) {
	t.Helper()
	s := store.Memory()
	dst := create(t, s)
	_, err := repo.Copy(t.Context(), dst, src, slices.Values(pkgs), &repo.CopyOptions{Transform: rewrite(t, f), Parallel: 4})
	return dst, s, err
}

// TestCopyTransform gives a package another name and publisher, drops one of its files,
// and adds one with the payload of another package. A second package is left as it is.
func TestCopyTransform(t *testing.T) {
	src := create(t, store.Memory())
	f := publish(t, src, "a@1", "one", "two")
	g := publish(t, src, "b@1", "three")
	other, err := src.Manifest(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	three := slices.Collect(other.Kind(manifest.KindFile))[0]
	dst, s, err := copyRewritten(t, src, []fmri.FMRI{f, g}, func(text string) string {
		if !strings.Contains(text, "/a@1") {
			return text
		}
		var kept []string
		for line := range strings.Lines(text) {
			if !strings.Contains(line, "path=opt/two") {
				kept = append(kept, strings.ReplaceAll(line, "pkg://test.org/a@1", "pkg://else.org/c@2"))
			}
		}
		return strings.Join(kept, "") + three.String() + "\n"
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{g.String()}, list(t, dst, "test.org")); diff != "" {
		t.Error(diff)
	}
	c := list(t, dst, "else.org")
	if len(c) != 1 || !strings.HasPrefix(c[0], "pkg://else.org/c@2,") {
		t.Fatalf("published are %v", c)
	}
	for _, name := range []fmri.FMRI{g, fmri.MustParse(c[0])} {
		m, err := dst.Manifest(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		checkPayloads(t, dst, name, m)
	}
	if n := len(objects(t, s, "publisher/else.org/file/")); n != 2 {
		t.Errorf("%d payloads were copied for the changed package, want 2", n)
	}
	if found := check(t, dst); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

// TestCopyTransformOrder copies packages of which the sink has some already: the function
// sees all, in order and one at a time, and those it leaves out or alone are not in the
// sink, or the same byte for byte.
func TestCopyTransformOrder(t *testing.T) {
	src := create(t, store.Memory())
	var pkgs []fmri.FMRI
	for _, name := range []string{"e@1", "d@1", "c@1", "b@1", "a@1"} {
		pkgs = append(pkgs, publish(t, src, name, name, "all"))
	}
	dst := create(t, store.Memory())
	for range 2 {
		var seen []string // without a lock: the race detector would tell
		opts := &repo.CopyOptions{Parallel: 8, Transform: func(m *manifest.Manifest) (*manifest.Manifest, error) {
			f, _ := m.FMRI()
			seen = append(seen, f.Name())
			if f.Name() == "c" {
				return nil, nil
			}
			return m, nil
		}}
		if _, err := repo.Copy(t.Context(), dst, src, slices.Values(pkgs), opts); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"e", "d", "c", "b", "a"}, seen); diff != "" {
			t.Error(diff)
		}
	}
	for _, f := range pkgs {
		want, err := src.Manifest(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := dst.Manifest(t.Context(), f)
		if f.Name() == "c" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what was left out: %v", err)
			}
			continue
		}
		if err != nil || string(got.Text()) != string(want.Text()) {
			t.Errorf("%v: %v, %s", f, err, got.Text())
		}
	}
}

// TestCopyTransformName has names that lack parts: those of the package are taken. What is
// no name of a package at all is refused.
func TestCopyTransformName(t *testing.T) {
	src := published(t, clock1)
	f := fmri.MustParse("pkg://test.org/clock@1.0,5.11-0:20250101T000000Z")
	for name, want := range map[string]string{
		"pkg:/clock@2,5.11-0:20260101T000000Z":   "pkg://test.org/clock@2,5.11-0:20260101T000000Z",
		"clock@2":                                "pkg://test.org/clock@2,5.11:20250101T000000Z",
		"pkg://else.org/watch@2-3":               "pkg://else.org/watch@2,5.11-3:20250101T000000Z",
		"pkg:/clock":                             "",
		"":                                       "",
		"pkg://un$real/clock@1:20260101T000000Z": "",
		"pkg://else.org/clock@1:20260101T000000X": "",
	} {
		text := "set name=com.x value=y\n"
		if name != "" {
			text += "set name=pkg.fmri value=" + name + "\n"
		}
		dst, _, err := copyRewritten(t, src, []fmri.FMRI{f}, func(string) string { return text })
		if want == "" {
			var at *repo.Error
			if !errors.As(err, &at) || at.FMRI.Name() != "clock" {
				t.Errorf("%q: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		m, err := dst.Manifest(t.Context(), fmri.MustParse(want))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got, _ := m.FMRI(); got.String() != want {
			t.Errorf("%q: manifest says %v, want %s", name, got, want)
		}
	}
}

// TestCopyTransformRefused has changed manifests that cannot be published, and a function
// that fails. The package concerned is not published.
func TestCopyTransformRefused(t *testing.T) {
	src := published(t, steel)
	f := publish(t, src, "a@1", "content")
	const file = " path=opt/x mode=0444 owner=root group=bin\n"
	for name, line := range map[string]string{
		"no payload":      "file NOHASH" + file,
		"missing payload": "file 0123456789012345678901234567890123456789" + file,
		"invalid":         "dir path=opt mode=9 owner=root group=bin\n",
		"obsolete":        "set name=pkg.obsolete value=true\n",
		"outside":         "dir path=../x mode=0755 owner=root group=bin\n",
		"unknown":         "unknown a=b\n",
	} {
		dst, s, err := copyRewritten(t, src, append(names(steelName), f), func(text string) string {
			if strings.Contains(text, "/a@1") {
				return text + line
			}
			return text
		})
		var at *repo.Error
		if !errors.As(err, &at) || at.FMRI != f {
			t.Errorf("%s: error %v", name, err)
		}
		for name := range objects(t, s, "publisher/test.org/pkg/") {
			if !strings.Contains(name, "steel") {
				t.Errorf("%s: published is %s", line, name)
			}
		}
		if found := check(t, dst); len(found) > 0 {
			t.Errorf("%s: found %+v", name, found)
		}
	}
	opts := &repo.CopyOptions{Transform: func(*manifest.Manifest) (*manifest.Manifest, error) { return nil, errBroken }}
	_, err := repo.Copy(t.Context(), create(t, store.Memory()), src, slices.Values([]fmri.FMRI{f}), opts)
	var at *repo.Error
	if !errors.Is(err, errBroken) || !errors.As(err, &at) || at.Op != "transform" || at.FMRI != f {
		t.Errorf("Copy: %v", err)
	}
	if _, err := repo.Clone(t.Context(), create(t, store.Memory()), src, "test.org", opts); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Clone: %v", err)
	}
}

// TestTransformed asks what would be published without publishing it.
func TestTransformed(t *testing.T) {
	f, m := fmri.MustParse("pkg://test.org/steel@3,5.11-0:20250101T000000Z"), parse(t, steel)
	var none *repo.CopyOptions
	for _, opts := range []*repo.CopyOptions{none, {}, {Transform: rewrite(t, func(text string) string { return text })}} {
		g, n, err := opts.Transformed(f, m)
		if g != f || string(n.Text()) != steel || err != nil {
			t.Errorf("unchanged: %v, %s, %v", g, n.Text(), err)
		}
	}
	left := &repo.CopyOptions{Transform: rewrite(t, func(string) string { return "" })}
	if g, n, err := left.Transformed(f, m); g != f || n != nil || err != nil {
		t.Errorf("left out: %v, %v, %v", g, n, err)
	}
	other := &repo.CopyOptions{Transform: rewrite(t, func(string) string { return "set name=pkg.fmri value=iron@4\n" })}
	g, n, err := other.Transformed(f, m)
	if err != nil || g.String() != "pkg://test.org/iron@4,5.11:20250101T000000Z" || !strings.Contains(string(n.Text()), g.String()) {
		t.Errorf("renamed: %v, %s, %v", g, n.Text(), err)
	}
}
