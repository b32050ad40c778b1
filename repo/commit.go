package repo

import (
	"bytes"
	"context"
	"io/fs"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A commit publishes transactions of one publisher, with the order of writes that the
// package comment promises.
type commit struct {
	w     *writer
	stage *stage
	txs   []*Transaction

	catalog   *catalog.Catalog     // before
	manifests []*manifest.Manifest // of txs
}

// run publishes all of the transactions or none.
func (c *commit) run(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if err := c.publish(ctx); err != nil {
		// What cannot be taken back now is taken back by the next writer.
		c.w.recover(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

// prepare does what can fail without anybody having seen anything: it checks the
// packages and stores their payloads, durably.
func (c *commit) prepare(ctx context.Context) (err error) {
	if c.catalog, err = c.w.repo.tryCatalog(ctx, c.w.home); err != nil {
		return err
	}
	for _, t := range c.txs {
		if err := c.checkName(ctx, t); err != nil {
			return &Error{Op: "publish", FMRI: t.fmri, Err: err}
		}
	}
	placing := newPlacing(c.w, c.stage)
	if err := placing.run(ctx); err != nil {
		return err
	}
	for _, t := range c.txs {
		m, err := t.manifest(placing.changed)
		if err == nil {
			err = placing.check(ctx, m)
		}
		if err != nil {
			return &Error{Op: "publish", FMRI: t.fmri, Err: err}
		}
		c.manifests = append(c.manifests, m)
	}
	return c.stage.drafts.Flush(ctx)
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
	stored, err := exists(ctx, c.w.repo.store, c.w.home.manifest(t.fmri))
	if err == nil && (listed || stored) {
		err = fs.ErrExist
	}
	return err
}

// publish makes the packages visible. The journal says what to do about them if it
// does not come to the end.
func (c *commit) publish(ctx context.Context) error {
	var j journal
	for _, t := range c.txs {
		if !t.unlisted {
			j = append(j, journalLine{opAdd, t.fmri})
		}
	}
	if err := c.w.begin(ctx, j); err != nil {
		return err
	}
	for i, t := range c.txs {
		text := bytes.NewReader(c.manifests[i].Text())
		if err := store.PutBatch(ctx, c.stage.drafts, c.w.home.manifest(t.fmri), text); err != nil {
			return err
		}
	}
	if err := c.stage.drafts.Flush(ctx); err != nil {
		return err
	}
	if err := c.w.changeCatalog(ctx, c.catalog, c.list); err != nil {
		return err
	}
	for _, t := range c.txs {
		if t.resumed {
			if err := c.w.repo.removeTrans(ctx, t.fmri); err != nil {
				return err
			}
		}
	}
	return c.w.done(ctx)
}

// list enters the packages into a catalog.
func (c *commit) list(b *catalog.Builder) error {
	for i, t := range c.txs {
		if t.unlisted {
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
