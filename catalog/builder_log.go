package catalog

import (
	"cmp"
	"fmt"
	"slices"
)

// log adds the operations to update logs, one for each locale.
func (b *Builder) log(c *Catalog) error {
	logs := map[string]*Update{}
	for _, op := range b.ops {
		op.Time = c.modified
		for locale, part := range op.split() {
			u := logs[locale]
			if u == nil {
				var err error
				if u, err = b.openLog(c, updateName(c.modified, locale)); err != nil {
					return err
				}
				logs[locale] = u
				c.logs = append(c.logs, u)
			}
			u.ops = append(u.ops, part)
		}
	}
	slices.SortFunc(c.logs, func(u, v *Update) int { return cmp.Compare(u.Name(), v.Name()) })
	for _, u := range c.logs {
		u.sort()
		c.setUpdate(u)
	}
	return nil
}

// split returns an operation as the logs of each locale have it.
func (op Op) split() map[string]Op {
	ops := map[string]Op{}
	if op.entry.base {
		one := op
		one.entry = &entry{fmri: op.FMRI, base: true, row: op.entry.row, extra: op.entry.extra}
		ops[Base.Locale()] = one
	}
	for _, l := range op.entry.lists {
		one, ok := ops[l.part.Locale()]
		if !ok {
			one = op
			one.entry = &entry{fmri: op.FMRI}
		}
		one.entry.lists = append(one.entry.lists, l)
		ops[l.part.Locale()] = one
	}
	return ops
}

// openLog returns the log of that name with the operations it has so far.
func (b *Builder) openLog(c *Catalog, name string) (*Update, error) {
	attrs, ok := lookFile(c.updates, name)
	if !ok {
		return &Update{attrs: FileAttrs{Name: name}, signed: !c.unsigned}, nil
	}
	u, err := openUpdate(b.Logs, attrs, nil)
	if err != nil {
		return nil, fmt.Errorf("continuing an update log: %w", err)
	}
	u.signed = !c.unsigned
	return u, nil
}

// setUpdate lists a log in the attributes.
func (c *Catalog) setUpdate(u *Update) {
	if u.attrs.Signature = ""; u.signed {
		u.attrs.Signature = hexSHA1(u.appendText(nil))
	}
	i, ok := slices.BinarySearchFunc(c.updates, u.Name(), func(f FileAttrs, name string) int {
		return cmp.Compare(f.Name, name)
	})
	if !ok {
		c.updates = slices.Insert(c.updates, i, FileAttrs{})
	}
	c.updates[i] = u.attrs
}
