package image

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/plan"
)

// licensePath is where the text of a license is kept: for each package name, not for
// each version.
func (e *execution) licensePath(s plan.Step) string {
	pkg := s.Package.To
	if s.Phase == plan.Remove {
		pkg = s.Package.From
	}
	return e.image.licensePath(pkg, s.Action())
}

func (i *Image) licensePath(pkg fmri.FMRI, a manifest.Action) string {
	name, _ := a.Key()
	return i.meta("license", fmri.Escape(pkg.Name()), "license."+fmri.Escape(name))
}

// license keeps the text of a license, or forgets it.
func (e *execution) license(ctx context.Context, s plan.Step) error {
	name := e.licensePath(s)
	if s.Phase == plan.Remove {
		if err := e.tree.remove(name); err != nil {
			return err
		}
		return e.image.removeEmpty(path.Dir(name))
	}
	at := attributes{mode: 0o444}
	if !s.ContentChanged() && e.exists(name) {
		return e.apply(name, at)
	}
	if err := e.tree.mkdirAll(path.Dir(name)); err != nil {
		return err
	}
	return e.deliver(ctx, s, name, at)
}

// legacy writes the file by which the older package system knows a package.
func (e *execution) legacy(s plan.Step) error {
	d, err := s.Action().Decode()
	if err != nil {
		return err
	}
	l, ok := d.(manifest.Legacy)
	if !ok {
		return errors.ErrUnsupported
	}
	name := path.Join("var/sadm/pkg", l.Pkg, "pkginfo")
	if s.Phase == plan.Remove {
		return e.tree.remove(name)
	}
	if err := e.makeParents(name); err != nil {
		return err
	}
	if err := e.clear(name); err != nil {
		return err
	}
	tmp := tempName(name)
	if err := e.tree.remove(tmp); err != nil {
		return err
	}
	if err := e.image.writeNew(tmp, e.pkginfo(s, l), time.Time{}); err != nil {
		return err
	}
	return e.place(tmp, name, attributes{mode: 0o444})
}

// pkginfo is the text of the file: a line NAME=value for everything that is known.
func (e *execution) pkginfo(s plan.Step, l manifest.Legacy) []byte {
	arch := e.image.state.Load().config.Varcets.Variants["variant.arch"]
	var text bytes.Buffer
	for _, field := range [][2]string{
		{"PKG", l.Pkg},
		{"NAME", l.Name},
		{"DESC", l.Desc},
		{"ARCH", cmp.Or(l.Arch, arch)},
		{"CATEGORY", cmp.Or(l.Category, "system")},
		{"VERSION", cmp.Or(l.Version, s.Package.To.Version().String())},
		{"VENDOR", l.Vendor},
		{"HOTLINE", l.Hotline},
		{"BASEDIR", cmp.Or(l.BaseDir, "/")},
		{"PKGINST", cmp.Or(l.PkgInst, l.Pkg)},
		{"PSTAMP", l.PStamp},
		{"SUNW_PRODVERS", l.SunwProdVers},
		{"INSTDATE", e.instDate()},
	} {
		if field[1] != "" {
			fmt.Fprintf(&text, "%s=%s\n", field[0], field[1])
		}
	}
	return text.Bytes()
}
