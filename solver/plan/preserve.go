package plan

import (
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Disk is what a step finds where its file or link goes. Only a regular file or, for a
// link, a symbolic link counts: anything else is in the way and is moved aside by whoever
// carries out the plan.
type Disk struct {
	Exists bool // a file or link is there
	IsOld  bool // its content, or where it leads, is that of the old action
	IsNew  bool // its content, or where it leads, is that of the new action
}

// A Decision is what becomes of the file on disk and of the content delivered,
// in the order of the fields.
type Decision struct {
	// Leave says that nothing at all is done, not even to mode and owner.
	Leave bool

	// Salvage says that the file on disk goes to lost+found first.
	Salvage bool

	// Aside is the suffix of the name that the file on disk gets first, such as
	// ".old"; "" keeps its name.
	Aside string

	// Deliver says that the content of the action is written: at its path, or
	// where Beside is not "" at its path with that suffix, such as ".new".
	Deliver bool
	Beside  string

	// Remove says that the file on disk is deleted.
	Remove bool
}

// neverKept is for files that nobody is to edit.
const neverKept manifest.Preserve = ""

// preserveOf returns what a value of the attribute means. Values that mean nothing else
// keep the file.
func preserveOf(value string) manifest.Preserve {
	switch p := manifest.Preserve(value); p {
	case neverKept, manifest.PreserveRenameOld, manifest.PreserveRenameNew, manifest.PreserveLegacy,
		manifest.PreserveInstallOnly, manifest.PreserveAbandon:
		return p
	}
	return manifest.PreserveTrue
}

// Editable reports whether the step's file is one that an administrator may edit. Only
// then [Step.Decide] looks at IsOld and IsNew, which cost reading the file.
func (s Step) Editable() bool { return s.preserve() != neverKept }

func (s Step) preserve() manifest.Preserve {
	if s.Phase == Remove {
		return preserved(s.Old)
	}
	if s.New == nil || s.New.Attrs.Has("elfhash") {
		return neverKept
	}
	v, _ := s.New.Attrs.Get("preserve")
	return preserveOf(v)
}

// preserved returns how an installed action is treated.
func preserved(a *manifest.Action) manifest.Preserve {
	if a == nil {
		return neverKept
	}
	v, _ := a.Attrs.Get("preserve")
	if strings.EqualFold(v, "false") {
		return neverKept
	}
	return preserveOf(v)
}

// Decide returns what becomes of a file, or of a link that an administrator may change.
// The step must be that of a file or link action.
//
// It follows the decision procedure of pkg(7), with one addition: content that is
// already on disk is never moved aside or written again. So a step that was carried
// out before, as when an interrupted plan is taken up again, changes nothing.
func (s Step) Decide(d Disk) Decision {
	if s.Action().Kind == manifest.KindLink {
		return s.decideLink(d)
	}
	if s.Phase == Remove {
		return s.decideRemoval(d)
	}
	switch s.preserve() {
	case neverKept:
		return Decision{Deliver: s.ContentChanged() || !d.Exists}
	case manifest.PreserveAbandon:
		return Decision{Leave: true}
	case manifest.PreserveInstallOnly:
		return Decision{Deliver: s.Old == nil && !d.Exists}
	case manifest.PreserveLegacy:
		return s.decideLegacy(d)
	}
	return s.decideEditable(d)
}

// decideLink leaves a link alone that the administrator has removed, or led elsewhere.
func (s Step) decideLink(d Disk) Decision {
	changed := s.Editable() && s.Old != nil && !d.IsOld && !d.IsNew
	switch {
	case changed:
		return Decision{Leave: true}
	case s.Phase == Remove:
		return Decision{Remove: true}
	}
	return Decision{Deliver: true}
}

func (s Step) decideRemoval(d Disk) Decision {
	switch p := preserved(s.Old); {
	case p == manifest.PreserveAbandon, p == manifest.PreserveInstallOnly:
		return Decision{Leave: true}
	case p != neverKept && s.uninstalls() && d.Exists && !d.IsOld:
		return Decision{Salvage: true}
	}
	return Decision{Remove: true}
}

// decideLegacy handles files that are delivered only to replace what an older
// version delivered.
func (s Step) decideLegacy(d Disk) Decision {
	if s.Old == nil {
		return Decision{Salvage: d.Exists && s.installs()}
	}
	if d.Exists && d.IsNew {
		return Decision{}
	}
	dec := Decision{Deliver: true}
	if d.Exists && preserved(s.Old) != manifest.PreserveLegacy && !s.repairs() {
		dec.Aside = ".legacy"
	}
	return dec
}

// decideEditable handles preserve=true, renameold, renamenew and every value
// that means nothing else.
func (s Step) decideEditable(d Disk) Decision {
	switch {
	case !d.Exists:
		return Decision{Deliver: true}
	case s.Old == nil && d.IsNew && s.installs():
		return Decision{}
	case s.Old == nil && s.installs():
		return Decision{Salvage: true, Deliver: true}
	case s.Old != nil && s.downgrades() && s.ContentChanged():
		return s.decideDowngrade(d)
	case s.Old == nil || !d.IsOld:
		return s.decideEdited(d)
	}
	return Decision{Deliver: s.ContentChanged()}
}

// decideDowngrade keeps the file of the newer version, unless the older one is
// declared not to understand it.
func (s Step) decideDowngrade(d Disk) Decision {
	if d.IsOld || d.IsNew || !preserveVersion(s.Old).Greater(preserveVersion(s.New)) {
		return Decision{}
	}
	return Decision{Aside: ".update", Deliver: true}
}

// decideEdited handles a file that differs from what was delivered.
func (s Step) decideEdited(d Disk) Decision {
	if d.IsNew || s.repairs() {
		return Decision{}
	}
	switch s.preserve() {
	case manifest.PreserveRenameOld:
		return Decision{Aside: ".old", Deliver: true}
	case manifest.PreserveRenameNew:
		return Decision{Deliver: true, Beside: ".new"}
	}
	return Decision{}
}

// installs reports whether the step's package was not there before in any version.
func (s Step) installs() bool { return !s.Package.From.IsValid() }

// uninstalls reports whether the step's package goes altogether.
func (s Step) uninstalls() bool { return !s.Package.To.IsValid() }

// repairs reports whether the step reinstalls the version that is there.
func (s Step) repairs() bool { return s.Package.From == s.Package.To }

// downgrades reports whether the step's package becomes older.
func (s Step) downgrades() bool {
	from, to := s.Package.From, s.Package.To
	return from.Name() == to.Name() && to.Version().Compare(from.Version()) < 0
}

// dots is the value of preserve-version.
type dots struct{ fmri.Dots }

// Greater reports whether d is a later version than e.
func (d dots) Greater(e dots) bool { return d.Compare(e.Dots) > 0 }

func preserveVersion(a *manifest.Action) dots {
	text, ok := a.Attrs.Get("preserve-version")
	if !ok {
		text = "0"
	}
	v, err := fmri.ParseVersion(text)
	if err != nil {
		return dots{"0"}
	}
	return dots{v.Release()}
}
