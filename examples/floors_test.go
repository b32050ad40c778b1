// Package examples_test holds the checks that concern the whole module.
package examples_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/goips/ips/"

// floors is the architecture: a package imports only packages on lower
// floors, its own children, and what is outside the module.
var floors = map[string]int{
	"fmri": 0, "solver/internal/sat": 0, "repo/store": 1, "repo/store/internal/files": 0, "repo/internal/ini": 0, "repo/internal/deflate": 0,
	"catalog/internal/scan": 1, "internal/reason": 0,
	"manifest": 1, "repo/store/storetest": 2, "internal/rows": 1,
	"repo/bundle":           2,
	"manifest/manifesttest": 2, "manifest/transform": 2, "catalog": 2,
	"catalog/catalogtest": 3, "catalog/search": 3, "catalog/upkeep": 3, "solver": 3, "archive": 3,
	"solver/plan": 4, "repo": 4,
	"repo/repotest": 5, "repo/image": 5,
}

// pure packages compute; they get bytes, fs.FS values and contexts from callers.
var pure = []string{"fmri", "manifest", "manifest/transform", "catalog", "catalog/internal/scan", "catalog/search", "catalog/upkeep", "internal/rows", "internal/reason", "solver", "solver/internal/sat", "solver/plan"}

// effects are what a pure package does without.
var effects = []string{"os", "os/exec", "net", "net/http", "syscall", "unsafe"}

// TestFloors parses the sources rather than asking "go list": files a test opens
// are part of its cache key, the output of a subprocess is not.
func TestFloors(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
		if strings.HasPrefix(pkg, "examples") || strings.Contains(pkg, "testdata") {
			return nil
		}
		seen[pkg] = true
		checkFile(t, path, pkg)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("floors names %s, which does not exist", pkg)
		}
	}
}

// checkFile reports the imports of one file that its package's floor forbids.
func checkFile(t *testing.T, path, pkg string) {
	t.Helper()
	mine, ok := floors[pkg]
	if !ok {
		t.Errorf("%s: package %s has no floor", path, pkg)
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		if slices.Contains(pure, pkg) && slices.Contains(effects, imp) {
			t.Errorf("%s: pure package imports %s", path, imp)
		}
		dep, ours := strings.CutPrefix(imp, module)
		if !ours || strings.HasPrefix(dep, pkg+"/") {
			continue
		}
		if floor, ok := floors[dep]; !ok || floor >= mine {
			t.Errorf("%s: floor %d imports %s on floor %d", path, mine, dep, floor)
		}
	}
}
