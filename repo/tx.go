package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Transaction is a Tx of a Repository, and all that a Tx can be beyond that.
type Transaction struct {
	batch    *batch
	alone    bool // in the batch
	fmri     fmri.FMRI
	base     *manifest.Manifest // what actions are added to
	append   bool               // base is published, and signatures are added
	resumed  bool               // base was stored by Suspend
	unlisted bool               // is not to be in the catalog

	mu       sync.Mutex
	ended    bool
	sketch   sketch // of base and actions
	actions  []*pending
	finished *manifest.Manifest // takes the place of base and actions
}

// A pending is an action whose place in the manifest is known, and whose payload
// may yet be on its way.
type pending struct {
	action manifest.Action
	filled bool
}

// ErrEnded reports the use of a transaction after Commit, Suspend or Abort.
var ErrEnded = errors.New("transaction has ended")

// Begin starts the publication of a package version; the Tx is a *Transaction.
// A publisher that is new to the repository is added by Commit.
func (r *Repository) Begin(ctx context.Context, f fmri.FMRI) (_ Tx, err error) {
	defer Error{Op: "publish", FMRI: f}.explain(&err)
	b, err := r.newBatch(ctx, false)
	if err != nil {
		return nil, err
	}
	t, err := b.begin(ctx, f)
	if err != nil {
		b.end()
		return nil, err
	}
	t.alone = true
	return t, nil
}

// Append starts a transaction that adds signatures to a published package. F
// must be its full name.
func (r *Repository) Append(ctx context.Context, f fmri.FMRI) (_ Tx, err error) {
	defer Error{Op: "append to", FMRI: f}.explain(&err)
	f, err = r.withPublisher(ctx, f)
	if err != nil {
		return nil, err
	}
	c, err := r.readCatalog(ctx, r.home(f.Publisher()))
	if err != nil {
		return nil, err
	}
	if _, ok := c.Lookup(f); !ok {
		return nil, because(fs.ErrNotExist, "the repository has no such package")
	}
	m, err := r.manifest(ctx, f)
	if err != nil {
		return nil, err
	}
	b, err := r.newBatch(ctx, false)
	if err != nil {
		return nil, err
	}
	return &Transaction{batch: b, alone: true, append: true, fmri: f, base: m}, nil
}

// withPublisher supplies the default publisher.
func (r *Repository) withPublisher(ctx context.Context, f fmri.FMRI) (fmri.FMRI, error) {
	if !f.Version().IsValid() {
		return f, fmri.ErrNoVersion
	}
	if f.Publisher() != "" {
		return f, r.accepts(ctx, f.Publisher())
	}
	name, err := r.DefaultPublisher(ctx)
	if err != nil {
		return f, err
	}
	if name == "" {
		return f, because(fs.ErrInvalid, "the name has no publisher, and the repository no default publisher")
	}
	return f.WithPublisher(name), nil
}

// FMRI returns the full name of the package.
func (t *Transaction) FMRI() fmri.FMRI { return t.fmri }

// Add adds an action. Its payload, if it has one, is compressed, or if the same
// content is stored already, left as it is stored.
func (t *Transaction) Add(ctx context.Context, a manifest.Action, content io.Reader) error {
	add, _, err := t.Place(a)
	if err != nil {
		return err
	}
	return add(ctx, a, content)
}

// Place makes a Transaction a Placer.
func (t *Transaction) Place(a manifest.Action) (add AddFunc, inTurn bool, err error) {
	defer Error{Op: "add to", FMRI: t.fmri}.explain(&err)
	if key, _ := a.Key(); a.Kind == manifest.KindSet && (key == "pkg.fmri" || key == "fmri") {
		says := func(context.Context, manifest.Action, io.Reader) error { return nil }
		return says, false, nil // its name itself
	}
	a = clean(a)
	if err := t.allows(a); err != nil {
		return nil, false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, false, ErrEnded
	}
	if err := t.sketch.add(a); err != nil {
		return nil, false, err
	}
	p := &pending{action: a}
	t.actions = append(t.actions, p)
	return func(ctx context.Context, a manifest.Action, content io.Reader) error {
		p.action = clean(a)
		return t.fill(ctx, p, content)
	}, false, nil
}

// clean writes a path as packages have it: a//b, a/ and ./a are a/b and a.
func clean(a manifest.Action) manifest.Action {
	path, err := a.Path()
	if written, _ := a.Attrs.Get("path"); err == nil && path != written {
		a.Attrs = a.Attrs.With("path", path)
	}
	return a
}

// allows refuses actions that no package may have, or not this one.
func (t *Transaction) allows(a manifest.Action) error {
	if t.append && a.Kind != manifest.KindSignature {
		return because(fs.ErrInvalid, "a %s action; only signatures can be appended", a.Kind)
	}
	return a.Validate().Err()
}

// fill supplies the payload of an action, and completes it.
func (t *Transaction) fill(ctx context.Context, p *pending, content io.Reader) (err error) {
	defer Error{Op: "add to", FMRI: t.fmri}.explain(&err)
	if content != nil {
		payload, err := t.batch.stage.pack(ctx, t.fmri.Publisher(), content)
		if err != nil {
			return err
		}
		p.action = p.action.WithPayload(payload)
	} else if err := hasPayload(p.action); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p.filled = true
	return nil
}

// hasPayload refuses an action that ought to have a payload, and comes without.
// It may name one that is stored already.
func hasPayload(a manifest.Action) error {
	if !a.Kind.HasPayload() || a.Kind == manifest.KindSignature {
		return nil
	}
	p, err := a.Payload()
	if err == nil && !p.Name().IsValid() {
		err = because(fs.ErrInvalid, "a %s action without its payload", a.Kind)
	}
	return err
}

// Store takes a payload in its stored form. It becomes the stored form unless the
// repository has one that a manifest names.
func (t *Transaction) Store(ctx context.Context, d manifest.Digest, stored io.Reader) (err error) {
	defer Error{Op: "add to", FMRI: t.fmri, Digest: d}.explain(&err)
	return t.batch.stage.takeUnknown(ctx, payloadKey{t.fmri.Publisher(), d}, stored)
}

// Holds makes a Transaction a Holder. A payload is held if it is stored in the form
// that p names, or in one that a manifest of the publisher does.
func (t *Transaction) Holds(ctx context.Context, p manifest.Payload) (_ bool, err error) {
	defer Error{Op: "add to", FMRI: t.fmri, Digest: p.Name()}.explain(&err)
	return t.batch.stage.holds(ctx, t.fmri.Publisher(), p)
}

// Take makes a Transaction a Taker.
func (t *Transaction) Take(ctx context.Context, p manifest.Payload, stored io.Reader) (err error) {
	defer Error{Op: "add to", FMRI: t.fmri, Digest: p.Name()}.explain(&err)
	return t.batch.stage.take(ctx, t.fmri.Publisher(), p, stored)
}

// Unlist makes a Transaction an Unlister.
func (t *Transaction) Unlist() error {
	t.unlisted = true
	return nil
}

// SetManifest takes a finished manifest, in place of all actions added before. It
// must have the name of the transaction.
func (t *Transaction) SetManifest(ctx context.Context, m *manifest.Manifest) (err error) {
	defer Error{Op: "add to", FMRI: t.fmri}.explain(&err)
	f, ok := m.FMRI()
	if f.Publisher() == "" && ok {
		f = f.WithPublisher(t.fmri.Publisher())
	}
	if f != t.fmri {
		return because(fs.ErrInvalid, "it is the manifest of %s", f)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	t.finished = m
	return ctx.Err()
}

// Commit publishes the package, or in a batch leaves that to the batch. If it
// fails, nothing is published.
func (t *Transaction) Commit(ctx context.Context) (_ fmri.FMRI, err error) {
	defer Error{Op: "publish", FMRI: t.fmri}.explain(&err)
	if err := t.commit(ctx); err != nil {
		return fmri.FMRI{}, err
	}
	return t.fmri, nil
}

func (t *Transaction) commit(ctx context.Context) error {
	if err := t.end(); err != nil {
		return err
	}
	if t.alone {
		defer t.batch.end()
	}
	if err := t.complete(); err != nil {
		return err
	}
	t.batch.add(t)
	if !t.alone {
		return nil
	}
	return t.batch.commit(ctx)
}

// end makes sure that a transaction ends once.
func (t *Transaction) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	t.ended = true
	return nil
}

// complete reports what is missing.
func (t *Transaction) complete() error {
	if t.finished != nil {
		return nil
	}
	for _, p := range t.actions {
		if !p.filled {
			return because(fs.ErrInvalid, "the payload of %q did not arrive", p.action)
		}
	}
	return nil
}

// Abort forgets the package, and what Suspend stored of it.
func (t *Transaction) Abort(ctx context.Context) error {
	if t.end() != nil {
		return nil
	}
	t.batch.forget(t)
	if t.alone {
		t.batch.end()
	}
	if !t.resumed {
		return nil
	}
	return t.batch.repo.removeTrans(ctx, t.fmri)
}

// manifest makes the manifest of the package. Changed says what is to be said
// about payloads that are stored in another form than was thought.
func (t *Transaction) manifest(changed map[manifest.Digest]manifest.Payload) (*manifest.Manifest, error) {
	whole, err := t.soFar()
	if err != nil || t.finished != nil {
		return whole, err
	}
	if err := checkManifest(whole); err != nil {
		return nil, err
	}
	if len(changed) == 0 {
		return whole, nil
	}
	m := new(manifest.Manifest)
	for a := range whole.All() {
		if p, err := a.Payload(); err == nil {
			if other, ok := changed[p.Name()]; ok {
				other.ELF = p.ELF
				a = a.WithPayload(other)
			}
		}
		if err := m.Add(a); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// soFar returns what has come of the manifest.
func (t *Transaction) soFar() (*manifest.Manifest, error) {
	if t.finished != nil {
		return t.finished, nil
	}
	for _, p := range t.actions {
		if err := t.base.Add(p.action); err != nil {
			return nil, err
		}
	}
	t.actions = nil
	return t.base, nil
}

// newBase returns a manifest that says its name.
func newBase(f fmri.FMRI) (*manifest.Manifest, error) {
	m := new(manifest.Manifest)
	return m, m.Add(manifest.Action{
		Kind:  manifest.KindSet,
		Attrs: manifest.Attrs{{Name: "name", Value: "pkg.fmri"}, {Name: "value", Value: f.String()}},
	})
}
