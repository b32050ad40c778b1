package image

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver/plan"
)

// An execution is one plan in the course of being carried out.
type execution struct {
	image  *Image
	tree   *tree
	plan   *plan.Plan
	owners *owners
	stamp  string // time in the names of what is salvaged

	links map[string]bool // paths of symbolic links that the plan removes
	uses  map[string]int  // steps that may still want a staged payload
	steps [4]int          // number of steps in each phase
	done  [4]int
}

func (i *Image) newExecution(p *plan.Plan, stamp string) *execution {
	e := &execution{
		image: i, tree: i.tree, plan: p, stamp: stamp, owners: i.newOwners(),
		links: map[string]bool{}, uses: map[string]int{},
	}
	for s := range p.Steps() {
		e.steps[s.Phase]++
		if name, err := s.Action().Path(); err == nil && s.Phase == plan.Remove && s.Old.Kind == manifest.KindLink {
			e.links[name] = true
		}
		if s.New != nil && s.New.Kind.HasPayload() {
			if p, err := contentOf(s); err == nil {
				e.uses[stageName(p)]++
			}
		}
	}
	return e
}

// check refuses what cannot be carried out before anything is changed.
func (e *execution) check() error {
	for s := range e.plan.Steps() {
		if err := e.checkStep(s); err != nil {
			return stepError(s, err)
		}
	}
	return nil
}

func (e *execution) checkStep(s plan.Step) error {
	a := s.Action()
	switch a.Kind {
	case manifest.KindUser, manifest.KindGroup, manifest.KindDriver:
		if e.image.opts.Host == nil {
			return because(errors.ErrUnsupported, "nothing here carries out %v actions: the image was opened without a Host", a.Kind)
		}
		return nil
	case manifest.KindLicense, manifest.KindLegacy:
		return nil
	}
	name, err := a.Path()
	if err != nil {
		return err
	}
	if _, err := e.look(name); err != nil {
		return err
	}
	if s.Phase == plan.Remove || a.Kind != manifest.KindFile && a.Kind != manifest.KindDir {
		return nil
	}
	_, err = e.attributes(a)
	return err
}

// look describes what is at a path, nil if there is nothing. There is also nothing where
// a directory on the way is no directory, or a link that the plan removes.
func (e *execution) look(name string) (fs.FileInfo, error) {
	fi, err := e.tree.lstat(name)
	var link *LinkError
	switch {
	case err == nil:
		return fi, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotDir):
		return nil, nil
	case errors.As(err, &link) && e.links[link.Link]:
		return nil, nil
	}
	return nil, err
}

// run carries out the steps in order.
func (e *execution) run(ctx context.Context) error {
	if e.steps[plan.Remove] > 0 && !e.removalsAreDone() {
		if err := e.phases(ctx, plan.Remove, plan.Remove); err != nil {
			return err
		}
		if err := e.removalsDone(); err != nil {
			return err
		}
	}
	if err := e.phases(ctx, plan.Install, plan.Update); err != nil {
		return err
	}
	return e.actuate(ctx)
}

// phases carries out the steps from one phase to another.
func (e *execution) phases(ctx context.Context, from, to plan.Phase) error {
	for s := range e.plan.Steps() {
		if s.Phase < from || s.Phase > to {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.step(ctx, s); ctx.Err() != nil {
			return ctx.Err() // the step was cut off, and is finished later
		} else if err != nil {
			return stepError(s, err)
		}
		e.progress(s)
	}
	return nil
}

func (e *execution) progress(s plan.Step) {
	e.done[s.Phase]++
	key, _ := s.Action().Key()
	e.image.opts.Progress(repo.Event{Op: s.Phase.String(), Name: key, Done: e.done[s.Phase], Total: e.steps[s.Phase]})
}

// actuate hands the actuators to the host, if there is one.
func (e *execution) actuate(ctx context.Context) error {
	var list []plan.Actuator
	for a := range e.plan.Actuators() {
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil
	}
	if e.image.opts.Host == nil {
		e.image.opts.Log.Info("actuators are not run: the image has no host", "count", len(list))
		return nil
	}
	return e.image.opts.Host.Actuate(ctx, list)
}

func (e *execution) step(ctx context.Context, s plan.Step) error {
	switch s.Action().Kind {
	case manifest.KindUser, manifest.KindGroup, manifest.KindDriver:
		if e.image.opts.Host == nil {
			return errors.ErrUnsupported
		}
		return e.image.opts.Host.Change(ctx, s)
	case manifest.KindLicense:
		return e.license(ctx, s)
	case manifest.KindLegacy:
		return e.legacy(s)
	}
	name, err := s.Action().Path()
	if err != nil {
		return err
	}
	if s.Phase == plan.Remove {
		return e.remove(ctx, s, name)
	}
	switch s.New.Kind {
	case manifest.KindDir:
		return e.dir(s, name)
	case manifest.KindFile:
		return e.file(ctx, s, name)
	case manifest.KindLink:
		return e.link(s, name)
	case manifest.KindHardlink:
		return e.hardlink(s, name)
	}
	return errors.ErrUnsupported
}

// attributes are what an action says about the inode of a file or directory.
type attributes struct {
	mode     fs.FileMode
	uid, gid int
	mtime    time.Time // zero: not said
}

func (e *execution) attributes(a manifest.Action) (at attributes, err error) {
	d, err := a.Decode()
	if err != nil {
		return at, err
	}
	var owner, group string
	switch d := d.(type) {
	case manifest.File:
		owner, group, at.mode, at.mtime = d.Owner, d.Group, d.Mode, d.Timestamp
	case manifest.Dir:
		owner, group, at.mode = d.Owner, d.Group, d.Mode
	}
	at.uid, at.gid, err = e.owners.lookup(owner, group)
	return at, err
}

// modeBits are the bits of a mode that actions can set.
const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// apply gives an inode its owner and mode, in this order: a change of owner clears
// the set-id bits.
func (e *execution) apply(name string, at attributes) error {
	if e.owners.enforced {
		if err := e.tree.lchown(name, at.uid, at.gid); err != nil {
			return err
		}
	}
	return e.tree.chmod(name, at.mode)
}

// makeParents makes the missing directories above name, with owner and mode of the
// nearest one that is there.
func (e *execution) makeParents(name string) error {
	dir := path.Dir(name)
	if dir == "." {
		return nil
	}
	fi, err := e.tree.lstat(dir)
	if err == nil {
		if fi.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errNotDir}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := e.makeParents(dir); err != nil {
		return err
	}
	above, err := e.stat(path.Dir(dir))
	if err != nil {
		return err
	}
	if err := e.tree.mkdir(dir, 0o755); err != nil {
		return err
	}
	uid, gid := ownerOf(above)
	return e.apply(dir, attributes{mode: above.Mode() & modeBits, uid: uid, gid: gid})
}

// stat describes a directory, which may be the root.
func (e *execution) stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return e.tree.root.Lstat(".")
	}
	return e.tree.lstat(name)
}

// dir makes a directory or corrects the one that is there.
func (e *execution) dir(s plan.Step, name string) error {
	at, err := e.attributes(*s.New)
	if err != nil {
		return err
	}
	if err := e.makeParents(name); err != nil {
		return err
	}
	fi, err := e.tree.lstat(name)
	switch {
	case err == nil && fi.Mode()&fs.ModeSymlink != 0:
		return because(fs.ErrInvalid, "somebody has replaced the directory with a link")
	case err == nil && !fi.IsDir():
		if err := e.salvage(name); err != nil {
			return err
		}
		fi = nil
	case errors.Is(err, fs.ErrNotExist):
		fi = nil
	case err != nil:
		return err
	}
	if fi == nil {
		if err := e.tree.mkdir(name, 0o700); err != nil {
			return err
		}
	}
	if err := e.apply(name, at); err != nil {
		return err
	}
	return e.refill(s, name)
}

// disk tells what a step finds at a path. Hashes are taken only where they matter.
func (e *execution) disk(ctx context.Context, s plan.Step, name string) (d plan.Disk, err error) {
	fi, err := e.look(name)
	if err != nil || fi == nil || !fi.Mode().IsRegular() {
		return d, err
	}
	d.Exists = true
	if !s.Editable() {
		return d, nil
	}
	if d.IsOld, err = e.is(ctx, name, s.Old); err != nil {
		return d, err
	}
	d.IsNew, err = e.is(ctx, name, s.New)
	return d, err
}

// is reports whether a file has the content of an action.
func (e *execution) is(ctx context.Context, name string, a *manifest.Action) (bool, error) {
	if a == nil {
		return false, nil
	}
	p, err := a.Payload()
	if err != nil || p.Content.IsEmpty() {
		return false, nil // nothing is known to be the content of such an action
	}
	return hasContent(ctx, e.tree, name, p)
}

// file installs or updates a file.
func (e *execution) file(ctx context.Context, s plan.Step, name string) error {
	at, err := e.attributes(*s.New)
	if err != nil {
		return err
	}
	if s.Moved() {
		if err := e.bringBack(s, name); err != nil {
			return err
		}
	}
	disk, err := e.disk(ctx, s, name)
	if err != nil {
		return err
	}
	d := s.Decide(disk)
	switch {
	case d.Leave:
		return nil
	case d.Salvage:
		err = e.salvage(name)
		disk.Exists = false
	case d.Aside != "":
		err = e.tree.rename(name, name+d.Aside)
	}
	if err != nil {
		return err
	}
	if d.Deliver {
		return e.deliver(ctx, s, name+d.Beside, at)
	}
	if disk.Exists {
		return e.apply(name, at)
	}
	return nil
}

// deliver writes the content of a file to a path, in one moment.
func (e *execution) deliver(ctx context.Context, s plan.Step, name string, at attributes) error {
	p, err := contentOf(s)
	if err != nil {
		return err
	}
	if err := e.makeParents(name); err != nil {
		return err
	}
	staged, id := e.image.stagePath(p), stageName(p)
	if !e.exists(staged) {
		return e.delivered(ctx, name, p, at)
	}
	if err := e.clear(name); err != nil {
		return err
	}
	e.uses[id]--
	if e.uses[id] <= 0 {
		err := e.place(staged, name, at)
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
	}
	tmp := tempName(name)
	if err := e.copyFile(ctx, staged, tmp, at); err != nil {
		return err
	}
	return e.tree.rename(tmp, name)
}

// delivered accepts a file that has its content from an earlier attempt.
func (e *execution) delivered(ctx context.Context, name string, p manifest.Payload, at attributes) error {
	ok, err := hasContent(ctx, e.tree, name, p)
	if err != nil {
		return err
	}
	if !ok {
		return because(fs.ErrNotExist, "its content %s is not among what was fetched", stageName(p))
	}
	return e.apply(name, at)
}

// place gives a finished file its attributes and then its name.
func (e *execution) place(from, name string, at attributes) error {
	if err := e.apply(from, at); err != nil {
		return err
	}
	if !at.mtime.IsZero() {
		if err := e.tree.chtimes(from, at.mtime); err != nil {
			return err
		}
	}
	return e.tree.rename(from, name)
}

// copyFile copies a file. It is the new file itself that gets the attributes, not what
// may have its name by then: other users may write to the directory.
func (e *execution) copyFile(ctx context.Context, from, to string, at attributes) error {
	src, err := e.tree.open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := e.tree.remove(to); err != nil {
		return err
	}
	dst, err := e.tree.create(to, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, &reading{ctx: ctx, from: src})
	if err == nil && e.owners.enforced {
		err = dst.Chown(at.uid, at.gid)
	}
	if err == nil {
		err = dst.Chmod(at.mode)
	}
	if err == nil {
		err = e.tree.syncFile(dst)
	}
	if err := errors.Join(err, dst.Close()); err != nil || at.mtime.IsZero() {
		return named("copy", to, err)
	}
	return e.tree.chtimes(to, at.mtime)
}

// clear makes room for something that is no directory. What can be replaced in one
// moment stays until then.
func (e *execution) clear(name string) error {
	fi, err := e.tree.lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !fi.IsDir() {
		return err
	}
	return e.removeDir(name)
}

// removeDir removes an empty directory and salvages any other one.
func (e *execution) removeDir(name string) error {
	entries, err := e.tree.readDir(name)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return e.salvage(name)
	}
	return e.tree.remove(name)
}
