package solver_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/bits"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A universe is the whole input of one solve: what is known, what is installed,
// what is asked for. It is the "in" of a vector.
type universe struct {
	Known      []universePackage   `json:"packages"`
	Publishers []universePublisher `json:"publishers"`
	Installed  []string            `json:"installed,omitempty"`
	Op         string              `json:"op"`
	Propose    []string            `json:"propose,omitempty"`
	Reject     []string            `json:"reject,omitempty"`
	Avoid      []string            `json:"avoid,omitempty"`
	Freezes    []string            `json:"freezes,omitempty"`
	Variants   map[string]string   `json:"variants,omitempty"`
	Facets     map[string]bool     `json:"facets,omitempty"`
	Parent     *[]string           `json:"parent,omitempty"` // nil: the image is nobody's child
	Root       []string            `json:"root,omitempty"`

	ownRanks bool // no two publishers share a rank
}

type universePackage struct {
	FMRI    string   `json:"fmri"`
	Actions []string `json:"actions"`
}

// A universePublisher is written [prefix, sticky, enabled].
type universePublisher struct {
	name            string
	sticky, enabled bool
}

func (p *universePublisher) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&p.name, &p.sticky, &p.enabled})
}

func (p universePublisher) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.name, p.sticky, p.enabled})
}

// vector writes the universe as a vector does, to be copied and kept.
func (u *universe) vector() string {
	text, err := json.Marshal(u)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// String tells the universe as a story, one version to a line.
func (u *universe) String() string {
	var b strings.Builder
	short := func(s string) string { return strings.NewReplacer(",5.11", "", ":20200101T000000Z", "").Replace(s) }
	line := func(what, text string) { fmt.Fprintf(&b, "  %-10s %s\n", what, text) }
	for _, p := range u.Known {
		line("known", short(p.FMRI)+"  "+strings.Join(p.Actions, "; "))
	}
	for _, f := range u.Installed {
		line("installed", short(f))
	}
	for _, p := range u.Publishers {
		line("publisher", fmt.Sprintf("%s sticky=%t enabled=%t", p.name, p.sticky, p.enabled))
	}
	lists := []struct {
		what string
		list []string
	}{{"avoid", u.Avoid}, {"freeze", u.Freezes}, {"reject", u.Reject}, {"root", u.Root}}
	for _, l := range lists {
		if len(l.list) > 0 {
			line(l.what, strings.Join(l.list, " "))
		}
	}
	if u.Parent != nil {
		line("parent", short(strings.Join(*u.Parent, " ")))
	}
	if len(u.Variants)+len(u.Facets) > 0 {
		line("varcets", fmt.Sprint(u.Variants, u.Facets))
	}
	line("request", u.Op+" "+strings.Join(u.Propose, " "))
	return b.String()
}

// A version is one known package version as the rules see it: its dependencies
// are those that the image's variants and facets leave.
type version struct {
	fmri        fmri.FMRI
	stem        int
	obsolete    bool
	renamed     bool
	explicit    bool
	unsupported bool
	foreign     bool // for other variants
	holds       []string
	depends     []dependency
}

type dependency struct {
	typ       string
	on        []fmri.FMRI
	predicate fmri.FMRI
	liveRoot  bool // root-image=true
}

func (d *dependency) String() string {
	s := d.typ
	for _, f := range d.on {
		s += " " + plain(f)
	}
	if d.predicate.IsValid() {
		s += " if " + plain(d.predicate)
	}
	return s
}

// plain prints an FMRI as briefly as it can be read.
func plain(f fmri.FMRI) string { return f.Format(fmri.Short | fmri.OmitScheme | fmri.OmitPublisher) }

var knownTypes = []string{"require", "require-any", "optional", "incorporate", "exclude", "conditional",
	"group", "group-any", "origin", "parent"}

// read understands the actions of v. Values in this test have no quotes.
func (v *version) read(u *universe, actions []string) {
	for _, action := range actions {
		kind, rest, _ := strings.Cut(action, " ")
		attrs := readAttrs(rest)
		switch {
		case kind == "depend":
			v.readDepend(u, attrs)
		case kind == "set":
			v.readSet(u, attrs)
		}
	}
}

func readAttrs(text string) (attrs [][2]string) {
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		attrs = append(attrs, [2]string{name, value})
	}
	return attrs
}

func (v *version) readSet(u *universe, attrs [][2]string) {
	var name string
	var values []string
	for _, a := range attrs {
		switch a[0] {
		case "name":
			name = a[1]
		case "value":
			values = append(values, a[1])
		}
	}
	switch name {
	case "pkg.obsolete":
		v.obsolete = values[0] == "true"
	case "pkg.renamed":
		v.renamed = values[0] == "true"
	case "pkg.depend.explicit-install":
		v.explicit = values[0] == "true"
	case "pkg.depend.install-hold":
		v.holds = append(v.holds, values...)
	default:
		if value, ok := u.variants()[name]; ok && !slices.Contains(values, value) {
			v.foreign = true
		}
	}
}

func (v *version) readDepend(u *universe, attrs [][2]string) {
	var d dependency
	for _, a := range attrs {
		switch a[0] {
		case "type":
			d.typ = a[1]
		case "fmri":
			d.on = append(d.on, fmri.MustParse(a[1]))
		case "predicate":
			d.predicate = fmri.MustParse(a[1])
		case "root-image":
			d.liveRoot = a[1] == "true"
		}
	}
	if !slices.Contains(knownTypes, d.typ) {
		v.unsupported = true
	}
	if u.allows(attrs) {
		v.depends = append(v.depends, d)
	}
}

func (u *universe) variants() map[string]string {
	all := map[string]string{"variant.arch": "i386", "variant.opensolaris.zone": "global"}
	for name, value := range u.Variants {
		all[name] = value
	}
	return all
}

// allows reports whether variants and facets leave an action.
func (u *universe) allows(attrs [][2]string) bool {
	grouped, any := false, false
	for _, a := range attrs {
		name, value := a[0], a[1]
		switch {
		case strings.HasPrefix(name, "variant."):
			is, ok := u.variants()[name]
			if !ok {
				is = "false"
			}
			if is != value {
				return false
			}
		case strings.HasPrefix(name, "facet.") && value == "all":
			if !u.facet(name) {
				return false
			}
		case strings.HasPrefix(name, "facet."):
			grouped, any = true, any || u.facet(name)
		}
	}
	return !grouped || any
}

// facet returns the value of a facet: what is said of it by name, or by the
// longest pattern that matches.
func (u *universe) facet(name string) bool {
	if value, ok := u.Facets[name]; ok {
		return value
	}
	best := ""
	for pattern := range u.Facets {
		// A star matches slashes, too, unlike in package path.
		ok, _ := path.Match(flat(pattern), flat(name))
		if ok && (len(pattern) > len(best) || len(pattern) == len(best) && pattern < best) {
			best = pattern
		}
	}
	if best != "" {
		return u.Facets[best]
	}
	return !strings.HasPrefix(name, "facet.debug.") && !strings.HasPrefix(name, "facet.optional.")
}

func flat(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

// A set is a set of versions of one universe, by index.
type set [4]uint64

func setOf(members ...int) (s set) {
	for _, i := range members {
		s.add(i)
	}
	return s
}

func (s *set) add(i int)       { s[i/64] |= 1 << (i % 64) }
func (s *set) remove(i int)    { s[i/64] &^= 1 << (i % 64) }
func (s set) has(i int) bool   { return s[i/64]>>(i%64)&1 != 0 }
func (s set) empty() bool      { return s == set{} }
func (s set) meets(t set) bool { return !s.and(t).empty() }
func (s set) in(t set) bool    { return s.without(t).empty() }

func (s set) and(t set) set {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

func (s set) or(t set) set {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

func (s set) without(t set) set {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

func (s set) len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all yields the members, ascending.
func (s set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(i*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
