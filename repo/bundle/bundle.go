// Package bundle makes a manifest of what is to be packaged: a directory tree, as
// "make install" leaves it, or a tar archive. It yields the actions that pkgsend
// generate prints; people then add what no file tells, such as the name of the package.
// SVR4 packages are not read yet.
package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/manifest"
)

// Options adjust Dir and Tar. A nil *Options is the zero value.
type Options struct {
	// Owner returns the owner and group of a file. Nil means root and bin for
	// a directory tree, and what the archive says for a tar archive.
	Owner func(fs.FileInfo) (owner, group string, err error)

	// Targets are the paths of files to which other names of the same file
	// become hard links. Of other files with several names the first is that.
	Targets []string

	// Timestamps are patterns, as of path.Match, of the base names of files
	// and directories whose time of modification is recorded.
	Timestamps []string
}

// Dir yields an action for each object below a directory, in the order of
// fs.WalkDir: directories, files, symbolic and hard links. Other objects are
// left out. The payload of a file is named by its path. Hard links are found
// where the file system tells the numbers of files, as that of package os does.
func Dir(fsys fs.FS, opts *Options) iter.Seq2[manifest.Action, error] {
	return func(yield func(manifest.Action, error) bool) {
		g := newGenerator(opts)
		g.owner = g.owners(func(fs.FileInfo) (string, string, error) { return "root", "bin", nil })
		names, err := g.hardlinks(fsys)
		if err != nil {
			yield(manifest.Action{}, err)
			return
		}
		err = walk(fsys, ".", func(name string, d fs.DirEntry) error {
			a, ok, err := g.entry(fsys, name, d, names)
			if err == nil && ok && !yield(a, nil) {
				return fs.SkipAll
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.SkipAll) {
			yield(manifest.Action{}, err)
		}
	}
}

// walk calls f for all below a directory: for what is in it but directories, by name, and
// then for each directory and what is below that. So, of the names of a file, the one
// that is least deep comes first.
func walk(fsys fs.FS, dir string, f func(name string, d fs.DirEntry) error) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, d := range entries {
		if d.IsDir() {
			continue
		}
		if err := f(path.Join(dir, d.Name()), d); err != nil {
			return err
		}
	}
	for _, d := range entries {
		if !d.IsDir() {
			continue
		}
		name := path.Join(dir, d.Name())
		if err := f(name, d); err != nil {
			return err
		}
		if err := walk(fsys, name, f); err != nil {
			return err
		}
	}
	return nil
}

// A generator makes actions of files.
type generator struct {
	opts  Options
	owner func(fs.FileInfo) (string, string, error)
}

func newGenerator(opts *Options) *generator {
	g := new(generator)
	if opts != nil {
		g.opts = *opts
	}
	return g
}

// owners returns the function that the caller gave, or another one.
func (g *generator) owners(other func(fs.FileInfo) (string, string, error)) func(fs.FileInfo) (string, string, error) {
	if g.opts.Owner != nil {
		return g.opts.Owner
	}
	return other
}

// hardlinks returns, for each name that is a further name of a file, the name
// that is the file.
func (g *generator) hardlinks(fsys fs.FS) (map[string]string, error) {
	byFile := map[fileID][]string{}
	err := walk(fsys, ".", func(name string, d fs.DirEntry) error {
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if id, ok := identify(info); ok {
			byFile[id] = append(byFile[id], name)
		}
		return nil
	})
	links := map[string]string{}
	for _, names := range byFile {
		target := names[0]
		if i := slices.IndexFunc(names, g.isTarget); i >= 0 {
			target = names[i]
		}
		for _, name := range names {
			if name != target && !g.isTarget(name) {
				links[name] = target
			}
		}
	}
	return links, err
}

func (g *generator) isTarget(name string) bool { return slices.Contains(g.opts.Targets, name) }

// A fileID is the number of a file with several names, and of its file system.
type fileID struct{ device, file uint64 }

// entry makes the action of one entry of a directory tree.
func (g *generator) entry(fsys fs.FS, name string, d fs.DirEntry, links map[string]string) (manifest.Action, bool, error) {
	info, err := d.Info()
	if err != nil {
		return manifest.Action{}, false, err
	}
	target, linked := links[name]
	switch {
	case linked:
		return g.link(manifest.KindHardlink, name, relative(path.Dir(name), target))
	case d.Type()&fs.ModeSymlink != 0:
		text, err := fs.ReadLink(fsys, name)
		if err != nil {
			return manifest.Action{}, false, err
		}
		return g.link(manifest.KindLink, name, text)
	case d.Type().IsRegular():
		return g.file(manifest.KindFile, name, info)
	case d.IsDir():
		return g.file(manifest.KindDir, name, info)
	}
	return manifest.Action{}, false, nil
}

// relative returns the path from a directory to a name, both from one root.
func relative(dir, name string) string {
	up := ""
	for dir != "." && !strings.HasPrefix(name, dir+"/") {
		dir, up = path.Dir(dir), up+"../"
	}
	if dir != "." {
		name = name[len(dir)+1:]
	}
	return up + name
}

// link makes the action of a link. The bool is true, as in all that make actions.
func (g *generator) link(k manifest.Kind, name, target string) (manifest.Action, bool, error) {
	a, err := manifest.NewAction(k, "", manifest.Attr{Name: "path", Value: name}, manifest.Attr{Name: "target", Value: target})
	return a, true, at(name, err)
}

// at says which object an error is about.
func at(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// file makes the action of a file or directory.
func (g *generator) file(k manifest.Kind, name string, info fs.FileInfo) (manifest.Action, bool, error) {
	owner, group, err := g.owner(info)
	if err != nil {
		return manifest.Action{}, false, at(name, err)
	}
	attrs := manifest.Attrs{
		{Name: "path", Value: name},
		{Name: "mode", Value: formatMode(info.Mode())},
		{Name: "owner", Value: owner},
		{Name: "group", Value: group},
	}
	match, err := g.keepsTime(path.Base(name))
	if err != nil {
		return manifest.Action{}, false, err
	}
	if match {
		attrs = append(attrs, manifest.Attr{Name: "timestamp", Value: info.ModTime().UTC().Format("20060102T150405Z")})
	}
	hash := ""
	if k == manifest.KindFile {
		hash = name
	}
	a, err := manifest.NewAction(k, hash, attrs...)
	return a, true, at(name, err)
}

// keepsTime reports whether the time of a file of that base name is recorded.
func (g *generator) keepsTime(base string) (bool, error) {
	for _, pattern := range g.opts.Timestamps {
		if match, err := path.Match(pattern, base); match || err != nil {
			return match, err
		}
	}
	return false, nil
}

// formatMode writes permissions as actions have them.
func formatMode(m fs.FileMode) string {
	bits := uint32(m.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	return fmt.Sprintf("%04o", bits)
}

// Tar yields an action for each member of a tar archive, in the order of
// the archive and with its names. Members that are neither files, directories
// nor links become unknown actions, which cannot be published.
func Tar(r io.Reader, opts *Options) iter.Seq2[manifest.Action, error] {
	return func(yield func(manifest.Action, error) bool) {
		g := newGenerator(opts)
		g.owner = g.owners(tarOwner)
		for t := tar.NewReader(r); ; {
			h, err := t.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			var a manifest.Action
			if err == nil {
				a, _, err = g.member(h)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// tarOwner returns what an archive says about an owner.
func tarOwner(info fs.FileInfo) (owner, group string, err error) {
	h, ok := info.Sys().(*tar.Header)
	if !ok {
		return "", "", reason.Errorf(errors.ErrUnsupported, "%s: no tar header", info.Name())
	}
	owner, group = h.Uname, h.Gname
	if owner == "" {
		owner = fmt.Sprint(h.Uid)
	}
	if group == "" {
		group = fmt.Sprint(h.Gid)
	}
	return owner, group, nil
}

// member makes the action of one member of an archive.
func (g *generator) member(h *tar.Header) (manifest.Action, bool, error) {
	name := strings.TrimRight(h.Name, "/")
	switch h.Typeflag {
	case tar.TypeReg:
		return g.file(manifest.KindFile, name, h.FileInfo())
	case tar.TypeDir:
		return g.file(manifest.KindDir, name, h.FileInfo())
	case tar.TypeSymlink:
		return g.link(manifest.KindLink, name, h.Linkname)
	case tar.TypeLink:
		return g.link(manifest.KindHardlink, name, relative(path.Dir(name), h.Linkname))
	}
	a, err := manifest.NewAction(manifest.KindUnknown, "", manifest.Attr{Name: "path", Value: name})
	return a, true, at(name, err)
}

// TarFS returns the regular files of a tar archive, under the names they have
// there, as a file system to open payloads from. It cannot list them.
func TarFS(r io.ReaderAt, size int64) (fs.FS, error) {
	section := io.NewSectionReader(r, 0, size)
	files := tarFS{}
	for t := tar.NewReader(section); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		// Package tar reads whole blocks, and nothing ahead.
		start, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		name := strings.TrimLeft(path.Clean("/"+h.Name), "/")
		switch {
		case h.Typeflag == tar.TypeReg && !isSparse(h):
			files[name] = tarMember{io.NewSectionReader(r, start, h.Size), h.FileInfo()}
		case h.Typeflag == tar.TypeLink:
			if target, ok := files[strings.TrimLeft(path.Clean("/"+h.Linkname), "/")]; ok {
				files[name] = target
			}
		}
	}
}

// isSparse reports whether the bytes of a member are not all in the archive.
func isSparse(h *tar.Header) bool {
	_, sparse := h.PAXRecords["GNU.sparse.realsize"]
	_, map1 := h.PAXRecords["GNU.sparse.map"]
	_, major := h.PAXRecords["GNU.sparse.major"]
	return sparse || map1 || major
}

type tarFS map[string]tarMember

type tarMember struct {
	data *io.SectionReader
	info fs.FileInfo
}

// Open opens a file. Its reader can be read anywhere.
func (t tarFS) Open(name string) (fs.File, error) {
	m, ok := t[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return tarFile{io.NewSectionReader(m.data, 0, m.data.Size()), m.info}, nil
}

type tarFile struct {
	*io.SectionReader
	info fs.FileInfo
}

func (f tarFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f tarFile) Close() error               { return nil }
