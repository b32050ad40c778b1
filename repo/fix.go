package repo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// FixOptions adjust Fix. A nil *FixOptions is the zero value.
type FixOptions struct {
	// From, if set, is where good copies are taken from: another repository
	// with the same packages.
	From Source

	// Verify says what to look for. Dependencies are not looked at.
	Verify VerifyOptions
}

// A Repair is what Fix did about a finding.
type Repair struct {
	Finding
	Restored   bool   // from the other source
	Quarantine string // object that what was bad has become; "" if it was missing
}

// A FixResult says what Fix has done.
type FixResult struct {
	Repairs   []Repair
	Moved     []Move      // objects that were put aside, sorted
	Republish []fmri.FMRI // packages that are gone until they are published again, sorted
}

// A Move is the old and the new name of an object.
type Move struct{ From, To string }

// Fix repairs what Check finds with some publishers or, without any, with all.
// What cannot be taken from another source is put aside, below pkg5-quarantine,
// with the manifests of the packages concerned, which are not in the catalog any
// more; they can be published again. If another process is writing, the error is
// a *BusyError.
func (r *Repository) Fix(ctx context.Context, opts *FixOptions, publishers ...string) (result FixResult, err error) {
	defer Error{Op: "fix", Place: r.named}.explain(&err)
	if opts == nil {
		opts = &FixOptions{}
	}
	if r.version < 4 {
		return result, because(errors.ErrUnsupported, "it is a repository of version %d; only those of version 4 are repaired", r.version)
	}
	names, err := r.known(ctx, publishers)
	if err != nil {
		return result, err
	}
	for _, name := range names {
		if err := r.fix(ctx, opts, name, &result); err != nil {
			return result, &Error{Op: "fix", Publisher: name, Err: err}
		}
	}
	return result, nil
}

func (r *Repository) fix(ctx context.Context, opts *FixOptions, publisher string, result *FixResult) (err error) {
	w, err := r.writeAnew(ctx, publisher)
	if err != nil {
		return err
	}
	defer func() { err = join(err, w.close()) }()
	for again := true; again; {
		found, err := w.inspect(ctx, opts)
		if err != nil || len(found) == 0 {
			return err
		}
		x := fixing{w: w, from: opts.From, repairs: found}
		again, err = x.run(ctx)
		x.tell(result)
		if err != nil {
			return err
		}
	}
	return nil
}

// inspect returns what is wrong, with nothing done about it yet.
func (w *writer) inspect(ctx context.Context, opts *FixOptions) ([]Repair, error) {
	w.state.still.Store(true)
	defer w.state.still.Store(false)
	look := opts.Verify
	look.Dependencies, look.other = NoDependencies, opts.From
	var repairs []Repair
	for f, err := range w.repo.Check(ctx, &look, w.home.publisher) {
		if err != nil {
			return nil, err
		}
		repairs = append(repairs, Repair{Finding: f})
	}
	return repairs, nil
}

// A fixing is one Fix of a publisher.
type fixing struct {
	w       *writer
	from    Source
	repairs []Repair
	forms   knownForms
	place   string            // of what is put aside, with a final slash
	moved   map[string]string // what was put aside: its name and its new name
}

// tell adds what was done to a result.
func (x *fixing) tell(result *FixResult) {
	result.Repairs = append(result.Repairs, x.repairs...)
	for _, from := range slices.Sorted(maps.Keys(x.moved)) {
		result.Moved = append(result.Moved, Move{from, x.moved[from]})
		if f, err := x.w.home.packageOf(from); err == nil && strings.HasPrefix(from, x.w.home.packages()) {
			result.Republish = append(result.Republish, f)
		}
	}
	gone := map[fmri.FMRI]bool{} // their manifests are missing
	for _, r := range x.repairs {
		if r.Fault == Missing && !r.Digest.IsValid() && !r.Restored && r.FMRI.IsValid() {
			gone[r.FMRI] = true
		}
	}
	result.Republish = append(result.Republish, sortedNames(gone)...)
	slices.SortFunc(result.Republish, fmri.FMRI.Compare)
}

// run restores what it can, and puts the rest aside. It reports whether there
// are manifests now that could not be read before, so that their packages can be
// looked at. The journal makes sure that the catalog is made anew if manifests
// go.
func (x *fixing) run(ctx context.Context) (again bool, err error) {
	x.place = x.w.home.quarantine() + "fix." + rand.Text()[:8] + "/"
	x.moved = map[string]string{}
	rebuild := false
	for i := range x.repairs {
		r := &x.repairs[i]
		err := x.restore(ctx, r)
		if ctx.Err() != nil {
			return false, err
		}
		r.Restored = err == nil
		rebuild = rebuild || !r.Restored
		again = again || r.Restored && !r.Digest.IsValid()
	}
	if !rebuild {
		return again, nil
	}
	if err := x.w.begin(ctx, journal{{op: opRebuild}}); err != nil {
		return false, err
	}
	if err := x.putAside(ctx); err != nil {
		return false, err
	}
	if err := x.w.rebuild(ctx, nil); err != nil {
		return false, err
	}
	return again, x.w.done(ctx)
}

var errNoSource = errors.New("no source of a good copy")

// restore takes a good copy from the other source.
func (x *fixing) restore(ctx context.Context, r *Repair) error {
	if x.from == nil {
		return errNoSource
	}
	switch {
	case r.Digest.IsValid():
		return x.restorePayload(ctx, r)
	case r.FMRI.IsValid() && (r.Fault == BadManifest || r.Fault == Missing):
		return x.restoreManifest(ctx, r.FMRI)
	}
	return errNoSource
}

// restorePayload replaces a payload by one that is what the manifest says or, in
// its stored form, what another manifest does.
func (x *fixing) restorePayload(ctx context.Context, r *Repair) error {
	m, err := x.w.repo.manifest(ctx, r.FMRI)
	if err != nil {
		return err
	}
	for p := range payloadsOf(m) {
		if p.Name() != r.Digest {
			continue
		}
		err := x.replacePayload(ctx, p)
		if !isOtherForm(err) {
			return err
		}
		return x.replaceForm(ctx, p, err)
	}
	return errNoSource
}

// replaceForm replaces a payload by one with the form that some other manifest
// names, or returns err.
func (x *fixing) replaceForm(ctx context.Context, p manifest.Payload, err error) error {
	all, failed := x.forms.of(ctx, x.w.repo, x.w.home.publisher)
	if failed != nil {
		return err
	}
	for other := range all.others(p) {
		if x.replacePayload(ctx, other) == nil {
			return nil
		}
	}
	return err
}

func (x *fixing) replacePayload(ctx context.Context, p manifest.Payload) error {
	stored, err := x.from.Payload(ctx, x.w.home.publisher, p.Name())
	if err != nil {
		return err
	}
	v := x.w.repo.packers.verifyAhead(ctx, p, stored)
	err = x.w.repo.store.Put(ctx, x.w.home.payload(p.Name()), v)
	return join(err, v.Close(), stored.Close())
}

// restoreManifest replaces a manifest by the one that is catalogued, here or
// where it comes from. The payloads that only it names are fetched as well.
func (x *fixing) restoreManifest(ctx context.Context, f fmri.FMRI) error {
	m, err := x.from.Manifest(ctx, f)
	if err != nil {
		return err
	}
	if err := x.checkManifest(ctx, f, m); err != nil {
		return err
	}
	for p := range payloadsOf(m) {
		if there, err := exists(ctx, x.w.repo.store, x.w.home.payload(p.Name())); there && err == nil {
			continue
		}
		if err := x.replacePayload(ctx, p); err != nil {
			return err
		}
	}
	return x.w.repo.store.Put(ctx, x.w.home.manifest(f), bytes.NewReader(m.Text()))
}

// checkManifest compares a manifest with the first catalog that has it: that of
// this repository, or of the other source.
func (x *fixing) checkManifest(ctx context.Context, f fmri.FMRI, m *manifest.Manifest) error {
	c, err := x.w.repo.tryCatalog(ctx, x.w.home)
	if err != nil {
		if c, err = x.from.Catalog(ctx, x.w.home.publisher); err != nil {
			return err
		}
	}
	return checkListed(c, f, m)
}

// putAside moves what is bad, and the manifests of the packages concerned, which
// go first: what is left is whole at any time.
func (x *fixing) putAside(ctx context.Context) error {
	if err := x.w.purgeIndex(ctx); err != nil {
		return err
	}
	for i := range x.repairs {
		r := &x.repairs[i]
		if r.Restored || !r.FMRI.IsValid() {
			continue
		}
		if err := x.move(ctx, x.w.home.manifest(r.FMRI)); err != nil {
			return err
		}
	}
	for i := range x.repairs {
		r := &x.repairs[i]
		if r.Restored || r.Fault == BadCatalog {
			continue
		}
		if err := x.move(ctx, r.Name); err != nil {
			return err
		}
		r.Quarantine = x.moved[r.Name]
	}
	return nil
}

// move puts one object aside, unless it is gone already.
func (x *fixing) move(ctx context.Context, name string) error {
	if _, done := x.moved[name]; done || name == "" {
		return nil
	}
	r, _, err := x.w.repo.store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := x.place + strings.TrimPrefix(name, x.w.home.prefix)
	if err := join(x.w.repo.store.Put(ctx, to, r), r.Close()); err != nil {
		return err
	}
	x.moved[name] = to
	return removeObjects(ctx, x.w.repo.store, name)
}
