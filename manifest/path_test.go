package manifest_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

// hostilePaths are spellings of places that are outside an image, or might be taken for
// one by a careless program, and names that no manifest can have.
var hostilePaths = []string{
	"..", "../", "../a", "../../etc/passwd", "a/..", "a/../..", "a/../../b", "a/../b", "/..", "/../a", "//../a",
	"./..", ".././a", "a/b/../../../c", "usr/../..", "....//../a", ".", "./", "/.", "//./", "./.", "a/./..",
	"a\nb", "a\r", "a/\n/b",
	"\x00", "a\x00", "a\x00/../b", "a/\x00b", "..\x00",
	"\xff", "a/\xc0\xae\xc0\xae/b", // overlong dots
	strings.Repeat("../", 2000) + "a", strings.Repeat("a/", 2000) + "..",
}

// harmlessPaths look hostile and are names like others.
var harmlessPaths = map[string]string{
	"...": "...", "a/...": "a/...", "..a": "..a", "a..": "a..", "a/..b/c": "a/..b/c", "-a": "-a", "a b": "a b",
	"~": "~", "~root/.ssh": "~root/.ssh", "$(HOME)": "$(HOME)", "C:/a": "C:/a", "%2e%2e/a": "%2e%2e/a",
	"\u2024\u2024/a": "\u2024\u2024/a", "\uff0e\uff0e/a": "\uff0e\uff0e/a", "\u2215etc": "\u2215etc",
	`\`: `\`, `..\a`: `..\a`, `a\..\..\b`: `a\..\..\b`, `C:\a`: `C:\a`, `\\host\share`: `\\host\share`, `a\b`: `a\b`,
	"a//b": "a/b", "a/": "a", "./a": "a", "a/./b": "a/b", "/a": "a", "///a": "a", "//a//": "a", "a/.": "a",
}

// at returns an action whose attributes were never looked at.
func at(k manifest.Kind, pairs ...string) manifest.Action {
	return manifest.Action{Kind: k, Attrs: attrs(pairs...)}
}

func TestHostilePaths(t *testing.T) {
	for _, p := range hostilePaths {
		for _, k := range []manifest.Kind{manifest.KindFile, manifest.KindDir, manifest.KindLink, manifest.KindHardlink} {
			a := at(k, "path", p, "mode", "0755", "target", "x")
			if got, err := a.Path(); err == nil || got != "" {
				t.Errorf("path %q of a %v is %q", p, k, got)
			} else {
				checkPathError(t, err, "path")
			}
			if v, err := a.Decode(); err == nil {
				t.Errorf("path %q of a %v decodes: %#v", p, k, v)
			}
			if !complains(a, "path") {
				t.Errorf("path %q of a %v is valid", p, k)
			}
		}
		if legacy := at(manifest.KindLegacy, "pkg", p); !complains(legacy, "pkg") {
			t.Errorf("legacy package %q is valid", p)
		} else if _, err := legacy.Decode(); err == nil {
			t.Errorf("legacy package %q decodes", p)
		}
	}
}

func TestHarmlessPaths(t *testing.T) {
	for p, want := range harmlessPaths {
		a := at(manifest.KindDir, "path", p)
		if got, err := a.Path(); err != nil || got != want {
			t.Errorf("path %q is %q, %v, want %q", p, got, err, want)
		}
		if complains(a, "path") {
			t.Errorf("path %q: a complaint", p)
		}
	}
	if _, err := at(manifest.KindSet, "path", "a").Path(); err == nil {
		t.Error("a set action has a path")
	}
}

// hostileTargets are of a link in the root, where ".." leads out.
var hostileTargets = []string{
	"..", "../", "../a", "../../etc/passwd", "a/..", "a/../..", "a/../../b", "/..", "/../a", "//../a", "/a/../b",
	"./..", "a/b/../../../c", ".", "./", "/.", "/", "//", "a/./..", "a\nb",
	"a\x00", "a\x00/../b", "/\x00", "\xff", "a/\xc0\xae\xc0\xae/b", strings.Repeat("../", 2000) + "a",
}

// TestHostileTargets checks that a hard link is never made to what is not in the image.
func TestHostileTargets(t *testing.T) {
	for _, target := range hostileTargets {
		a := at(manifest.KindHardlink, "path", "a", "target", target)
		if got, err := a.Target(); err == nil {
			t.Errorf("target %q is %q", target, got)
		} else {
			checkPathError(t, err, "target")
		}
		if _, err := a.Decode(); err == nil {
			t.Errorf("target %q decodes", target)
		}
		if !complains(a, "target") {
			t.Errorf("target %q is valid", target)
		}
	}
}

func TestTarget(t *testing.T) {
	for _, test := range []struct{ path, target, want string }{
		{"a", "b", "b"},
		{"a/b/c", "d", "a/b/d"},
		{"a/b/c", "../d", "a/d"},
		{"a/b/c", "../../d", "d"},
		{"a/b/c", "../../../d", ""},
		{"a/b/c", "..", "a"},
		{"a/b/c", "../..", ""},
		{"a/b/c", "/d/e", "d/e"},
		{"a/b/c", "/d/../e", ""},
		{"a/b/c", "./d//e/../f", "a/b/d/f"},
		{"/a//b/c", "../d", "a/d"},
		{"../a", "b", ""},
		{"a", "", ""},
	} {
		got, err := at(manifest.KindHardlink, "path", test.path, "target", test.target).Target()
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s -> %s is %q, %v, want %q", test.path, test.target, got, err, test.want)
		}
	}
}

// FuzzPath checks that what is accepted is where the text says, seen from the root, and
// that the result is its own path.
func FuzzPath(f *testing.F) {
	for _, p := range hostilePaths {
		f.Add(p, p)
	}
	for p := range harmlessPaths {
		f.Add(p, "../"+p)
	}
	f.Fuzz(func(t *testing.T, p, target string) {
		a := at(manifest.KindHardlink, "path", p, "target", target)
		got, err := a.Path()
		if err != nil {
			return
		}
		if !fs.ValidPath(got) || got == "." || "/"+got != path.Clean("/"+p) {
			t.Errorf("path %q is %q", p, got)
		}
		to, err := a.Target()
		if err != nil {
			return
		}
		if !path.IsAbs(target) {
			target = path.Join("/", path.Dir(got), target)
		}
		if !fs.ValidPath(to) || "/"+to != path.Clean(target) {
			t.Errorf("target %q of %q is %q", target, got, to)
		}
	})
}

func complains(a manifest.Action, name string) bool {
	for _, e := range a.Validate() {
		var attr *manifest.AttrError
		if errors.As(e, &attr) && attr.Name == name {
			return true
		}
	}
	return false
}

func checkPathError(t *testing.T, err error, name string) {
	t.Helper()
	var attr *manifest.AttrError
	if !errors.As(err, &attr) || attr.Name != name || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("error %v is not about %s", err, name)
	}
}
