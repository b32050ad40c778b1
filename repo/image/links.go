package image

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/plan"
)

// link makes a symbolic link, replacing whatever is there.
func (e *execution) link(s plan.Step, name string) error {
	target, _ := s.New.Attrs.Get("target")
	if err := e.makeParents(name); err != nil {
		return err
	}
	if got, err := e.tree.readlink(name); err == nil && got == target {
		return nil
	}
	if s.Decide(e.linkOnDisk(s, name)).Leave {
		return nil
	}
	if err := e.clear(name); err != nil {
		return err
	}
	tmp := tempName(name)
	if err := e.tree.remove(tmp); err != nil {
		return err
	}
	if err := e.tree.symlink(target, tmp); err != nil {
		return err
	}
	return e.tree.rename(tmp, name)
}

// linkOnDisk tells what a step of a link finds at a path.
func (e *execution) linkOnDisk(s plan.Step, name string) (d plan.Disk) {
	got, err := e.tree.readlink(name)
	if err != nil {
		return d
	}
	leads := func(a *manifest.Action) bool {
		if a == nil {
			return false
		}
		target, _ := a.Attrs.Get("target")
		return got == target
	}
	return plan.Disk{Exists: true, IsOld: leads(s.Old), IsNew: leads(s.New)}
}

// hardlink makes another name of a file of the image.
func (e *execution) hardlink(s plan.Step, name string) error {
	target, err := s.New.Target()
	if err != nil {
		return err
	}
	if err := e.makeParents(name); err != nil {
		return err
	}
	file, err := e.tree.lstat(target)
	if err != nil {
		return err
	}
	if !file.Mode().IsRegular() {
		return because(fs.ErrInvalid, "its target %s is not a regular file", target)
	}
	if there, err := e.tree.lstat(name); err == nil && os.SameFile(there, file) {
		return nil
	}
	if err := e.clear(name); err != nil {
		return err
	}
	return e.placeLink(target, name, file)
}

// placeLink gives a file another name. It is made beside the first one, and moved when it
// is certain that nobody has exchanged the file.
func (e *execution) placeLink(target, name string, file fs.FileInfo) error {
	tmp := tempName(path.Join(path.Dir(target), path.Base(name)))
	if err := e.tree.remove(tmp); err != nil {
		return err
	}
	if err := e.tree.link(target, tmp); err != nil {
		return err
	}
	made, err := e.tree.lstat(tmp)
	if err == nil && !os.SameFile(made, file) {
		err = because(fs.ErrInvalid, "somebody has replaced its target %s meanwhile", target)
	}
	if err == nil {
		err = e.tree.rename(tmp, name)
	}
	if err != nil {
		return errors.Join(err, e.tree.remove(tmp))
	}
	return nil
}
