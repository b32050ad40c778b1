package manifest

import (
	"io/fs"
	"time"
)

// A File is a regular file.
type File struct {
	Path  string      // see [Action.Path]
	Owner string      // name of a user
	Group string      // name of a group
	Mode  fs.FileMode // zero if there is none; mode=0000 would be in Extra

	Preserve        Preserve
	PreserveVersion string // release below which a downgrade does not keep an edited file
	Overlay         Overlay
	OriginalName    string // where the file was before, as package:path
	ReleaseNote     []string
	RevertTags      []string
	SysAttrs        []string  // of the file system
	Timestamp       time.Time // of the last change, in seconds; zero for that of installing

	Source  string  // before publication, the name of the file whose content it gets
	Payload Payload // when published
	Extra   Attrs
}

// Action returns the action that f stands for.
func (f File) Action() Action { return encode(f) }
func (File) kind() Kind       { return KindFile }

func (f *File) bind(c *codec) {
	c.path("path", &f.Path)
	c.text("owner", &f.Owner)
	c.text("group", &f.Group)
	c.mode(&f.Mode)
	c.text("preserve", (*string)(&f.Preserve))
	c.text("preserve-version", &f.PreserveVersion)
	c.text("overlay", (*string)(&f.Overlay))
	c.text("original_name", &f.OriginalName)
	c.list("release-note", &f.ReleaseNote)
	c.list("revert-tag", &f.RevertTags)
	c.list("sysattr", &f.SysAttrs)
	c.time("timestamp", &f.Timestamp)
	c.payload(&f.Payload, &f.Source)
	c.extra(&f.Extra)
}

// Preserve says what happens to a file that people edit, when a package brings another
// content for it or goes. The zero Preserve is that of files which nobody is to edit. Any
// text but those below is as good as PreserveTrue.
type Preserve string

// The ways to preserve a file.
const (
	PreserveTrue        Preserve = "true"         // the edited file stays
	PreserveRenameOld   Preserve = "renameold"    // the edited file is put aside, as .old
	PreserveRenameNew   Preserve = "renamenew"    // the new file is put beside it, as .new
	PreserveLegacy      Preserve = "legacy"       // like PreserveRenameOld, as .legacy, if a package takes it over; else it is not delivered
	PreserveAbandon     Preserve = "abandon"      // nobody touches the file
	PreserveInstallOnly Preserve = "install-only" // delivered where there is none, and never touched after
)

// Overlay says how two packages share a file. The zero Overlay is that of files which
// only one package delivers.
type Overlay string

// The sides of an overlay.
const (
	OverlayAllow Overlay = "allow" // another package may deliver the file, too
	OverlayTrue  Overlay = "true"  // the file is delivered in place of one that allows it
)

// A Dir is a directory.
type Dir struct {
	Path  string      // see [Action.Path]
	Owner string      // name of a user
	Group string      // name of a group
	Mode  fs.FileMode // zero if there is none; mode=0000 would be in Extra

	RevertTags  []string // as tag=pattern
	SalvageFrom []string // directories whose salvaged content is moved here
	Extra       Attrs
}

// Action returns the action that d stands for.
func (d Dir) Action() Action { return encode(d) }
func (Dir) kind() Kind       { return KindDir }

func (d *Dir) bind(c *codec) {
	c.path("path", &d.Path)
	c.text("owner", &d.Owner)
	c.text("group", &d.Group)
	c.mode(&d.Mode)
	c.list("revert-tag", &d.RevertTags)
	c.list("salvage-from", &d.SalvageFrom)
	c.extra(&d.Extra)
}

// A Link is a symbolic link.
type Link struct {
	Path      string    // see [Action.Path]
	Target    string    // what the link says, whatever that is
	Mediation Mediation // zero if the link is not mediated
	Extra     Attrs
}

// Action returns the action that l stands for.
func (l Link) Action() Action { return encode(l) }
func (Link) kind() Kind       { return KindLink }

func (l *Link) bind(c *codec) {
	c.path("path", &l.Path)
	c.text("target", &l.Target)
	c.mediation(&l.Mediation)
	c.extra(&l.Extra)
}

// A Hardlink is one more name of a file.
type Hardlink struct {
	Path      string    // see [Action.Path]
	Target    string    // as written, and known to be in the image; see [Action.Target]
	Mediation Mediation // zero if the link is not mediated
	Extra     Attrs
}

// Action returns the action that h stands for.
func (h Hardlink) Action() Action { return encode(h) }
func (Hardlink) kind() Kind       { return KindHardlink }

func (h *Hardlink) bind(c *codec) {
	c.path("path", &h.Path)
	c.target(h.Path, &h.Target)
	c.mediation(&h.Mediation)
	c.extra(&h.Extra)
}
