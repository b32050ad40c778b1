package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A journal names what an operation is about to do, while it does. Whoever finds
// one with the lock in hand knows that the process which wrote it is dead, and
// completes the operation or takes it back: see recover.
//
// It is an object of lines,
//
//	ips journal 1
//	add pkg://example.org/tool@1.0,5.11:20260101T000000Z
//
// with one line for each package.
type journal []journalLine

type journalLine struct {
	op   journalOp
	fmri fmri.FMRI // not for those that concern the whole publisher
}

// A journalOp says what is being done to a package.
type journalOp string

const (
	opAdd     journalOp = "add"     // its manifest is stored, then it is catalogued
	opList    journalOp = "list"    // its manifest was there, and is catalogued
	opRemove  journalOp = "remove"  // it is taken from the catalog, then its manifest is removed
	opRebuild journalOp = "rebuild" // the catalog is made anew from all manifests
	opDrop    journalOp = "drop"    // all that belongs to the publisher is removed
)

const (
	journalHead = "ips journal 1"
	maxJournal  = 256 << 20 // bytes
)

func (j journal) text() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, journalHead)
	for _, line := range j {
		fmt.Fprintf(&b, "%s %s\n", line.op, line.fmri)
	}
	return b.Bytes()
}

// parseJournal reads a journal. One that is empty, which a file system may leave where
// power was lost, names nothing.
func parseJournal(text []byte) (journal, error) {
	if len(text) == 0 {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(string(text), journalHead+"\n")
	if !ok {
		return nil, because(errors.ErrUnsupported, "what another program has begun (tmp/ips.journal) is not understood; a rebuild of the catalog begins anew")
	}
	var j journal
	for line := range strings.Lines(rest) {
		op, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		l := journalLine{op: journalOp(op)}
		if name != "" {
			f, err := fmri.Parse(name)
			if err != nil {
				return nil, fmt.Errorf("journal: %w", err)
			}
			l.fmri = f
		}
		j = append(j, l)
	}
	return j, nil
}

// has reports whether the journal has a line of that kind.
func (j journal) has(op journalOp) bool {
	for _, line := range j {
		if line.op == op {
			return true
		}
	}
	return false
}

// begin makes the journal durable.
func (w *writer) begin(ctx context.Context, j journal) error {
	return w.repo.store.Put(ctx, w.home.journal(), bytes.NewReader(j.text()))
}

// done ends the operation that the journal names.
func (w *writer) done(ctx context.Context) error {
	return removeObjects(ctx, w.repo.store, w.home.journal())
}

// recoverAll completes what was left undone in the repository, as far as it is
// nobody else's business and the store can be written. What cannot be completed keeps
// nobody from reading: the next writer says what is wrong.
func (r *Repository) recoverAll(ctx context.Context) error {
	names, err := r.writtenPublishers(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		left, err := exists(ctx, r.store, r.home(name).journal())
		if err != nil {
			return err
		}
		if left {
			r.recoverOne(ctx, name)
		}
	}
	return ctx.Err()
}

// writtenPublishers returns the publishers that somebody has written for.
func (r *Repository) writtenPublishers(ctx context.Context) ([]string, error) {
	if r.version >= 4 {
		return r.publisherDirs(ctx)
	}
	if left, err := exists(ctx, r.store, home{}.journal()); !left || err != nil {
		return nil, err // whose catalog this is need not be found out
	}
	return r.onlyPublisher(ctx)
}

func (r *Repository) recoverOne(ctx context.Context, publisher string) error {
	w, err := r.write(ctx, publisher, false)
	var busy *BusyError
	if errors.As(err, &busy) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.close()
}

// recover brings in order what a dead process left. If the catalog is whole, it
// decides: what was to be added and is not in it is removed, what was to be
// removed and is in it stays. If the catalog's files do not belong together, all
// that had to be there before the first of them was replaced is there, and the
// operation is completed.
func (w *writer) recover(ctx context.Context) error {
	text, err := readObject(ctx, w.repo.store, w.home.journal(), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	j, err := parseJournal(text)
	if err != nil {
		return err
	}
	if j.has(opDrop) {
		return w.drop(ctx)
	}
	c, err := w.wholeCatalog(ctx)
	switch {
	case err != nil && !isTorn(err):
		return err
	case err != nil || j.has(opRebuild):
		err = w.complete(ctx, j)
	default:
		err = w.settle(ctx, j, c)
	}
	if err != nil {
		return err
	}
	return w.done(ctx)
}

// recoverAnew is recover for those who need no catalog. Where recover fails, the catalog
// is made anew from all manifests: it lists what is whole, and who called looks at that.
func (w *writer) recoverAnew(ctx context.Context) error {
	if err := w.recover(ctx); err == nil || ctx.Err() != nil {
		return err
	}
	if err := w.begin(ctx, journal{{op: opRebuild}}); err != nil {
		return err
	}
	if err := w.rebuild(ctx, nil); err != nil {
		return err
	}
	return w.done(ctx)
}

// wholeCatalog reads the catalog if all of its files belong to it.
func (w *writer) wholeCatalog(ctx context.Context) (*catalog.Catalog, error) {
	w.state.remember(nil, nil) // read all files, not only the attributes
	c, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return nil, err
	}
	attrs, err := c.Attrs()
	if err != nil {
		return nil, err
	}
	for _, file := range slices.Concat(attrs.Parts, attrs.Updates) { // an index may hide them
		if err := w.repo.checkFile(ctx, w.home, file); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// settle makes manifests agree with a catalog that is whole.
func (w *writer) settle(ctx context.Context, j journal, c *catalog.Catalog) error {
	var gone []fmri.FMRI
	var changed []fmri.FMRI
	for _, line := range j {
		p, ok := c.Lookup(line.fmri)
		switch {
		case !ok && line.op != opList:
			gone = append(gone, line.fmri)
		case ok && line.op == opAdd:
			same, err := w.isCurrent(ctx, p)
			if err != nil {
				return err
			}
			if !same {
				changed = append(changed, line.fmri)
			}
			if err := w.repo.removeTrans(ctx, line.fmri); err != nil {
				return err
			}
		}
	}
	if _, err := w.removeManifests(ctx, gone); err != nil {
		return err
	}
	if len(changed) == 0 {
		return nil
	}
	return w.changeCatalog(ctx, c, func(b *catalog.Builder) error { return w.replaceEntries(ctx, b, changed) })
}

// isCurrent reports whether the manifest of a package is the one that was
// catalogued.
func (w *writer) isCurrent(ctx context.Context, p catalog.Package) (bool, error) {
	want, ok := p.ManifestDigest()
	if !ok {
		return true, nil
	}
	text, err := readObject(ctx, w.repo.store, w.home.manifest(p.FMRI()), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // damage, which Verify reports
	}
	if err != nil {
		return false, err
	}
	return manifest.SHA1.Sum(text) == want, nil
}

// replaceEntries catalogs packages anew.
func (w *writer) replaceEntries(ctx context.Context, b *catalog.Builder, pkgs []fmri.FMRI) error {
	for _, f := range pkgs {
		m, err := w.repo.manifest(ctx, f)
		if err != nil {
			return err
		}
		if err := ignore(b.Remove(f), fs.ErrNotExist); err != nil {
			return err
		}
		if err := b.Add(f, m); err != nil {
			return err
		}
	}
	return nil
}

// complete makes the catalog whole, such that what the journal says is done.
func (w *writer) complete(ctx context.Context, j journal) error {
	var here, gone []fmri.FMRI
	for _, line := range j {
		switch line.op {
		case opAdd, opList:
			here = append(here, line.fmri)
		case opRemove:
			gone = append(gone, line.fmri)
		}
	}
	err := fs.ErrInvalid
	if !j.has(opRebuild) {
		err = w.salvage(ctx, here, gone)
	}
	if err != nil && ctx.Err() == nil {
		err = w.rebuild(ctx, gone)
	}
	if err != nil {
		return err
	}
	_, err = w.removeManifests(ctx, gone)
	return err
}

// salvage makes a new catalog of what there is of the old one, where only the
// entries of the given packages can be in some files and not in others. Update
// logs begin anew: they may say what the parts do not.
func (w *writer) salvage(ctx context.Context, here, gone []fmri.FMRI) error {
	dir := store.FS(ctx, store.Sub(w.repo.store, w.home.catalogDir()))
	old, err := catalog.Read(dir, &catalog.ReadOptions{Salvage: true})
	if err != nil {
		return err
	}
	b := &catalog.Builder{Now: w.repo.now()}
	if err := b.AddAll(old); err != nil {
		return err
	}
	for _, f := range gone {
		if err := ignore(b.Remove(f), fs.ErrNotExist); err != nil {
			return err
		}
	}
	if err := w.replaceEntries(ctx, b, here); err != nil {
		return err
	}
	c, err := b.Build()
	if err != nil {
		return err
	}
	if err := w.putCatalog(ctx, c); err != nil {
		return err
	}
	return w.removeStrays(ctx, c)
}
