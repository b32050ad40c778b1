package repo

import (
	"context"
	"errors"
	"io/fs"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A placing gives staged payloads of one publisher their names. It decides, with the
// right to write in hand, in which form each of them is stored from now on.
type placing struct {
	w     *writer
	stage *stage

	forms   knownForms                           // nobody else adds to them now
	changed map[manifest.Digest]manifest.Payload // what is stored in another form than was said when it was staged
}

func newPlacing(w *writer, g *stage) *placing {
	return &placing{w: w, stage: g, changed: map[manifest.Digest]manifest.Payload{}}
}

// run gives all payloads their names: the next flush of the stage stores them. Those
// that another has stored meanwhile stay as they are, and those that were found stored
// must be so still.
func (p *placing) run(ctx context.Context) error {
	for key, s := range p.stage.payloads {
		if key.publisher != p.w.home.publisher {
			continue
		}
		place := p.place
		if s.isStored() {
			place = p.confirm
		}
		if err := place(ctx, key, s); err != nil {
			return err
		}
	}
	return nil
}

// place gives one payload its name, unless what is stored fits.
func (p *placing) place(ctx context.Context, key payloadKey, s staged) error {
	now, err := p.stored(ctx, key, s)
	switch {
	case err == nil && s.draft != nil:
		err = s.draft.Drop()
	case errors.Is(err, fs.ErrNotExist):
		now, err = s.payload, p.name(ctx, s, p.w.home.payload(key.hash))
	}
	if err != nil {
		return err
	}
	if s.packed && now.Stored != s.payload.Stored {
		p.changed[key.hash] = now
	}
	p.stage.payloads[key] = staged{payload: now, packed: s.packed}
	return nil
}

// stored returns what is to be said about a payload that is stored in a form that
// fits. Otherwise the error matches fs.ErrNotExist.
func (p *placing) stored(ctx context.Context, key payloadKey, s staged) (manifest.Payload, error) {
	if s.packed {
		now, err := p.w.repo.inspectStored(ctx, key, s.payload.Size)
		return now.payload, err
	}
	ok, err := p.stage.fits(ctx, key.publisher, s.payload, &p.forms)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return s.payload, err
}

// name gives a payload its name.
func (p *placing) name(ctx context.Context, s staged, name string) error {
	if s.draft != nil {
		return s.draft.Keep(name)
	}
	r, _, err := p.w.repo.store.Open(ctx, s.object)
	if err != nil {
		return err
	}
	defer r.Close()
	return store.PutBatch(ctx, p.stage.drafts, name, r)
}

// confirm looks whether a payload is stored as it was when it was needed. Another
// may have removed it since, or put another form in its place.
func (p *placing) confirm(ctx context.Context, key payloadKey, s staged) error {
	info, err := store.Stat(ctx, p.w.repo.store, p.w.home.payload(key.hash))
	if err == nil && info.Tag == s.tag {
		return nil
	}
	now, err := p.w.repo.inspectStored(ctx, key, s.payload.Size)
	if errors.Is(err, fs.ErrNotExist) {
		delete(p.stage.payloads, key) // who needs it finds out
		return nil
	}
	if err != nil {
		return err
	}
	if now.payload.Stored != s.payload.Stored {
		p.changed[key.hash] = now.payload
	}
	return nil
}

// check makes sure that a package has all its payloads.
func (p *placing) check(ctx context.Context, m *manifest.Manifest) error {
	for payload := range payloadsOf(m) {
		if _, ok := p.stage.payloads[payloadKey{p.w.home.publisher, payload.Name()}]; ok {
			continue
		}
		if _, err := store.Stat(ctx, p.w.repo.store, p.w.home.payload(payload.Name())); err != nil {
			return &Error{Op: "find", Digest: payload.Name(), Err: err}
		}
	}
	return nil
}
