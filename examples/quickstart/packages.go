package main

import (
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

const (
	publisher     = "quickstart.example"
	prefix        = "go/std/" // the stems of the library's packages, before the import path
	group         = "go/std"
	incorporation = "go/std-incorporation"
)

// A build is one publication of the whole release; the branch of every version counts them.
type build struct {
	release *goRelease
	number  int
}

// time is when the build was made: an hour after the one before.
func (b build) time() time.Time {
	return b.release.Time.Add(time.Duration(b.number-1) * time.Hour)
}

// short is the version of everything in the build, as dependencies state it.
func (b build) short() string { return fmt.Sprintf("%s-%d", b.release.Version, b.number) }

// fmri names a package of the build.
func (b build) fmri(stem string) fmri.FMRI {
	v := fmri.MustParseVersion(b.short()).WithTime(b.time())
	f, err := fmri.New(publisher, stem, v)
	if err != nil {
		panic(err) // import paths of the standard library are package names
	}
	return f
}

// manifests returns the manifest of each package of the build. The incorporation and the
// group come last, when all they name is there.
func (b build) manifests() ([]*manifest.Manifest, error) {
	var all []*manifest.Manifest
	for i := range b.release.Packages {
		m, err := b.library(&b.release.Packages[i])
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	pins, err := b.list(incorporation, "pins the release", manifest.DependIncorporate, "@"+b.short())
	if err != nil {
		return nil, err
	}
	members, err := b.list(group, "the whole standard library", manifest.DependGroup, "")
	return append(all, pins, members), err
}

// library is the manifest of one library package: its files, below the directory
// of its import path, and its imports as dependencies.
func (b build) library(p *goPackage) (*manifest.Manifest, error) {
	m, err := b.describe(b.fmri(prefix+p.ImportPath), "Go package "+p.ImportPath)
	if err != nil {
		return nil, err
	}
	for _, imported := range p.Imports {
		if err := depend(m, manifest.DependRequire, prefix+imported+"@"+b.short()); err != nil {
			return nil, err
		}
	}
	if err := depend(m, manifest.DependRequire, incorporation); err != nil {
		return nil, err
	}
	for _, dir := range p.dirs() {
		d := manifest.Dir{Path: dir, Owner: "root", Group: "bin", Mode: 0o755}
		if err := m.Add(d.Action()); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Files {
		if err := m.Add(b.file(p, name)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// file is the action of one file. Until it is published its payload is named by a path,
// here the one below the directory of the library's sources.
func (b build) file(p *goPackage, name string) manifest.Action {
	f := manifest.File{Path: path.Join(installed, p.ImportPath, name), Owner: "root", Group: "bin", Mode: 0o644}
	a := f.Action()
	a.Hash = path.Join(p.ImportPath, name)
	return a
}

// installed is where the library goes in an image.
const installed = "usr/lib/go/src"

// list is the manifest of a package that only names all others, with the same kind of
// dependency on each.
func (b build) list(stem, summary string, kind manifest.DependType, suffix string) (*manifest.Manifest, error) {
	m, err := b.describe(b.fmri(stem), "Go "+b.release.Version+": "+summary)
	if err != nil {
		return nil, err
	}
	for _, p := range b.release.Packages {
		if err := depend(m, kind, prefix+p.ImportPath+suffix); err != nil {
			return nil, err
		}
	}
	if stem == incorporation {
		return m, nil
	}
	return m, depend(m, manifest.DependRequire, incorporation)
}

// describe begins a manifest with the package's name and summary.
func (b build) describe(f fmri.FMRI, summary string) (*manifest.Manifest, error) {
	m := new(manifest.Manifest)
	return m, m.Add(
		manifest.Set{Name: "pkg.fmri", Values: []string{f.String()}}.Action(),
		manifest.Set{Name: "pkg.summary", Values: []string{summary}}.Action(),
	)
}

func depend(m *manifest.Manifest, kind manifest.DependType, target string) error {
	f, err := fmri.Parse(target)
	if err != nil {
		return err
	}
	return m.Add(manifest.Depend{Type: kind, FMRIs: []fmri.FMRI{f}}.Action())
}

// dirs returns the directories that the package's files lie in, outermost first.
func (p *goPackage) dirs() []string {
	var dirs []string
	seen := map[string]bool{}
	for _, name := range p.Files {
		dirs = appendParents(dirs, seen, path.Join(installed, p.ImportPath, name))
	}
	return dirs
}

// appendParents appends the directories above name that are not yet seen.
func appendParents(dirs []string, seen map[string]bool, name string) []string {
	dir := path.Dir(name)
	if dir == "." || seen[dir] || !fs.ValidPath(dir) {
		return dirs
	}
	seen[dir] = true
	return append(appendParents(dirs, seen, dir), dir)
}
