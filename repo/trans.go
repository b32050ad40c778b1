package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
func (t *Transaction) Suspend(ctx context.Context) error {
	err := t.suspend(ctx)
	if err != nil {
		return &Error{Op: "suspend", FMRI: t.fmri, Err: err}
	}
	return nil
}

func (t *Transaction) suspend(ctx context.Context) error {
	if !t.alone {
		return fmt.Errorf("transaction in a batch: %w", errors.ErrUnsupported)
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
	dir := t.repo.home(t.fmri.Publisher()).trans(t.fmri)
	if err := t.checkFirst(ctx, dir); err != nil {
		return err
	}
	for key, s := range t.batch.payloads {
		if s.draft == nil {
			continue
		}
		err := s.draft.Keep(dir + key.hash.Hex())
		s.draft = nil
		t.batch.payloads[key] = s
		if err != nil {
			return err
		}
	}
	if t.append {
		if err := store.PutBatch(ctx, t.batch.objects, dir+transAppend, bytes.NewReader(nil)); err != nil {
			return err
		}
	}
	if err := store.PutBatch(ctx, t.batch.objects, dir+transManifest, bytes.NewReader(m.Text())); err != nil {
		return err
	}
	return t.batch.objects.Flush(ctx)
}

// checkFirst makes sure that no other transaction of that name is suspended.
func (t *Transaction) checkFirst(ctx context.Context, dir string) error {
	if t.resumed {
		return nil
	}
	there, err := t.repo.exists(ctx, dir+transManifest)
	if there {
		err = fmt.Errorf("such a transaction is open already: %w", fs.ErrExist)
	}
	return err
}

// Resume continues a transaction that was suspended, by this library or by a
// program of the reference. One goroutine at a time may do that. If there is
// no such transaction, the error matches fs.ErrNotExist.
func (r *Repository) Resume(ctx context.Context, id string) (*Transaction, error) {
	t, err := r.resume(ctx, id)
	if err != nil {
		return nil, &Error{Op: "resume transaction " + id, Err: err}
	}
	return t, nil
}

func (r *Repository) resume(ctx context.Context, id string) (*Transaction, error) {
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
	b, err := r.newBatch(ctx)
	if err != nil {
		return nil, err
	}
	t := &Transaction{repo: r, batch: b, alone: true, fmri: f, base: base, resumed: true}
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
		return fmri.FMRI{}, errors.Join(fs.ErrNotExist, err)
	}
	f, err := fmri.Parse(name)
	if err != nil {
		return fmri.FMRI{}, errors.Join(fs.ErrNotExist, err)
	}
	if f.Publisher() == "" || transID(f) != id {
		return fmri.FMRI{}, fs.ErrNotExist
	}
	return f, nil
}

// findObjects takes in the objects of a transaction that was suspended.
func (t *Transaction) findObjects(ctx context.Context, dir string) error {
	known := map[manifest.Digest]manifest.Payload{}
	for p := range payloadsOf(t.base) {
		known[p.Name()] = p
	}
	for info, err := range store.ListDir(ctx, t.repo.store, strings.TrimSuffix(dir, "/")) {
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
		p, packed := known[d]
		if !packed {
			p = manifest.Payload{Content: manifest.DigestsOf(d), Size: -1, StoredSize: -1}
		}
		key := payloadKey{t.fmri.Publisher(), d}
		t.batch.payloads[key] = stagedPayload{payload: p, packed: packed && p.Size >= 0, object: info.Name}
	}
	return nil
}

// Transactions returns the names of the transactions that are suspended.
func (r *Repository) Transactions(ctx context.Context) ([]string, error) {
	names, err := r.publisherDirs(ctx)
	if err != nil {
		return nil, &Error{Op: "list transactions", Err: err}
	}
	if r.version < 4 {
		names = []string{""} // all have one home
	}
	var ids []string
	for _, name := range names {
		h := r.home(name)
		for info, err := range store.ListDir(ctx, r.store, strings.TrimSuffix(h.transactions(), "/")) {
			if err != nil {
				return nil, &Error{Op: "list transactions", Err: err}
			}
			there, err := r.exists(ctx, info.Name+transManifest)
			if err != nil {
				return nil, &Error{Op: "list transactions", Err: err}
			}
			if info.IsDir() && there {
				ids = append(ids, path.Base(info.Name))
			}
		}
	}
	return ids, nil
}

// removeTrans removes what Suspend stored, the manifest first: without it there
// is no transaction.
func (r *Repository) removeTrans(ctx context.Context, f fmri.FMRI) error {
	dir := r.home(f.Publisher()).trans(f)
	if err := r.removeObjects(ctx, dir+transManifest); err != nil {
		return err
	}
	return r.removeBelow(ctx, dir)
}
