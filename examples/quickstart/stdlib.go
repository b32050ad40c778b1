package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A goPackage is one package of the installed standard library.
type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
	Files      []string // all files below Dir that no deeper package owns, relative to Dir
}

// A goRelease is the installed Go toolchain's library.
type goRelease struct {
	Version  string    // dot sequence, such as 1.25.3
	Time     time.Time // when this release was installed
	Root     string    // the directory of the sources
	Packages []goPackage
}

// readRelease asks the go command for the packages of the standard library and lists their
// files. If only is not "", it returns that package and all it imports: with the same
// files that they have among all others.
func readRelease(ctx context.Context, only string) (*goRelease, error) {
	packages, err := listPackages(ctx, "std")
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	version, root, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	number := regexp.MustCompile(`\d+(\.\d+)*`).FindString(version)
	if number == "" {
		return nil, fmt.Errorf("no release number in Go version %q", version)
	}
	info, err := os.Stat(filepath.Join(root, "VERSION"))
	if err != nil {
		return nil, err
	}
	src := filepath.Join(root, "src")
	if err := assignFiles(src, packages); err != nil {
		return nil, err
	}
	if only != "" {
		if packages, err = closure(packages, only); err != nil {
			return nil, err
		}
	}
	return &goRelease{number, info.ModTime().UTC().Truncate(time.Second), src, packages}, nil
}

// closure returns a package and what it imports, of packages that come after those they
// import.
func closure(packages []goPackage, only string) ([]goPackage, error) {
	wanted := map[string]bool{only: true}
	var found []goPackage
	for _, p := range slices.Backward(packages) {
		if !wanted[p.ImportPath] {
			continue
		}
		found = append(found, p)
		for _, path := range p.Imports {
			wanted[path] = true
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the standard library has no package %q: go list std names all", only)
	}
	slices.Reverse(found)
	return found, nil
}

// listPackages returns the packages, each after those it imports.
func listPackages(ctx context.Context, pattern string) ([]goPackage, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Dir,Imports", pattern)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p.Imports = slices.DeleteFunc(p.Imports, func(path string) bool { return path == "C" })
		packages = append(packages, p)
	}
}

// assignFiles walks the library's sources and gives every regular file to the
// package in the nearest directory above it.
func assignFiles(src string, packages []goPackage) error {
	owner := map[string]*goPackage{}
	for i := range packages {
		owner[packages[i].Dir] = &packages[i]
	}
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		for dir := filepath.Dir(path); len(dir) >= len(src); dir = filepath.Dir(dir) {
			if p := owner[dir]; p != nil {
				rel, err := filepath.Rel(dir, path)
				p.Files = append(p.Files, filepath.ToSlash(rel))
				return err
			}
		}
		return nil // cmd and the files of no package
	})
}

// file returns the first Go file of a package, "" if there is none.
func (r *goRelease) file(importPath string) string {
	for _, p := range r.Packages {
		if p.ImportPath != importPath {
			continue
		}
		for _, name := range p.Files {
			if strings.HasSuffix(name, ".go") && !strings.Contains(name, "/") {
				return name
			}
		}
	}
	return ""
}
