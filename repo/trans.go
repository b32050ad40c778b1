package repo

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// The objects of a transaction that was suspended, beside its payloads, which
// have their digests for names.
const (
	transManifest = "manifest" // the manifest so far
	transAppend   = "append"   // empty: signatures are added to a published package
)

// ID returns the name under which the transaction can be resumed when it is
// suspended. It is one element of a path.
func (t *Transaction) ID() string { return transID(t.fmri) }

// transID returns the time of a package in seconds and its escaped name.
func transID(f fmri.FMRI) string {
	stamp, _ := f.Version().Time()
	return strconv.FormatInt(stamp.Unix(), 10) + "_" + fmri.Escape(f.String())
}

// trans returns what the names of a transaction's objects begin with.
func (h home) trans(f fmri.FMRI) string { return h.transactions() + transID(f) + "/" }

// Suspend stores the transaction as it is, and ends it for this value: with its
// ID Resume goes on, in this process or another. A transaction in a batch
// cannot be suspended.
func (t *Transaction) Suspend(ctx context.Context) (err error) {
	defer Error{Op: "suspend", FMRI: t.fmri}.explain(&err)
	if !t.alone {
		return because(errors.ErrUnsupported, "the transaction is part of a batch, which ends with this process")
	}
	if err := t.end(); err != nil {
		return err
	}
	defer t.batch.end()
	if err := t.complete(); err != nil {
		return err
	}
	m, err := t.soFar()
	if err != nil {
		return err
	}
	dir := t.batch.repo.home(t.fmri.Publisher()).trans(t.fmri)
	if err := t.checkFirst(ctx, dir); err != nil {
		return err
	}
	stage := t.batch.stage
	if err := stage.suspend(dir); err != nil {
		return err
	}
	if t.append {
		if err := store.PutBatch(ctx, stage.drafts, dir+transAppend, bytes.NewReader(nil)); err != nil {
			return err
		}
	}
	if err := store.PutBatch(ctx, stage.drafts, dir+transManifest, bytes.NewReader(m.Text())); err != nil {
		return err
	}
	return stage.drafts.Flush(ctx)
}

// suspend gives what is staged the names of objects of a transaction.
func (g *stage) suspend(dir string) error {
	for key, s := range g.payloads {
		if s.draft == nil {
			continue
		}
		err := s.draft.Keep(dir + key.hash.Hex())
		s.draft = nil
		g.payloads[key] = s
		if err != nil {
			return err
		}
	}
	return nil
}

// checkFirst makes sure that no other transaction of that name is suspended.
func (t *Transaction) checkFirst(ctx context.Context, dir string) error {
	if t.resumed {
		return nil
	}
	there, err := exists(ctx, t.batch.repo.store, dir+transManifest)
	if there {
		err = because(fs.ErrExist, "such a transaction is open already")
	}
	return err
}

// Resume continues a transaction that was suspended, by this library or by a
// program of the reference. One goroutine at a time may do that. If there is
// no such transaction, the error matches fs.ErrNotExist.
func (r *Repository) Resume(ctx context.Context, id string) (_ *Transaction, err error) {
	defer Error{Op: "resume transaction " + id}.explain(&err)
	f, err := parseTransID(id)
	if err != nil {
		return nil, err
	}
	dir := r.home(f.Publisher()).trans(f)
	text, err := readObject(ctx, r.store, dir+transManifest, maxManifest)
	if err != nil {
		return nil, err
	}
	base, err := manifest.Parse(id, text)
	if err != nil {
		return nil, err
	}
	b, err := r.newBatch(ctx, false)
	if err != nil {
		return nil, err
	}
	t := &Transaction{batch: b, alone: true, fmri: f, base: base, resumed: true}
	for a := range base.All() {
		if t.sketch.add(a) != nil {
			break // Commit says so
		}
	}
	if err := t.findObjects(ctx, dir); err != nil {
		b.end()
		return nil, err
	}
	return t, nil
}

// parseTransID returns the name of the package from the name of a transaction.
func parseTransID(id string) (fmri.FMRI, error) {
	_, escaped, _ := strings.Cut(id, "_")
	name, err := fmri.Unescape(escaped)
	if err != nil {
		return fmri.FMRI{}, errNoTransID
	}
	f, err := fmri.Parse(name)
	if err != nil || f.Publisher() == "" || transID(f) != id {
		return fmri.FMRI{}, errNoTransID
	}
	return f, nil
}

// errNoTransID is why a text names no transaction.
var errNoTransID = because(fs.ErrNotExist, "a transaction is not called like that, but SECONDS_NAME, with the name escaped")

// findObjects takes in the objects of a transaction that was suspended.
func (t *Transaction) findObjects(ctx context.Context, dir string) error {
	known := map[manifest.Digest]manifest.Payload{}
	for p := range payloadsOf(t.base) {
		known[p.Name()] = p
	}
	for info, err := range store.ListDir(ctx, t.batch.repo.store, strings.TrimSuffix(dir, "/")) {
		if err != nil {
			return err
		}
		base := path.Base(info.Name)
		if base == transAppend {
			t.append = true
		}
		d, err := manifest.ParseDigest(base)
		if err != nil {
			continue
		}
		key := payloadKey{t.fmri.Publisher(), d}
		p, packed := known[d]
		if !packed {
			p = key.unknownForm()
		}
		t.batch.stage.payloads[key] = staged{payload: p, packed: packed && p.Size >= 0, object: info.Name}
	}
	return nil
}

// removeTrans removes what Suspend stored, the manifest first: without it there
// is no transaction.
func (r *Repository) removeTrans(ctx context.Context, f fmri.FMRI) error {
	dir := r.home(f.Publisher()).trans(f)
	if err := removeObjects(ctx, r.store, dir+transManifest); err != nil {
		return err
	}
	return removeBelow(ctx, r.store, dir)
}
