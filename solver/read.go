package solver

import (
	"errors"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

var (
	errDepend   = errors.New("depend action without packages")
	errNoDepend = errors.New("no depend action")
)

// A depend is a depend action as it was read.
type depend struct {
	kind      depKind
	fmris     []fmri.FMRI
	predicate fmri.FMRI
	rootImage bool
	varcets   manifest.Attrs // the variants and facets under which it counts
}

// A depReader reads depend actions, each into the memory of the one before.
type depReader struct {
	d     depend
	attrs manifest.Attrs
}

// read reads a depend action, also one of an unknown type.
func (r *depReader) read(text string) (*depend, error) {
	attrs, ok := r.bare(text)
	if !ok {
		a, err := manifest.ParseAction(text)
		switch {
		case err != nil:
			return nil, err
		case a.Kind != manifest.KindDepend:
			return nil, errNoDepend
		}
		attrs = a.Attrs
	}
	return &r.d, r.d.parse(attrs)
}

// bare splits the text of a depend action of the most usual form: known attributes,
// one of them a type, nothing quoted, one space between them. It is a short cut: of such a text it gives
// what [manifest.ParseAction] gives, in less than half the time.
func (r *depReader) bare(text string) (manifest.Attrs, bool) {
	rest, ok := strings.CutPrefix(text, "depend ")
	r.attrs = r.attrs[:0]
	for ok && rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		name, value, found := strings.Cut(word, "=")
		ok = found && isDependAttr(name) && isBare(value)
		r.attrs = append(r.attrs, manifest.Attr{Name: name, Value: value})
	}
	return r.attrs, ok && r.attrs.Count("type") == 1 && r.attrs.Has("fmri")
}

// isDependAttr reports whether name is an attribute that depend actions have.
func isDependAttr(name string) bool {
	switch name {
	case "type", "fmri", "predicate", "root-image":
		return true
	}
	return (strings.HasPrefix(name, "facet.") || strings.HasPrefix(name, "variant.")) && isBare(name)
}

// isBare reports whether s has printable characters only, none of which can be
// a quote or mean anything else.
func isBare(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// parse reads the attributes of a depend action.
func (d *depend) parse(attrs manifest.Attrs) (err error) {
	*d = depend{kind: otherKind, fmris: d.fmris[:0], varcets: d.varcets[:0]}
	for _, a := range attrs {
		switch {
		case a.Name == "fmri":
			f, err := fmri.Parse(a.Value)
			if err != nil {
				return err
			}
			d.fmris = append(d.fmris, f)
		case strings.HasPrefix(a.Name, "facet."), strings.HasPrefix(a.Name, "variant."):
			d.varcets = append(d.varcets, a)
		}
	}
	if len(d.fmris) == 0 {
		return errDepend
	}
	typ, _ := attrs.Get("type")
	if k, ok := depKinds[typ]; ok {
		d.kind = k
	}
	root, _ := attrs.Get("root-image")
	d.rootImage = strings.EqualFold(root, "true")
	predicate, ok := attrs.Get("predicate")
	if d.kind == conditional || d.kind == otherKind && ok {
		d.predicate, err = fmri.Parse(predicate)
	}
	return err
}

// readDepend reads the text of a depend action that has been read before.
func readDepend(text string) depend {
	var r depReader
	if d, err := r.read(text); err == nil {
		return *d
	}
	return depend{}
}
