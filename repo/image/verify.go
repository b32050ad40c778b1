package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver/plan"
)

// A Finding is one thing on disk that is not as a package has it.
type Finding struct {
	Package fmri.FMRI
	Action  manifest.Action
	Problem Problem
	Got     string // what is on disk, where there is something to say
	Want    string // what the package has
}

// Info reports whether the finding is no error: an administrator may edit the file.
func (f Finding) Info() bool { return f.Problem == Edited }

// String returns a line such as "file usr/bin/x: mode: 0600 should be 0555".
func (f Finding) String() string {
	key, _ := f.Action.Key()
	return fmt.Sprintf("%v %s: %s", f.Action.Kind, key, f.Message())
}

// Message returns what is wrong, such as "mode: 0600 should be 0555".
func (f Finding) Message() string {
	switch {
	case f.Got == "" && f.Want == "":
		return f.Problem.String()
	case f.Want == "":
		return f.Problem.String() + ": " + f.Got
	}
	return fmt.Sprintf("%v: %s should be %s", f.Problem, f.Got, f.Want)
}

// A Problem is a kind of finding.
type Problem uint8

const (
	Missing     Problem = iota + 1
	WrongType           // something else is there
	WrongOwner          // or is not known
	WrongGroup          // or is not known
	WrongMode           //
	WrongSize           // in bytes, where there is no hash
	WrongHash           //
	WrongTime           //
	WrongTarget         // of a link
	WrongInode          // a hardlink is not the file it names
	Unexpected          // there, though variants or facets leave it out
	Edited              // content of a file that may be edited
	Unreadable          //
)

var problemNames = [...]string{
	"no problem", "missing", "file type", "owner", "group", "mode", "size", "hash", "timestamp",
	"target", "not the same file as its target", "should not exist", "edited", "not readable",
}

// String returns the word or words that begin a finding.
func (p Problem) String() string {
	if int(p) >= len(problemNames) {
		p = 0
	}
	return problemNames[p]
}

// Verify compares packages with what is on disk; nil means all that are installed. It
// yields what it finds, package by package; an error concerns one package as a whole,
// and the next one follows.
//
// It looks at the type, mode, size, content and time of change of files, the type and
// mode of directories, the targets of links and hardlinks, and the text of licenses,
// and, running as the superuser, at owners. Users, groups, drivers and dependencies
// are not looked at.
func (i *Image) Verify(ctx context.Context, pkgs iter.Seq[fmri.FMRI]) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		r := i.newReader()
		defer r.close()
		if pkgs == nil {
			pkgs = r.state.packages()
		}
		v := verifier{at: r, owners: i.newOwners()}
		v.owners.tree = r.tree
		list := slices.Collect(pkgs)
		overlays, err := v.overlays(ctx, list)
		if err != nil {
			yield(Finding{}, wrapped("verify", i.path, err))
			return
		}
		v.overlaid = overlays
		for n, f := range list {
			i.opts.Progress(repo.Event{Op: "verify", FMRI: f, Done: n, Total: len(list)})
			if !v.verify(ctx, f, yield) {
				return
			}
		}
	}
}

// A verifier looks at packages one after the other.
type verifier struct {
	at       *reader
	owners   *owners
	overlaid map[string]bool // paths of files that another package lays one over
}

// overlays returns the paths at which any installed package lays a file over another.
func (v *verifier) overlays(ctx context.Context, pkgs []fmri.FMRI) (map[string]bool, error) {
	paths := map[string]bool{}
	for f := range v.at.state.packages() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := v.at.image.localManifest(v.at.tree, f, manifest.Digest{})
		if err != nil {
			if slices.Contains(pkgs, f) {
				continue // reported with the package
			}
			return nil, err
		}
		for a := range m.Kind(manifest.KindFile) {
			if over, _ := a.Attrs.Get("overlay"); manifest.Overlay(over) == manifest.OverlayTrue && v.at.filter.Allows(a) {
				if name, err := a.Path(); err == nil {
					paths[name] = true
				}
			}
		}
	}
	return paths, nil
}

// verify looks at one package; it returns false when the caller wants no more.
func (v *verifier) verify(ctx context.Context, f fmri.FMRI, yield func(Finding, error) bool) bool {
	m, err := v.at.installed(ctx, f)
	if err != nil {
		return yield(Finding{Package: f}, wrapped("verify", v.at.image.path, err))
	}
	for a := range m.All() {
		findings := v.action(ctx, f, a)
		if err := ctx.Err(); err != nil {
			yield(Finding{Package: f}, wrapped("verify", v.at.image.path, err))
			return false
		}
		for _, found := range findings {
			found.Package, found.Action = f, a
			if !yield(found, nil) {
				return false
			}
		}
	}
	return true
}

// action compares one action with the disk.
func (v *verifier) action(ctx context.Context, pkg fmri.FMRI, a manifest.Action) []Finding {
	if a.Kind == manifest.KindLicense {
		return v.license(ctx, pkg, a)
	}
	if a.Kind.Group() != manifest.KindDir {
		return nil
	}
	name, err := a.Path()
	if err != nil {
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	fi, err := v.at.tree.lstat(name)
	var link *LinkError
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || errors.As(err, &link)
	if err != nil && !missing {
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	if !v.at.filter.Allows(a) {
		if !missing && !a.Kind.RefCounted() && !v.delivered(name) {
			return []Finding{{Problem: Unexpected}}
		}
		return nil
	}
	preserve, _ := a.Attrs.Get("preserve")
	over, _ := a.Attrs.Get("overlay")
	switch {
	case !v.at.state.settled(a), v.at.out.excludes(a), a.Kind == manifest.KindLink && editable(a):
		return nil
	case a.Kind == manifest.KindFile && manifest.Preserve(preserve) == manifest.PreserveAbandon, manifest.Overlay(over) == manifest.OverlayAllow && v.overlaid[name]:
		return nil
	case missing && a.Kind == manifest.KindFile && manifest.Preserve(preserve) == manifest.PreserveLegacy:
		return nil
	case missing:
		return []Finding{{Problem: Missing}}
	}
	return v.compare(ctx, a, name, fi)
}

// settled reports whether an action is no link, or one that the image has settled on.
func (s *state) settled(a manifest.Action) bool {
	m, mediated := a.Mediation()
	if !mediated || m.Version == "" && m.Implementation == "" {
		return true
	}
	return slices.ContainsFunc(s.config.Mediators, func(c manifest.Choice) bool {
		return m.Matches(c.Mediation())
	})
}

// editable reports whether an administrator may change what an action delivers.
func editable(a manifest.Action) bool {
	return plan.Step{Phase: plan.Remove, Change: manifest.Change{Old: &a}}.Editable()
}

// delivered reports whether an installed package has something at a path.
func (v *verifier) delivered(name string) bool {
	for f := range v.at.state.packages() {
		m, err := v.at.image.localManifest(v.at.tree, f, manifest.Digest{})
		if err != nil {
			continue
		}
		for a := range m.All() {
			if a.Kind.Group() != manifest.KindDir || !v.at.filter.Allows(a) {
				continue
			}
			if there, err := a.Path(); err == nil && (there == name || strings.HasPrefix(there, name+"/")) {
				return true
			}
		}
	}
	return false
}

// compare compares an action with what is at its path.
func (v *verifier) compare(ctx context.Context, a manifest.Action, name string, fi fs.FileInfo) []Finding {
	if want := wantedType(a.Kind); fi.Mode().Type() != want {
		return []Finding{{Problem: WrongType, Got: typeName(fi.Mode()), Want: typeName(want)}}
	}
	switch a.Kind {
	case manifest.KindLink:
		return v.link(a, name)
	case manifest.KindHardlink:
		return v.hardlink(a, fi)
	}
	found := v.inode(a, fi)
	if a.Kind == manifest.KindFile {
		found = append(found, v.content(ctx, a, name, fi)...)
	}
	return found
}

func wantedType(k manifest.Kind) fs.FileMode {
	switch k {
	case manifest.KindDir:
		return fs.ModeDir
	case manifest.KindLink:
		return fs.ModeSymlink
	}
	return 0
}

func typeName(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "regular file"
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	}
	return "special file"
}

func (v *verifier) link(a manifest.Action, name string) []Finding {
	want, _ := a.Attrs.Get("target")
	got, err := v.at.tree.readlink(name)
	if err != nil {
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	if got != want {
		return []Finding{{Problem: WrongTarget, Got: got, Want: want}}
	}
	return nil
}

func (v *verifier) hardlink(a manifest.Action, fi fs.FileInfo) []Finding {
	target, err := a.Target()
	if err != nil {
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	file, err := v.at.tree.lstat(target)
	if err != nil {
		return []Finding{{Problem: WrongTarget, Got: "missing", Want: target}}
	}
	if !os.SameFile(file, fi) {
		return []Finding{{Problem: WrongInode}}
	}
	return nil
}

// inode compares owner, group and mode.
func (v *verifier) inode(a manifest.Action, fi fs.FileInfo) []Finding {
	var owner, group string
	var want fs.FileMode
	switch d, err := a.Decode(); d := d.(type) {
	case manifest.File:
		owner, group, want = d.Owner, d.Group, d.Mode
	case manifest.Dir:
		owner, group, want = d.Owner, d.Group, d.Mode
	default:
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	found := v.ownership(owner, group, fi)
	if got := fi.Mode() & modeBits; got != want {
		found = append(found, Finding{Problem: WrongMode, Got: formatMode(got), Want: formatMode(want)})
	}
	return found
}

func (v *verifier) ownership(owner, group string, fi fs.FileInfo) (found []Finding) {
	if !v.owners.enforced {
		return nil
	}
	gotUID, gotGID := ownerOf(fi)
	if uid, err := v.owners.uid(owner); err != nil {
		found = append(found, Finding{Problem: WrongOwner, Got: err.Error()})
	} else if uid != gotUID {
		found = append(found, Finding{Problem: WrongOwner, Got: fmt.Sprint(gotUID), Want: fmt.Sprintf("%s (%d)", owner, uid)})
	}
	if gid, err := v.owners.gid(group); err != nil {
		found = append(found, Finding{Problem: WrongGroup, Got: err.Error()})
	} else if gid != gotGID {
		found = append(found, Finding{Problem: WrongGroup, Got: fmt.Sprint(gotGID), Want: fmt.Sprintf("%s (%d)", group, gid)})
	}
	return found
}

// formatMode prints a mode as actions have it.
func formatMode(m fs.FileMode) string {
	n := uint32(m.Perm())
	for bit, set := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&set != 0 {
			n |= bit
		}
	}
	return fmt.Sprintf("%04o", n)
}

// content compares what is in a file, and its time of change where the package says it.
func (v *verifier) content(ctx context.Context, a manifest.Action, name string, fi fs.FileInfo) []Finding {
	if mount, _ := a.Attrs.Get("mountpoint"); mount == "true" {
		return nil
	}
	p, err := a.Payload()
	if err == nil && p.Content.IsEmpty() {
		return nil
	}
	same, got := false, manifest.Digest{}
	if err == nil {
		same, got, err = v.sameContent(ctx, name, p)
	}
	if err != nil {
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	}
	if a.Attrs.Has("preserve") && !a.Attrs.Has("elfhash") {
		if !same {
			return []Finding{{Problem: Edited}}
		}
		return nil
	}
	var found []Finding
	if text, ok := a.Attrs.Get("timestamp"); ok && text != fi.ModTime().UTC().Format(stampLayout) {
		found = append(found, Finding{Problem: WrongTime, Got: fi.ModTime().UTC().Format(stampLayout), Want: text})
	}
	if p.Size >= 0 && fi.Size() != p.Size && p.Content.Best() == p.Name() {
		found = append(found, Finding{Problem: WrongSize, Got: fmt.Sprint(fi.Size()), Want: fmt.Sprint(p.Size)})
	}
	if !same {
		found = append(found, Finding{Problem: WrongHash, Got: got.Hex(), Want: p.Content.Best().Hex()})
	}
	return found
}

func (v *verifier) sameContent(ctx context.Context, name string, p manifest.Payload) (same bool, got manifest.Digest, err error) {
	f, err := v.at.tree.open(name)
	if err != nil {
		return false, got, err
	}
	defer f.Close()
	got, err = v.at.tree.digest(ctx, f, p)
	return got == p.Content.Best(), got, err
}

// license compares the text that is kept of a license.
func (v *verifier) license(ctx context.Context, pkg fmri.FMRI, a manifest.Action) []Finding {
	if !v.at.filter.Allows(a) {
		return nil
	}
	p, err := a.Payload()
	same, got := false, manifest.Digest{}
	if err == nil {
		same, got, err = v.sameContent(ctx, v.at.image.licensePath(pkg, a), p)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{{Problem: Missing}}
	case err != nil:
		return []Finding{{Problem: Unreadable, Got: err.Error()}}
	case !same:
		return []Finding{{Problem: WrongHash, Got: got.Hex(), Want: p.Content.Best().Hex()}}
	}
	return nil
}
