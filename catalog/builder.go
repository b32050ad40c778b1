package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/manifest"
)

// A Builder makes a Catalog: a new one, or another state of one that exists. The
// zero Builder is ready to use. The fields must not be changed after the first
// method call.
type Builder struct {
	// Base is the catalog to change. Nil means to begin with an empty one.
	Base *Catalog

	// Logs, if set, makes Build write update logs, and is the directory where
	// the logs of Base are. A log of the same hour is continued.
	Logs fs.FS

	// Now is the time of the operation, and of creation if Base is nil. Zero
	// means the current time. It counts in microseconds. If it is not after the
	// last change of Base, the first microsecond after that is used instead.
	Now time.Time

	// Unsigned makes a catalog without signatures, as images keep them.
	Unsigned bool

	// KeepSource keeps the set actions publisher, info.source-url*, pkg.debug*
	// and pkg.linted* in the summary, as Oracle Solaris and OpenIndiana do.
	// Otherwise they are left out, as OmniOS does.
	KeepSource bool

	changes map[fmri.FMRI]*change
	ops     []Op              // in the order performed
	texts   map[string]string // of actions, each once
}

// A change is what became of one package version.
type change struct {
	base  int    // id in Base, -1 if it is not there
	entry *entry // what it is now, nil if it was removed
	light bool   // only the base part differs
}

// Add adds a package version as its manifest describes it. Without a manifest
// only the name is recorded. f must have a publisher and a version. If the
// version is there already, the error matches [fs.ErrExist].
func (b *Builder) Add(f fmri.FMRI, m *manifest.Manifest) error {
	if err := b.check(f); err != nil {
		return err
	}
	if b.texts == nil {
		b.texts = map[string]string{}
	}
	return b.add(newEntry(f, m, b.KeepSource, b.texts))
}

// AddPackage copies an entry of another catalog. Metadata is the JSON object to keep
// with it; nil means none.
func (b *Builder) AddPackage(p Package, metadata []byte) error {
	e, err := b.copyOf(p)
	if err != nil {
		return err
	}
	text, err := canonicalObject(metadata)
	if err != nil {
		return fmt.Errorf("%s: metadata: %w", p, err)
	}
	e.extra = withMetadata(e.extra, text)
	return b.add(e)
}

// AddAll copies all entries of another catalog with their metadata. Versions that are
// there already are left alone.
func (b *Builder) AddAll(c *Catalog) error {
	for p := range c.All() {
		e, err := b.copyOf(p)
		if err != nil {
			return err
		}
		if err := b.add(e); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// copyOf returns an entry with what p is a handle on. If it is to be logged its
// actions are needed, otherwise a reference will do.
func (b *Builder) copyOf(p Package) (*entry, error) {
	if b.Logs != nil {
		return entryOf(p)
	}
	return &entry{fmri: p.FMRI(), base: true, row: *p.data(), extra: p.c.extraOf(p.row()), source: p}, nil
}

// SetMetadata replaces the metadata that is kept with an entry; nil removes it. If the
// version is not there, the error matches [fs.ErrNotExist]. It is not possible
// together with update logs, which have no word for it.
func (b *Builder) SetMetadata(f fmri.FMRI, metadata []byte) error {
	if b.Logs != nil {
		return fmt.Errorf("%w: metadata cannot be logged", errors.ErrUnsupported)
	}
	text, err := canonicalObject(metadata)
	if err != nil {
		return fmt.Errorf("%s: metadata: %w", f, err)
	}
	c := b.find(f)
	if c == nil || c.entry == nil {
		return &EntryError{FMRI: f, Err: reason.New(fs.ErrNotExist, "it is not there")}
	}
	c.light = c.light || c.base >= 0 && c.entry.source == b.Base.at(c.base)
	c.entry.extra = withMetadata(c.entry.extra, text)
	b.changes[f] = c
	return nil
}

// Remove removes a package version. If it is not there, the error matches
// [fs.ErrNotExist].
func (b *Builder) Remove(f fmri.FMRI) error {
	c := b.find(f)
	if c == nil || c.entry == nil {
		return &EntryError{FMRI: f, Err: reason.New(fs.ErrNotExist, "it is not there")}
	}
	if b.Logs != nil {
		e, err := c.entry.expand()
		if err != nil {
			return err
		}
		b.ops = append(b.ops, Op{Type: OpRemove, FMRI: f, entry: e})
	}
	c.entry, c.light = nil, false
	b.changes[f] = c
	return nil
}

// check refuses names that no catalog can hold.
func (b *Builder) check(f fmri.FMRI) error {
	if f.Publisher() == "" || !f.Version().IsValid() {
		return &EntryError{FMRI: f, Err: errors.New("an entry needs a publisher and a version")}
	}
	return nil
}

// find returns what is known of a version: a change, or one that changes nothing
// if Base has the version, or nil.
func (b *Builder) find(f fmri.FMRI) *change {
	if b.changes == nil {
		b.changes = map[fmri.FMRI]*change{}
	}
	if c := b.changes[f]; c != nil || b.Base == nil {
		return c
	}
	p, ok := b.Base.Lookup(f)
	if !ok {
		return nil
	}
	e := &entry{fmri: f, base: true, row: *p.data(), extra: b.Base.extraOf(p.row()), source: p}
	return &change{base: p.row(), entry: e}
}

// add adds an entry.
func (b *Builder) add(e *entry) error {
	c := b.find(e.fmri)
	if c == nil {
		c = &change{base: -1}
	}
	if c.entry != nil {
		return &EntryError{FMRI: e.fmri, Err: reason.New(fs.ErrExist, "it is there already")}
	}
	c.entry = e
	b.changes[e.fmri] = c
	if b.Logs != nil {
		b.ops = append(b.ops, Op{Type: OpAdd, FMRI: e.fmri, entry: e})
	}
	return nil
}

// canonicalObject returns the canonical text of a JSON object, nothing for nil.
func canonicalObject(src []byte) (string, error) {
	if src = bytes.TrimSpace(src); len(src) == 0 {
		return "", nil
	}
	var opts *ReadOptions
	s := scan.NewBytes(src, opts.limits().scan())
	members := s.Members()
	s.End()
	return string(scan.AppendMembers(nil, members)), s.Err()
}

// Build returns the catalog. If nothing changed that is Base. The Builder must not
// be used after it.
func (b *Builder) Build() (*Catalog, error) {
	if b.Base != nil && len(b.changes) == 0 {
		return b.Base, nil
	}
	if err := b.checkBase(); err != nil {
		return nil, err
	}
	now := b.now()
	c := &Catalog{created: now, modified: now, unsigned: b.Unsigned, attrsChanged: true}
	if b.Base != nil {
		c.created, c.v0, c.members, c.updates = b.Base.created, b.Base.v0, b.Base.members, slices.Clone(b.Base.updates)
	}
	touched, err := b.assemble(c)
	if err != nil {
		return nil, err
	}
	if err := b.setParts(c, touched); err != nil {
		return nil, err
	}
	if b.Logs != nil {
		if err := b.log(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkBase refuses a Base that lacks a part, which would not be kept up to date.
func (b *Builder) checkBase() error {
	if b.Base == nil {
		return nil
	}
	for _, p := range b.Base.parts {
		if p.skipped {
			return errSkipped(Part(p.Name))
		}
	}
	return nil
}

// now returns the time of the operation.
func (b *Builder) now() time.Time {
	now := b.Now
	if now.IsZero() {
		now = time.Now()
	}
	now = now.UTC().Truncate(time.Microsecond)
	if b.Base != nil && !now.After(b.Base.modified) {
		now = b.Base.modified.Add(time.Microsecond)
	}
	return now
}

// assemble fills the columns and tables of c, and returns which parts of Base have
// changed.
func (b *Builder) assemble(c *Catalog) (map[Part]bool, error) {
	list := make([]*change, 0, len(b.changes))
	removed := 0
	for f, ch := range b.changes {
		if ch.entry == nil && ch.base < 0 {
			continue // came and went
		}
		if ch.entry == nil {
			ch.entry = &entry{fmri: f, base: false}
			removed++
		}
		list = append(list, ch)
	}
	slices.SortFunc(list, func(x, y *change) int { return compareFMRIs(x.entry.fmri, y.entry.fmri) })
	base := b.Base
	if base == nil {
		base = &Catalog{}
	}
	trunk := base
	if removed > base.Len()/4 {
		trunk = nil // what nobody refers to any more is left behind
	}
	a := newAssembler(trunk, base.Len()+len(list)-removed)
	touched := map[Part]bool{}
	at := 0
	for _, ch := range list {
		end := ch.base
		if end < 0 {
			end = base.lowerBound(at, ch.entry.fmri)
		}
		a.run(base, at, end)
		at = end
		if ch.base >= 0 {
			touch(touched, base.at(at), ch.light)
			at++
		}
		if ch.entry.base {
			a.add(ch.entry)
			touchEntry(touched, ch.entry, ch.light)
		}
	}
	a.run(base, at, base.Len())
	return touched, a.finish(c)
}

// touch notes the parts that have an entry for p, or only the base part.
func touch(touched map[Part]bool, p Package, light bool) {
	touched[Base] = true
	for _, part := range p.c.parts {
		if light || part.skipped || part.Name == string(Base) {
			continue
		}
		if t, err := part.actions(); err == nil && t.Has(p.row()) { // the assembler reports the error
			touched[Part(part.Name)] = true
		}
	}
}

// touchEntry notes the parts that have something of an entry.
func touchEntry(touched map[Part]bool, e *entry, light bool) {
	touched[Base] = true
	for _, l := range e.lists {
		touched[l.part] = true
	}
	if e.source.IsValid() {
		touch(touched, e.source, light)
	}
}

// setParts gives the parts of c the attributes that they have in Base, or new ones if
// they have changed.
func (b *Builder) setParts(c *Catalog, touched map[Part]bool) error {
	if b.Base == nil {
		return nil
	}
	for _, old := range b.Base.parts {
		p := c.addPart(Part(old.Name))
		p.meta = old.meta
		if touched[Part(old.Name)] || b.Base.unsigned != b.Unsigned || old.order != nil {
			p.FileAttrs.extra = old.FileAttrs.extra
			continue
		}
		p.FileAttrs, p.changed = old.FileAttrs, old.loose
		var err error
		if p.Signature, err = old.sum(b.Base); err != nil {
			return err
		}
	}
	return nil
}

// An EntryError says which package version could not be added or removed.
type EntryError struct {
	FMRI fmri.FMRI
	Err  error // matches fs.ErrExist or fs.ErrNotExist, or is another reason
}

func (e *EntryError) Error() string { return fmt.Sprintf("catalog entry %s: %v", e.FMRI, e.Err) }

// Unwrap returns the reason.
func (e *EntryError) Unwrap() error { return e.Err }
