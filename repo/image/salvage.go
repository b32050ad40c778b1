package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/plan"
)

// keptDir holds files that move to another path within one plan.
const keptDir = stageDir + "/kept"

// remove takes away what the old action of a step delivered.
func (e *execution) remove(ctx context.Context, s plan.Step, name string) error {
	fi, err := e.look(name)
	if err != nil || fi == nil {
		return err
	}
	switch s.Old.Kind {
	case manifest.KindDir:
		return e.leaveDir(s, name, fi)
	case manifest.KindFile:
		return e.removeFile(ctx, s, name, fi)
	case manifest.KindLink:
		if s.Decide(e.linkOnDisk(s, name)).Leave {
			return nil
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			return e.salvage(name)
		}
	case manifest.KindHardlink:
		if !fi.Mode().IsRegular() {
			return e.salvage(name)
		}
	}
	return e.tree.remove(name)
}

// leaveDir removes a directory. What others put into it is salvaged with it, unless no
// package had claimed the directory: then it stays.
func (e *execution) leaveDir(s plan.Step, name string, fi fs.FileInfo) error {
	implicit := s.Old.Attrs.Has("implicit")
	if !fi.IsDir() {
		if implicit {
			return nil
		}
		return e.salvage(name)
	}
	if entries, err := e.tree.readDir(name); err != nil || implicit && len(entries) > 0 {
		return err
	}
	return e.removeDir(name)
}

func (e *execution) removeFile(ctx context.Context, s plan.Step, name string, fi fs.FileInfo) error {
	if !fi.Mode().IsRegular() {
		if fi.Mode()&fs.ModeSymlink != 0 {
			return e.tree.remove(name)
		}
		return e.salvage(name)
	}
	if s.Keep {
		return e.putBy(name)
	}
	disk, err := e.disk(ctx, s, name)
	if err != nil {
		return err
	}
	switch d := s.Decide(disk); {
	case d.Salvage:
		return e.salvage(name)
	case d.Remove:
		return e.tree.remove(name)
	}
	return nil
}

// putBy keeps a file for the step that brings it to another path.
func (e *execution) putBy(name string) error {
	kept := e.keptPath(name)
	if err := e.tree.mkdirAll(path.Dir(kept)); err != nil {
		return err
	}
	return e.tree.rename(name, kept)
}

func (e *execution) keptPath(name string) string {
	return e.image.meta(keptDir, strings.ReplaceAll(strings.ReplaceAll(name, "%", "%25"), "/", "%2F"))
}

// bringBack moves a file that was put by to its new path, once.
func (e *execution) bringBack(s plan.Step, name string) error {
	old, err := s.Old.Path()
	if err != nil {
		return err
	}
	kept := e.keptPath(old)
	if !e.exists(kept) {
		return nil
	}
	if err := e.makeParents(name); err != nil {
		return err
	}
	if err := e.clear(name); err != nil {
		return err
	}
	return e.tree.rename(kept, name)
}

// salvage moves what no package delivers, or what was edited, to lost+found.
func (e *execution) salvage(name string) error {
	to := e.image.meta("lost+found", name+"-"+e.stamp)
	for n := 1; e.exists(to); n++ {
		to = e.image.meta("lost+found", fmt.Sprintf("%s-%s.%d", name, e.stamp, n))
	}
	if err := e.tree.mkdirAll(path.Dir(to)); err != nil {
		return err
	}
	e.image.opts.Log.Info("salvaged", "path", name, "to", to)
	return e.tree.rename(name, to)
}

// refill moves what was salvaged from directories that a directory replaces into it:
// the attribute salvage-from names them.
func (e *execution) refill(s plan.Step, name string) error {
	for from := range s.New.Attrs.Values("salvage-from") {
		old, err := manifest.Dir{Path: from}.Action().Path()
		if err != nil {
			return err
		}
		lost := e.image.meta("lost+found", old+"-"+e.stamp)
		entries, err := e.tree.readDir(lost)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			to := path.Join(name, entry.Name())
			if e.exists(to) {
				continue
			}
			if err := e.tree.rename(path.Join(lost, entry.Name()), to); err != nil {
				return err
			}
		}
		if err := e.image.removeEmpty(lost); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// instDate is the time of the plan as the older package system prints it.
func (e *execution) instDate() string {
	t, err := time.Parse(stampLayout, e.stamp)
	if err != nil {
		return ""
	}
	return t.Format("Jan 02 2006 15:04")
}
