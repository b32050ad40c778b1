package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A batch is a Batch of a Repository. A Transaction that is not in a batch has
// one for itself.
type batch struct {
	repo    *Repository
	objects store.Batch
	exact   bool       // payloads that come from elsewhere take the place of other forms
	forms   knownForms // before this batch

	mu       sync.Mutex
	names    map[fmri.FMRI]bool // of transactions that were begun
	txs      []*Transaction     // that were committed
	payloads map[payloadKey]stagedPayload
}

type payloadKey struct {
	publisher string
	hash      manifest.Digest
}

// A stagedPayload is a payload that came with a transaction. It is in a draft, in
// an object of a transaction that was suspended, or stored already.
type stagedPayload struct {
	payload manifest.Payload
	packed  bool // by us, so that payload tells all about the stored form
	draft   store.Draft
	object  string
	tag     string // of the object, if it is stored already
}

// isStored reports whether a payload was stored already when it was needed.
func (s stagedPayload) isStored() bool { return s.draft == nil && s.object == "" }

// Batch starts a batch. Its transactions are *Transactions.
func (r *Repository) Batch(ctx context.Context) (Batch, error) {
	b, err := r.newBatch(ctx)
	if err != nil {
		return nil, &Error{Op: "publish", Err: err}
	}
	return b, nil
}

func (r *Repository) newBatch(ctx context.Context) (*batch, error) {
	objects, err := store.NewBatch(ctx, r.store)
	if err != nil {
		return nil, err
	}
	return &batch{
		repo: r, objects: objects,
		names: map[fmri.FMRI]bool{}, payloads: map[payloadKey]stagedPayload{},
	}, nil
}

// Begin starts a transaction in the batch.
func (b *batch) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) {
	t, err := b.begin(ctx, f)
	if err != nil {
		return nil, &Error{Op: "publish", FMRI: f, Err: err}
	}
	return t, nil
}

func (b *batch) begin(ctx context.Context, f fmri.FMRI) (*Transaction, error) {
	f, err := b.repo.withPublisher(ctx, f)
	if err != nil {
		return nil, err
	}
	if f, err = b.reserve(ctx, f); err != nil {
		return nil, err
	}
	base, err := newBase(f)
	if err != nil {
		return nil, err
	}
	return &Transaction{repo: b.repo, batch: b, fmri: f, base: base}, nil
}

// reserve makes a name complete that is neither stored nor in the batch. Without
// a timestamp it gets the present second, or the first after it that is free.
func (b *batch) reserve(ctx context.Context, f fmri.FMRI) (fmri.FMRI, error) {
	if _, ok := f.Version().Time(); ok {
		return f, b.claim(ctx, f)
	}
	for t := b.repo.now().UTC().Truncate(time.Second); ; t = t.Add(time.Second) {
		stamped := f.WithVersion(f.Version().WithTime(t))
		if err := b.claim(ctx, stamped); !errors.Is(err, fs.ErrExist) {
			return stamped, err
		}
	}
}

// claim takes a name if it is free.
func (b *batch) claim(ctx context.Context, f fmri.FMRI) error {
	stored, err := b.repo.holdsManifest(ctx, f)
	if err != nil {
		return err
	}
	if stored {
		return fs.ErrExist
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names[f] {
		return fs.ErrExist
	}
	b.names[f] = true
	return nil
}

// holdsManifest reports whether a manifest is stored that is not about to be
// taken back.
func (r *Repository) holdsManifest(ctx context.Context, f fmri.FMRI) (bool, error) {
	h := r.home(f.Publisher())
	stored, err := r.exists(ctx, h.manifest(f))
	if !stored || err != nil {
		return false, err
	}
	if undone, err := r.exists(ctx, h.journal()); !undone || err != nil {
		return true, err
	}
	if err := r.recoverOne(ctx, f.Publisher()); err != nil {
		return true, err
	}
	return r.exists(ctx, h.manifest(f))
}

// forget frees the name of a transaction.
func (b *batch) forget(t *Transaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.names, t.fmri)
}

// add takes in a transaction that is complete.
func (b *batch) add(t *Transaction) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.txs = append(b.txs, t)
	return nil
}

// pack takes in the content of a payload, and returns what is to be said about
// its stored form. Content that can be read twice is hashed first, and only
// packed if it is not there already.
func (b *batch) pack(ctx context.Context, publisher string, content io.Reader) (p manifest.Payload, err error) {
	if at, size, ok := readTwice(content); ok {
		p, found, err := b.find(ctx, publisher, at, size)
		if found || err != nil {
			return p, err
		}
	}
	draft, err := b.objects.Create(ctx)
	if err != nil {
		return p, err
	}
	p, err = b.repo.packers.pack(ctx, draft, content)
	if err == nil {
		err = draft.Close()
	}
	if err != nil {
		return p, errors.Join(err, draft.Drop())
	}
	elf := p.ELF
	p, err = b.stage(ctx, payloadKey{publisher, p.Name()}, stagedPayload{payload: p, packed: true, draft: draft})
	p.ELF = elf
	return p, err
}

// find returns what is to be said about content that is in the batch or in the
// repository.
func (b *batch) find(ctx context.Context, publisher string, content io.ReaderAt, size int64) (p manifest.Payload, found bool, err error) {
	h := manifest.SHA1.New()
	if _, err := io.Copy(h, contextReader{ctx, io.NewSectionReader(content, 0, size)}); err != nil {
		return p, false, err
	}
	d, err := manifest.SHA1.Digest(h.Sum(nil))
	if err != nil {
		return p, false, err
	}
	key := payloadKey{publisher, d}
	s, ok := b.staged(key)
	if !ok || !s.packed {
		s = stagedPayload{payload: manifest.Payload{Size: size}, packed: true}
		s, err = b.repo.inspectStored(ctx, key, s)
		if err != nil {
			return p, false, ignore(err, fs.ErrNotExist)
		}
		s.payload, err = b.keep(key, s)
		if err != nil {
			return p, false, err
		}
	}
	p = s.payload
	p.ELF, err = manifest.ReadELF(content, size)
	return p, true, err
}

// take takes in a payload in its stored form. Its content must be what is known
// of it; the form may be another than p names, if it comes from where there are
// several.
func (b *batch) take(ctx context.Context, publisher string, p manifest.Payload, stored io.Reader) error {
	draft, err := b.objects.Create(ctx)
	if err != nil {
		return err
	}
	err = b.repo.packers.verify(ctx, p.ContentOnly(), io.TeeReader(stored, draft))
	if err == nil {
		err = draft.Close()
	}
	if err != nil {
		return errors.Join(err, draft.Drop())
	}
	_, err = b.keep(payloadKey{publisher, p.Name()}, stagedPayload{payload: p, draft: draft})
	return err
}

// holds reports whether a payload need not be brought from elsewhere: it is in
// the batch, or stays as the repository has it.
func (b *batch) holds(ctx context.Context, publisher string, p manifest.Payload) (bool, error) {
	if _, ok := b.staged(payloadKey{publisher, p.Name()}); ok {
		return true, nil
	}
	return b.stays(ctx, publisher, p, &b.forms)
}

// stays reports whether what the repository has of a payload, if anything, is to
// stay as it is when p comes: it has the form that p names, or one that a manifest
// of the publisher does.
func (b *batch) stays(ctx context.Context, publisher string, p manifest.Payload, known *knownForms) (bool, error) {
	ok, err := b.repo.isStoredAs(ctx, publisher, p)
	if ok || err != nil || b.exact {
		return ok, ignore(err, fs.ErrNotExist)
	}
	all, err := known.of(ctx, b.repo, publisher)
	if err != nil {
		return false, err
	}
	for other := range all.others(p) {
		if ok, err := b.repo.isStoredAs(ctx, publisher, other); ok || err != nil {
			return ok, ignore(err, fs.ErrNotExist)
		}
	}
	return false, nil
}

// has reports whether a payload is in the batch or the repository.
func (b *batch) has(ctx context.Context, key payloadKey) (bool, error) {
	if _, ok := b.staged(key); ok {
		return true, nil
	}
	return b.repo.exists(ctx, b.repo.home(key.publisher).payload(key.hash))
}

// stage keeps a payload that was packed, unless it is there already, in the
// batch or in the repository. It returns what is to be said about it.
func (b *batch) stage(ctx context.Context, key payloadKey, s stagedPayload) (manifest.Payload, error) {
	if old, ok := b.staged(key); ok && old.packed {
		return old.payload, s.draft.Drop()
	}
	old, err := b.repo.inspectStored(ctx, key, s)
	if err == nil {
		err = s.draft.Drop()
		s = old
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil && s.draft != nil {
		err = errors.Join(err, s.draft.Drop())
	}
	if err != nil {
		return old.payload, err
	}
	return b.keep(key, s)
}

// keep enters a payload, unless another was faster.
func (b *batch) keep(key payloadKey, s stagedPayload) (manifest.Payload, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, ok := b.payloads[key]
	if !ok || s.packed && !old.packed {
		b.payloads[key] = s
		s, old = old, s
	}
	if s.draft != nil {
		return old.payload, s.draft.Drop()
	}
	return old.payload, nil
}

// staged returns a payload in the batch.
func (b *batch) staged(key payloadKey) (stagedPayload, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.payloads[key]
	return s, ok
}

// inspectStored returns what is to be said about a payload that was packed as the
// repository has it. If that is damaged it counts as not there.
func (r *Repository) inspectStored(ctx context.Context, key payloadKey, s stagedPayload) (stagedPayload, error) {
	rc, info, err := r.store.Open(ctx, r.home(key.publisher).payload(key.hash))
	if err != nil {
		return stagedPayload{}, err
	}
	defer rc.Close()
	old, err := manifest.Inspect(contextReader{ctx, rc}, max(s.payload.Size, 1)) // 0 would mean no limit
	if isDamage(err) || err == nil && old.Content.Of(key.hash.Algorithm()) != key.hash {
		return stagedPayload{}, fs.ErrNotExist
	}
	return stagedPayload{payload: old, packed: true, tag: info.Tag}, err
}

// Commit publishes what was committed into the batch.
func (b *batch) Commit(ctx context.Context) error {
	defer b.end()
	if err := b.commit(ctx); err != nil {
		return &Error{Op: "publish", Err: err}
	}
	return nil
}

// Abort forgets the batch.
func (b *batch) Abort(context.Context) error {
	b.end()
	return nil
}

// end forgets what is not stored.
func (b *batch) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, s := range b.payloads {
		if s.draft != nil {
			s.draft.Drop()
		}
		delete(b.payloads, key)
	}
	b.txs = nil
	b.objects.Close()
}

func (b *batch) commit(ctx context.Context) error {
	byPublisher := map[string][]*Transaction{}
	for _, t := range b.txs {
		byPublisher[t.fmri.Publisher()] = append(byPublisher[t.fmri.Publisher()], t)
	}
	for _, publisher := range slices.Sorted(maps.Keys(byPublisher)) {
		if err := b.commitTo(ctx, publisher, byPublisher[publisher]); err != nil {
			return err
		}
	}
	return nil
}

// commitTo publishes the packages of one publisher, all or none.
func (b *batch) commitTo(ctx context.Context, publisher string, txs []*Transaction) (err error) {
	w, err := b.repo.write(ctx, publisher, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	c := commit{writer: w, batch: b, txs: txs, changed: map[manifest.Digest]manifest.Payload{}}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if err := c.run(ctx); err != nil {
		// What cannot be taken back now is taken back by the next writer.
		w.recover(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

// A commit publishes transactions of one publisher.
type commit struct {
	*writer
	batch     *batch
	txs       []*Transaction
	catalog   *catalog.Catalog
	changed   map[manifest.Digest]manifest.Payload // that are stored in another form
	manifests []*manifest.Manifest                 // of txs
}

// prepare does what can fail without anybody having seen anything: it checks the
// packages and stores their payloads, durably.
func (c *commit) prepare(ctx context.Context) (err error) {
	if c.catalog, err = c.tryCatalog(ctx, c.home); err != nil {
		return err
	}
	for _, t := range c.txs {
		if err := c.checkName(ctx, t); err != nil {
			return &Error{Op: "publish", FMRI: t.fmri, Err: err}
		}
	}
	if err := c.keepPayloads(ctx); err != nil {
		return err
	}
	for _, t := range c.txs {
		m, err := t.manifest(c.changed)
		if err == nil {
			err = c.checkPayloads(ctx, m)
		}
		if err != nil {
			return &Error{Op: "publish", FMRI: t.fmri, Err: err}
		}
		c.manifests = append(c.manifests, m)
	}
	return c.batch.objects.Flush(ctx)
}

// checkName makes sure that a new package is new, and that one that is appended
// to is there.
func (c *commit) checkName(ctx context.Context, t *Transaction) error {
	_, listed := c.catalog.Lookup(t.fmri)
	if t.append {
		if !listed {
			return fs.ErrNotExist
		}
		return nil
	}
	stored, err := c.isStored(ctx, t.fmri)
	if err == nil && (listed || stored) {
		err = fs.ErrExist
	}
	return err
}

// keepPayloads names the payloads that the transactions brought. Those that were
// stored by another since then stay as they are, and those that were stored before
// must be there still.
func (c *commit) keepPayloads(ctx context.Context) error {
	var known knownForms // nobody else adds to them now
	for key, s := range c.batch.payloads {
		if key.publisher != c.publisher {
			continue
		}
		if s.isStored() {
			if err := c.confirm(ctx, key, s); err != nil {
				return err
			}
			continue
		}
		old, err := c.present(ctx, key, s, &known)
		switch {
		case err == nil && s.draft != nil:
			err = s.draft.Drop()
		case errors.Is(err, fs.ErrNotExist):
			old, err = s.payload, c.keepPayload(ctx, s, c.home.payload(key.hash))
		}
		if err != nil {
			return err
		}
		if s.packed && old.Stored != s.payload.Stored {
			c.changed[key.hash] = old
		}
		c.batch.payloads[key] = stagedPayload{payload: old, packed: s.packed}
	}
	return nil
}

// confirm looks whether a payload is stored as it was when it was needed. Another
// may have removed it since, or put another form in its place.
func (c *commit) confirm(ctx context.Context, key payloadKey, s stagedPayload) error {
	info, err := store.Stat(ctx, c.store, c.home.payload(key.hash))
	if err == nil && info.Tag == s.tag {
		return nil
	}
	now, err := c.inspectStored(ctx, key, s)
	if errors.Is(err, fs.ErrNotExist) {
		delete(c.batch.payloads, key) // who needs it finds out
		return nil
	}
	if err != nil {
		return err
	}
	if now.payload.Stored != s.payload.Stored {
		c.changed[key.hash] = now.payload
	}
	return nil
}

// present returns what is to be said about a payload that is stored and stays as
// it is. The error matches fs.ErrNotExist if there is none.
func (c *commit) present(ctx context.Context, key payloadKey, s stagedPayload, known *knownForms) (manifest.Payload, error) {
	if s.packed {
		now, err := c.inspectStored(ctx, key, s)
		return now.payload, err
	}
	ok, err := c.batch.stays(ctx, key.publisher, s.payload, known)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return s.payload, err
}

// keepPayload names one payload.
func (c *commit) keepPayload(ctx context.Context, s stagedPayload, name string) error {
	if s.draft != nil {
		return s.draft.Keep(name)
	}
	r, _, err := c.store.Open(ctx, s.object)
	if err != nil {
		return err
	}
	defer r.Close()
	return store.PutBatch(ctx, c.batch.objects, name, r)
}

// checkPayloads makes sure that a package has all its payloads.
func (c *commit) checkPayloads(ctx context.Context, m *manifest.Manifest) error {
	for p := range payloadsOf(m) {
		if _, ok := c.batch.payloads[payloadKey{c.publisher, p.Name()}]; ok {
			continue
		}
		if _, err := store.Stat(ctx, c.store, c.home.payload(p.Name())); err != nil {
			return &Error{Op: "find", Digest: p.Name(), Err: err}
		}
	}
	return nil
}

// run makes the packages visible. The journal says what to do about them if it
// does not come to the end.
func (c *commit) run(ctx context.Context) error {
	var j journal
	for _, t := range c.txs {
		if !t.NoCatalog {
			j = append(j, journalLine{opAdd, t.fmri})
		}
	}
	if err := c.begin(ctx, j); err != nil {
		return err
	}
	for i, t := range c.txs {
		if err := store.PutBatch(ctx, c.batch.objects, c.home.manifest(t.fmri), bytes.NewReader(c.manifests[i].Text())); err != nil {
			return err
		}
	}
	if err := c.batch.objects.Flush(ctx); err != nil {
		return err
	}
	if err := c.changeCatalog(ctx, c.catalog, c.list); err != nil {
		return err
	}
	for _, t := range c.txs {
		if t.resumed {
			if err := c.removeTrans(ctx, t.fmri); err != nil {
				return err
			}
		}
	}
	return c.done(ctx)
}

// list enters the packages into a catalog.
func (c *commit) list(b *catalog.Builder) error {
	for i, t := range c.txs {
		if t.NoCatalog {
			continue
		}
		if t.append {
			if err := b.Remove(t.fmri); err != nil {
				return err
			}
		}
		if err := b.Add(t.fmri, c.manifests[i]); err != nil {
			return err
		}
	}
	return nil
}
