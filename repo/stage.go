package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A stage is where payloads wait for their names. They come in as content or in a
// stored form, are hashed, and compared with what is there: what is staged or
// stored already is not staged again.
type stage struct {
	repo   *Repository
	drafts store.Batch
	how    Packing    // of what comes as content
	exact  bool       // what comes takes the place of other stored forms
	forms  knownForms // before anything was staged

	mu       sync.Mutex
	payloads map[payloadKey]staged
}

type payloadKey struct {
	publisher string
	hash      manifest.Digest
}

// unknownForm is a payload of which nothing but the name is known.
func (k payloadKey) unknownForm() manifest.Payload {
	return manifest.Payload{Content: manifest.DigestsOf(k.hash), Size: -1, StoredSize: -1}
}

// A staged payload is in a draft, in an object of a transaction that was suspended,
// or stored.
type staged struct {
	payload manifest.Payload
	packed  bool // by us, so that payload tells all about the stored form
	draft   store.Draft
	object  string
	tag     string // of the object, if it is stored
}

// isStored reports whether the payload was found stored when it was needed.
func (s staged) isStored() bool { return s.draft == nil && s.object == "" }

func newStage(ctx context.Context, r *Repository, exact bool) (*stage, error) {
	how, err := r.packing(ctx)
	if err != nil {
		return nil, err
	}
	drafts, err := store.NewBatch(ctx, r.store)
	if err != nil {
		return nil, err
	}
	return &stage{repo: r, drafts: drafts, how: how, exact: exact, payloads: map[payloadKey]staged{}}, nil
}

// close forgets what has no name.
func (g *stage) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, s := range g.payloads {
		if s.draft != nil {
			s.draft.Drop()
		}
		delete(g.payloads, key)
	}
	g.drafts.Close()
}

// pack takes in content, and returns what is to be said about its stored form.
// Content that can be read twice is hashed first, and only packed if it is neither
// staged nor stored.
func (g *stage) pack(ctx context.Context, publisher string, content io.Reader) (p manifest.Payload, err error) {
	if at, size, ok := readTwice(content); ok {
		p, found, err := g.find(ctx, publisher, at, size)
		if found || err != nil {
			return p, err
		}
	}
	draft, err := g.drafts.Create(ctx)
	if err != nil {
		return p, err
	}
	p, err = g.repo.packers.pack(ctx, g.how, draft, content)
	if err == nil {
		err = draft.Close()
	}
	if err != nil {
		return p, join(err, draft.Drop())
	}
	elf := p.ELF
	p, err = g.enterPacked(ctx, payloadKey{publisher, p.Name()}, staged{payload: p, packed: true, draft: draft})
	p.ELF = elf
	return p, err
}

// find returns what is to be said about content that is staged or stored.
func (g *stage) find(ctx context.Context, publisher string, content io.ReaderAt, size int64) (p manifest.Payload, found bool, err error) {
	h := manifest.SHA1.New()
	if _, err := io.Copy(h, contextReader{ctx, io.NewSectionReader(content, 0, size)}); err != nil {
		return p, false, err
	}
	d, err := manifest.SHA1.Digest(h.Sum(nil))
	if err != nil {
		return p, false, err
	}
	key := payloadKey{publisher, d}
	s, ok := g.lookup(key)
	if !ok || !s.packed {
		s, err = g.repo.inspectStored(ctx, key, size)
		if err != nil {
			return p, false, ignore(err, fs.ErrNotExist)
		}
		s.payload, err = g.enter(key, s)
		if err != nil {
			return p, false, err
		}
	}
	p = s.payload
	p.ELF, err = manifest.ReadELF(content, size)
	return p, true, err
}

// take takes in a stored form. Its content must be what is known of it; the form
// may be another than p names, if it comes from where there are several.
func (g *stage) take(ctx context.Context, publisher string, p manifest.Payload, stored io.Reader) error {
	return g.draft(ctx, publisher, func(draft io.Writer) (manifest.Payload, error) {
		return p, g.repo.packers.verify(ctx, p.ContentOnly(), io.TeeReader(stored, draft))
	})
}

// takeUnknown takes in a stored form of which nothing is known but its name, unless
// it is staged.
func (g *stage) takeUnknown(ctx context.Context, key payloadKey, stored io.Reader) error {
	if _, ok := g.lookup(key); ok {
		return nil
	}
	if key.hash.Algorithm() != manifest.SHA1 { // by which Inspect does not know it
		return g.take(ctx, key.publisher, key.unknownForm(), stored)
	}
	return g.draft(ctx, key.publisher, func(draft io.Writer) (manifest.Payload, error) {
		p, err := manifest.Inspect(contextReader{ctx, io.TeeReader(stored, draft)}, 0)
		if err == nil && p.Name() != key.hash {
			err = because(fs.ErrInvalid, "its content has the digest %v", p.Name())
		}
		return p, err
	})
}

// draft stages what fill writes to a draft.
func (g *stage) draft(ctx context.Context, publisher string, fill func(draft io.Writer) (manifest.Payload, error)) error {
	draft, err := g.drafts.Create(ctx)
	if err != nil {
		return err
	}
	p, err := fill(draft)
	if err == nil {
		err = draft.Close()
	}
	if err != nil {
		return join(err, draft.Drop())
	}
	_, err = g.enter(payloadKey{publisher, p.Name()}, staged{payload: p, draft: draft})
	return err
}

// holds reports whether a payload need not be brought from elsewhere: it is
// staged, or stored in a form that fits.
func (g *stage) holds(ctx context.Context, publisher string, p manifest.Payload) (bool, error) {
	if _, ok := g.lookup(payloadKey{publisher, p.Name()}); ok {
		return true, nil
	}
	return g.fits(ctx, publisher, p, &g.forms)
}

// fits reports whether a payload is stored in a form that may stay when p comes:
// the one that p names, or one that a manifest of the publisher does.
func (g *stage) fits(ctx context.Context, publisher string, p manifest.Payload, known *knownForms) (bool, error) {
	ok, err := g.repo.hasForm(ctx, publisher, p)
	if ok || err != nil || g.exact {
		return ok, ignore(err, fs.ErrNotExist)
	}
	all, err := known.of(ctx, g.repo, publisher)
	if err != nil {
		return false, err
	}
	for other := range all.others(p) {
		if ok, err := g.repo.hasForm(ctx, publisher, other); ok || err != nil {
			return ok, ignore(err, fs.ErrNotExist)
		}
	}
	return false, nil
}

// enterPacked enters a payload that was packed, unless it is staged or stored. It
// returns what is to be said about it.
func (g *stage) enterPacked(ctx context.Context, key payloadKey, s staged) (manifest.Payload, error) {
	if old, ok := g.lookup(key); ok && old.packed {
		return old.payload, s.draft.Drop()
	}
	stored, err := g.repo.inspectStored(ctx, key, s.payload.Size)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return g.enter(key, s)
	case err != nil:
		return stored.payload, join(err, s.draft.Drop())
	}
	if err := s.draft.Drop(); err != nil {
		return stored.payload, err
	}
	return g.enter(key, stored)
}

// enter stages a payload, unless another was faster.
func (g *stage) enter(key payloadKey, s staged) (manifest.Payload, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old, ok := g.payloads[key]
	if !ok || s.packed && !old.packed {
		g.payloads[key] = s
		s, old = old, s
	}
	if s.draft != nil {
		return old.payload, s.draft.Drop()
	}
	return old.payload, nil
}

// lookup returns a staged payload.
func (g *stage) lookup(key payloadKey) (staged, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.payloads[key]
	return s, ok
}

// inspectStored returns what is to be said about a payload of that size as it is
// stored. One that is damaged counts as not there.
func (r *Repository) inspectStored(ctx context.Context, key payloadKey, size int64) (staged, error) {
	rc, info, err := r.store.Open(ctx, r.home(key.publisher).payload(key.hash))
	if err != nil {
		return staged{}, err
	}
	defer rc.Close()
	p, err := manifest.Inspect(contextReader{ctx, rc}, max(size, 1)) // 0 would mean no limit
	if isDamage(err) || err == nil && p.Content.Of(key.hash.Algorithm()) != key.hash {
		return staged{}, fs.ErrNotExist
	}
	return staged{payload: p, packed: true, tag: info.Tag}, err
}
