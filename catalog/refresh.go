package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// A route says how a client gets from one state of a catalog to another.
type route struct {
	// Full says that the files replace the catalog. Otherwise update logs among
	// the files are applied to it, and parts among them replace the old ones.
	Full bool
	// Reason tells why a plan that did not ask for it is full, or nil. It wraps
	// ErrIdentity or errObsolete.
	Reason error
	// Files are the names of what is to be fetched, in the order in which it is to
	// be applied. None at all means that only the attributes changed, or nothing.
	Files []string
	// Nothing says that the catalog has not changed.
	Nothing bool
}

// parts reports whether there are parts among the files.
func (p *route) parts() bool {
	return slices.ContainsFunc(p.Files, func(name string) bool { return strings.HasPrefix(name, "catalog.") })
}

// planRefresh decides how to get from the attributes of a client's catalog, nil if it has
// none, to those of the repository's. It is the reference's table:
//
//	created differs                              full
//	last-modified is the same                    nothing to do
//	an old part is gone                          full
//	an old part is newer than the new one        full
//	no part changed                              only the attributes
//	a log for the hour in which each changed     the logs since then
//	  part was last modified is there
//	otherwise                                    the changed parts
//
// Of summaries only those in C are fetched, and those that the client has.
func planRefresh(old, new *Attrs) route {
	if old == nil {
		return fullPlan(new, nil)
	}
	if !old.Created.Equal(new.Created) {
		return fullPlan(new, fmt.Errorf("%w: created %s, was %s", ErrIdentity, show(new.Created), show(old.Created)))
	}
	if old.Modified.Equal(new.Modified) {
		return route{Nothing: true}
	}
	return planChanges(old, new)
}

func show(t time.Time) string { return string(appendTime(nil, t)) }

// fullPlan fetches all parts in C.
func fullPlan(new *Attrs, reason error) route {
	p := route{Full: true, Reason: reason}
	for _, f := range new.Parts {
		if locale(f.Name) == Base.Locale() {
			p.Files = append(p.Files, f.Name)
		}
	}
	return p
}

// planChanges decides between logs and parts.
func planChanges(old, new *Attrs) route {
	incremental := true
	since := map[string]time.Time{} // by locale of changed parts: their last change
	var changed []string
	for _, was := range old.Parts {
		is, ok := new.Part(Part(was.Name))
		switch {
		case !ok:
			return fullPlan(new, fmt.Errorf("%w: %s is gone", ErrIdentity, was.Name))
		case is.Modified.Before(was.Modified):
			return fullPlan(new, fmt.Errorf("%w: %s is of %s, was of %s", errObsolete, was.Name, show(is.Modified), show(was.Modified)))
		case is.Modified.Equal(was.Modified):
			continue
		}
		changed = append(changed, was.Name)
		in := locale(was.Name)
		if was.Modified.After(since[in]) {
			since[in] = was.Modified
		}
		if _, ok := new.Update(updateName(was.Modified, in)); !ok {
			incremental = false
		}
	}
	for _, is := range new.Parts {
		if _, ok := old.Part(Part(is.Name)); !ok && wanted(is.Name, since) {
			changed = append(changed, is.Name)
			incremental = false
		}
	}
	if incremental {
		return route{Files: logsSince(new, since)}
	}
	slices.Sort(changed)
	return route{Files: changed}
}

// wanted reports whether a part that is new to the client is to be fetched.
func wanted(name string, changed map[string]time.Time) bool {
	in := locale(name)
	if _, ok := changed[in]; !ok && in != Base.Locale() {
		return false
	}
	return name == string(Base) || name == string(Dependency) || Part(name).isSummary()
}

// logsSince returns the logs of each locale with changes after a time.
func logsSince(new *Attrs, since map[string]time.Time) []string {
	var names []string
	for _, u := range new.Updates {
		if t, ok := since[locale(u.Name)]; ok && u.Modified.After(t) {
			names = append(names, u.Name)
		}
	}
	return names
}

// Refresh brings a client's catalog up to date from a directory, which may be one that
// fetches files when they are opened. It fetches the update logs since then, or the parts that changed, and, if logs turn
// out not to lead to the new state, reads all parts. old may be nil. It stays as it
// is, and is returned if nothing has changed. What is returned otherwise agrees
// with the signatures of the new attributes.
//
// The files of the result that are modified are to be written where the
// client keeps the old ones; catalog.attrs comes last.
func Refresh(old *Catalog, fsys fs.FS, opts *ReadOptions) (*Catalog, error) {
	signed := ReadOptions{Signed: true}
	if opts != nil {
		signed = *opts
		signed.Signed = true
	}
	r := reader{fsys: fsys, opts: &signed, limits: opts.limits()}
	src, err := readFile(fsys, attrsName, r.limits.File)
	if err != nil {
		return nil, err
	}
	attrs, err := ParseAttrs(src, r.opts)
	if err != nil {
		return nil, err
	}
	plan, err := r.planFrom(old, attrs)
	if err != nil {
		return nil, err
	}
	if plan.Nothing {
		return old, nil
	}
	if !plan.Full {
		c, err := r.incremental(old, attrs, plan)
		if !tryFull(err) {
			return c, err
		}
		plan = fullPlan(attrs, err)
	}
	return r.full(attrs, plan)
}

// planFrom decides how to get from a catalog to new attributes. A part that is neither in
// memory nor wanted is as if there were none.
func (r *reader) planFrom(old *Catalog, new *Attrs) (route, error) {
	held := func(name string) bool {
		p := old.part(Part(name))
		return p != nil && !p.skipped
	}
	if old == nil {
		return planRefresh(nil, new), nil
	}
	attrs, err := old.Attrs()
	if err != nil {
		return route{}, err
	}
	from, to := *attrs, *new
	from.Parts = slices.DeleteFunc(slices.Clone(from.Parts), func(f FileAttrs) bool { return !held(f.Name) })
	to.Parts = slices.DeleteFunc(slices.Clone(to.Parts), func(f FileAttrs) bool {
		return !held(f.Name) && f.Name != string(Base) && !r.wants(f.Name)
	})
	return planRefresh(&from, &to), nil
}

// tryFull reports whether an error of applying logs is one that reading everything
// may mend.
func tryFull(err error) bool {
	var sig *SignatureError
	var format *FormatError
	return errors.Is(err, fs.ErrExist) || errors.Is(err, ErrUpdateType) || errors.Is(err, ErrIdentity) ||
		errors.As(err, &sig) || errors.As(err, &format) || errors.Is(err, fs.ErrNotExist)
}

// full reads the parts of a plan, all of which are new to the client.
func (r *reader) full(attrs *Attrs, plan route) (*Catalog, error) {
	r.plan = plan.Files
	c, err := r.catalog(attrs)
	if err != nil {
		return nil, err
	}
	for _, p := range c.parts {
		p.changed = !p.skipped
	}
	c.attrsChanged = true
	return c, nil
}

// incremental applies the logs of a plan, or reads its parts.
func (r *reader) incremental(old *Catalog, attrs *Attrs, plan route) (*Catalog, error) {
	if plan.parts() {
		return r.replace(old, attrs, plan.Files)
	}
	logs := make([]*Update, len(plan.Files))
	for i, name := range plan.Files {
		f, _ := attrs.Update(name)
		u, err := openUpdate(r.fsys, f, r.opts)
		if err != nil {
			return nil, err
		}
		logs[i] = u
	}
	return Apply(old, attrs, logs, r.opts)
}

// replace reads some parts anew, and the others as the old catalog has them.
func (r *reader) replace(old *Catalog, attrs *Attrs, fetched []string) (*Catalog, error) {
	over := *r
	over.fsys = overlay{r.fsys, old, fetched}
	over.plan = slices.Clone(fetched)
	for _, p := range old.Parts() {
		over.plan = append(over.plan, string(p))
	}
	c, err := over.catalog(attrs)
	if err != nil {
		return nil, err
	}
	for _, p := range c.parts {
		p.changed = p.changed || slices.Contains(fetched, p.Name)
	}
	c.attrsChanged = true
	return c, nil
}

// An overlay is a directory with some files of one and the parts of a catalog.
type overlay struct {
	fs.FS
	old  *Catalog
	over []string
}

func (o overlay) Open(name string) (fs.File, error) {
	if slices.Contains(o.over, name) {
		return o.FS.Open(name)
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(o.old.WritePart(w, Part(name))) }()
	return pipeFile{r}, nil
}

// A pipeFile is a part as a file. Closing it ends the goroutine that writes it.
type pipeFile struct{ *io.PipeReader }

func (pipeFile) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
