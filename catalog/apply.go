package catalog

import (
	"fmt"
	"io"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
)

// Apply returns the state that update logs lead to, as a client applies them: an
// operation counts for those parts of old that were last modified before it. The logs of one
// locale are to be in order of time. The result has the new attributes, of which parts that
// old does not have count as not read, and is compared with the signatures in them. What
// does not fit is an error that matches [fs.ErrExist], [fs.ErrNotExist], [ErrIdentity],
// [*SignatureError] or, if it is the number of packages, [*FormatError]; then all must be
// read anew.
func Apply(old *Catalog, attrs *Attrs, logs []*Update, opts *ReadOptions) (*Catalog, error) {
	a := applier{Builder: Builder{Base: old}, old: old, meta: map[Part][]scan.Member{}}
	for _, u := range baseFirst(logs) {
		a.log = u
		for i := range u.ops {
			if err := a.op(&u.ops[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", u.Name(), err)
			}
		}
	}
	c := newCatalog(attrs)
	c.attrsChanged = true
	touched, err := a.assemble(c)
	if err != nil {
		return nil, err
	}
	if err := a.setParts(c, touched, attrs); err != nil {
		return nil, err
	}
	r := reader{opts: opts}
	if err := r.checkCounts(attrs, c); err != nil || opts.trustsLogs() {
		return c, err
	}
	return c, eachPart(c, opts.parallel(), func(p *part) error {
		if p.skipped || !p.changed && old.part(Part(p.Name)).Signature == p.Signature {
			return nil
		}
		return c.verify(p)
	})
}

// baseFirst returns logs with those that concern the base part before the others, which say
// something about the entries that are there in the end.
func baseFirst(logs []*Update) []*Update {
	other := func(u *Update) int {
		if locale(u.Name()) == Base.Locale() {
			return 0
		}
		return 1
	}
	logs = slices.Clone(logs)
	slices.SortStableFunc(logs, func(u, v *Update) int { return other(u) - other(v) })
	return logs
}

// An applier collects the changes of logs in a Builder.
type applier struct {
	Builder
	old  *Catalog
	log  *Update                // being applied
	meta map[Part][]scan.Member // of the log that last changed a part: both were written at once
}

// op performs one operation.
func (a *applier) op(op *Op) error {
	e := a.pending(op)
	switch {
	case !e.base && len(e.lists) == 0:
		return nil
	case !e.base:
		return a.lists(op.Type, e)
	case op.Type == OpRemove:
		return a.Remove(op.FMRI)
	}
	if c := a.find(op.FMRI); c != nil && c.entry != nil && a.holds(c.entry, e) {
		return nil // some repositories list an earlier time for a part than that of its last change
	}
	return a.add(e)
}

// pending returns what of an operation old does not have yet.
func (a *applier) pending(op *Op) *entry {
	e := &entry{fmri: op.FMRI, row: op.entry.row, extra: op.entry.extra}
	after := func(name Part) bool {
		p := a.old.part(name)
		return p != nil && !p.skipped && op.Time.After(p.FileAttrs.Modified)
	}
	if e.base = op.entry.base && after(Base); e.base {
		a.meta[Base] = a.log.meta
	}
	for _, l := range op.entry.lists {
		if after(l.part) {
			e.lists = append(e.lists, l)
			a.meta[l.part] = a.log.meta
		}
	}
	return e
}

// lists adds lists to an entry or takes them away, as the logs of other locales than
// that of the base part ask for.
func (a *applier) lists(do OpType, e *entry) error {
	c := a.find(e.fmri)
	if c == nil || c.entry == nil {
		return nil // the log of the base part has removed it
	}
	now, err := c.entry.expand()
	if err != nil {
		return err
	}
	for _, l := range e.lists {
		now.lists = slices.DeleteFunc(now.lists, func(m list) bool { return m.part == l.part })
		if do == OpAdd {
			now.lists = append(now.lists, l)
		}
	}
	slices.SortFunc(now.lists, compareLists)
	c.entry = now
	a.changes[e.fmri] = c
	return nil
}

// holds reports whether an entry says the same as a new one.
func (a *applier) holds(have, e *entry) bool {
	now, err := have.expand()
	if err != nil || now.row.digest != e.row.digest || now.row.marks&markDigest != e.row.marks&markDigest {
		return false
	}
	return !slices.ContainsFunc(e.lists, func(l list) bool {
		i, ok := slices.BinarySearchFunc(now.lists, l, compareLists)
		return !ok || !slices.Equal(now.lists[i].actions, l.actions)
	})
}

// setParts completes the parts of the new state.
func (a *applier) setParts(c *Catalog, touched map[Part]bool, attrs *Attrs) error {
	for _, p := range c.parts {
		old := a.old.part(Part(p.Name))
		if _, listed := attrs.Part(Part(p.Name)); !listed {
			return fmt.Errorf("%w: logs lead to a part %s", ErrIdentity, p.Name)
		}
		if old == nil || old.skipped {
			p.skipped = true
			continue
		}
		p.meta = old.meta
		if meta, ok := a.meta[Part(p.Name)]; ok {
			p.meta = meta
		}
		p.changed = touched[Part(p.Name)] || old.loose || old.order != nil
	}
	return nil
}

// verify compares a part with the signature that the attributes list.
func (c *Catalog) verify(p *part) error {
	if p.Signature == "" {
		return nil
	}
	sum, err := c.encode(io.Discard, p)
	if err != nil {
		return err
	}
	if sum != p.Signature {
		return &SignatureError{File: p.Name, Got: sum, Want: p.Signature}
	}
	return nil
}
