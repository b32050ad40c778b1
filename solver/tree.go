package solver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goips/ips/fmri"
)

// A tree prints facts as a derivation: what is requested or installed, below it
// what that depends on, and below that what is in its way. Each fact is told
// once, where it first matters.
type tree struct {
	facts []Fact
	rules map[string][]int // by name: the facts that forbid versions of it
	needs map[string][]int // by name: the dependencies of it
	told  []bool
	form  fmri.Form // of packages
	whole bool      // nothing is left out
	lines []string
}

// maxLines is how many lines a short derivation has at most.
const maxLines = 12

// brief prints facts as a tree of few lines: what is alike is told once, and of a long
// derivation the middle is left out.
func brief(facts []Fact) []string {
	lines := derive(facts, false)
	n := len(lines)
	if n <= maxLines {
		return lines
	}
	const tail = maxLines / 2
	left := fmt.Sprintf("... %d lines more ...", n-maxLines+1)
	return slices.Concat(lines[:maxLines-1-tail], []string{left}, lines[n-tail:])
}

// derive prints facts as a tree of lines; with whole nothing is left out.
func derive(facts []Fact, whole bool) []string {
	t := tree{facts: facts, told: make([]bool, len(facts)), form: formFor(facts), whole: whole,
		rules: map[string][]int{}, needs: map[string][]int{}}
	for i := range facts {
		switch f := &facts[i]; {
		case f.Kind >= firstRule:
			t.rules[f.Name] = append(t.rules[f.Name], i)
		case f.Kind == FactDepend:
			t.needs[f.Name] = append(t.needs[f.Name], i)
		}
	}
	for i := range facts {
		if facts[i].Kind < FactDepend {
			t.tell(i, 0)
		}
	}
	for i := range facts {
		t.tell(i, 0)
	}
	return t.lines
}

// formFor returns the form in which packages are printed: with publisher only
// if there are several, with timestamp only if some versions differ in nothing else.
func formFor(facts []Fact) fmri.Form {
	form := fmri.OmitScheme | fmri.OmitPublisher | fmri.Short
	publisher := ""
	short := map[string]fmri.FMRI{}
	for i := range facts {
		for _, f := range facts[i].shown() {
			if p := f.Publisher(); p != "" && publisher != "" && p != publisher {
				form &^= fmri.OmitPublisher
			} else if p != "" {
				publisher = p
			}
			text := f.Format(fmri.Short)
			if g, ok := short[text]; ok && g != f {
				form &^= fmri.OmitTime
			}
			short[text] = f
		}
		for _, v := range facts[i].timed() {
			text := v.Format(fmri.Short)
			if f, ok := short[text]; ok && f.Version() != v.Version() && f.Version().Timestamp() != "" {
				form &^= fmri.OmitTime
			}
			short[text] = v
		}
	}
	return form
}

// shown returns the packages that are named when f is told.
func (f *Fact) shown() []fmri.FMRI {
	var list []fmri.FMRI
	if n := len(f.Packages); n > 0 && !f.All && f.Kind != FactRequested && f.Kind != FactInstalled {
		list = append(list, f.Packages[0], f.Packages[n-1])
	}
	if f.By.IsValid() && f.Kind != FactFrozen {
		list = append(list, f.By)
	}
	return list
}

// timed returns the packages with a timestamp that f depends on.
func (f *Fact) timed() []fmri.FMRI {
	var list []fmri.FMRI
	for _, d := range f.Depends {
		for _, text := range d.Actions {
			for _, on := range readDepend(text).fmris {
				if on.Version().IsValid() && on.Version().Timestamp() != "" {
					list = append(list, on)
				}
			}
		}
	}
	return list
}

// tell prints fact i and what follows from it.
func (t *tree) tell(i, depth int) {
	if t.told[i] {
		return
	}
	t.told[i] = true
	f := &t.facts[i]
	first, more := t.sentence(f)
	t.line(depth, first)
	for _, m := range more {
		t.line(depth+1, m)
	}
	switch f.Kind {
	case FactRequested, FactInstalled, FactDecided:
		t.tellAbout(f.Name, depth+1)
	case FactDepend:
		for _, d := range f.Depends {
			if depKinds[d.Type].needs() {
				t.tellNeeded(t.skip(d.On, depth+1), depth+1)
			}
		}
	}
}

// skip passes over the middle of a chain in which each package needs just the next one,
// and returns what the last one that it passes needs.
func (t *tree) skip(names []string, depth int) []string {
	var passed []int
	for next := names; len(next) == 1 && !t.whole; {
		why, i := t.only(next[0])
		if why == "" {
			break
		}
		t.told[i] = true // so that it is not passed again
		passed = append(passed, i)
		next = t.facts[i].Depends[0].On
	}
	keep := min(len(passed), 2) // the end of the chain is told
	for _, i := range passed[len(passed)-keep:] {
		t.told[i] = false
	}
	passed = passed[:len(passed)-keep]
	if len(passed) < minSkipped {
		for _, i := range passed {
			t.told[i] = false
		}
		return names
	}
	t.line(depth, fmt.Sprintf("that one needs another, and so on over %d packages, until", len(passed)))
	return t.facts[passed[len(passed)-1]].Depends[0].On
}

// minSkipped is how many links of a chain are worth a line that says so.
const minSkipped = 4

// tellNeeded prints what is known about packages of which something needs one. What is
// the same for several is told once.
func (t *tree) tellNeeded(names []string, depth int) {
	alike := map[string][]int{}
	for _, name := range names {
		if why, i := t.only(name); why != "" {
			alike[why] = append(alike[why], i)
		}
	}
	for _, name := range names {
		why, i := t.only(name)
		if len(alike[why]) < minAlike || t.whole {
			t.tellAbout(name, depth)
			continue
		}
		f := &t.facts[i]
		subject, _ := t.subject(f)
		t.line(depth, fmt.Sprintf("%s and %d others %s", subject, len(alike[why])-1, why))
		for _, k := range alike[why] {
			t.told[k] = true
		}
		for _, name := range f.Depends[0].On {
			t.tellAbout(name, depth+1)
		}
	}
}

// minAlike is how many packages are told as one if the same holds for them.
const minAlike = 3

// only returns what there is to say of a package, and the number of the fact, if that is
// just one dependency that has not been told yet.
func (t *tree) only(name string) (why string, i int) {
	if len(t.rules[name]) > 0 || len(t.needs[name]) != 1 {
		return "", 0
	}
	i = t.needs[name][0]
	if f := &t.facts[i]; !t.told[i] && len(f.Depends) == 1 && depKinds[f.Depends[0].Type].needs() {
		return t.clause(f.Depends, f.Depends[0], true), i
	}
	return "", 0
}

// tellAbout prints what is known about a package that something leads to.
func (t *tree) tellAbout(name string, depth int) {
	for _, list := range [][]int{t.rules[name], t.needs[name]} {
		for _, i := range list {
			t.tell(i, depth)
		}
	}
}

func (t *tree) line(depth int, text string) {
	t.lines = append(t.lines, strings.Repeat("  ", min(depth, maxIndent))+text)
}

// maxIndent is how far the steps of a long chain are indented.
const maxIndent = 10

// sentence says a fact in one line, or in one and a list.
func (t *tree) sentence(f *Fact) (first string, more []string) {
	subject, many := t.subject(f)
	is := subject + agree(many, " is ", " are ")
	by := f.By.Format(t.form)
	switch f.Kind {
	case FactRequested:
		return f.Comment + " is requested", nil
	case FactInstalled:
		return by + " is installed", nil
	case FactDecided:
		return is + "decided before", nil
	case FactDepend:
		if f.Renamed && len(f.Depends) == 1 {
			return is + "renamed to " + t.object(f.Depends[0]), nil
		}
		return t.depends(subject, many, f.Depends)
	case FactRejected:
		return f.Name + " is rejected", nil
	case FactUnsupported:
		return is + "not to be understood", nil
	case FactVariant:
		return is + "for other variants", nil
	case FactExplicit:
		return is + "only for those who ask for it by name", nil
	case FactPublisher:
		if f.By.IsValid() {
			return is + "not of the publisher from which " + by + " is installed", nil
		}
		return is + "not of the publisher that ranks first", nil
	case FactFrozen:
		return joinComment(f.Name+" is frozen at "+f.By.Version().Short(), f.Comment), nil
	case FactHeld:
		if len(f.Depends) == 0 {
			return by + " is installed and keeps its version", nil
		}
		return by + " is installed and admits only " + t.object(f.Depends[0]), nil
	case FactOrigin:
		if parts := machineParts(f.Depends[0]); parts != nil {
			return is + "only for machines with " + strings.Join(parts, ", "), nil
		}
		return is + "only for images that have " + t.object(f.Depends[0]) + " already", nil
	}
	return is + "only for images whose parent has " + t.object(f.Depends[0]), nil
}

// machineParts returns the firmware and processors that a dependency is on.
func machineParts(d Dependency) []string {
	var parts []string
	for _, text := range d.Actions {
		for _, f := range readDepend(text).fmris {
			if isMachine(f) && !slices.Contains(parts, f.Name()) {
				parts = append(parts, f.Name())
			}
		}
	}
	return parts
}

// joinComment adds the comment of a freeze.
func joinComment(text, comment string) string {
	if comment == "" {
		return text
	}
	return text + " (" + comment + ")"
}

// subject names the versions of a fact, and says if they are a plural.
func (t *tree) subject(f *Fact) (text string, many bool) {
	n := len(f.Packages)
	switch {
	case n == 0:
		return f.Name, false
	case n == 1:
		return f.Packages[0].Format(t.form), false
	case f.All:
		return "every version of " + f.Name, false
	}
	return fmt.Sprintf("%s to %s (%d versions)",
		f.Packages[0].Format(t.form), f.Packages[n-1].Version().Short(), n), true
}

// agree returns the form of a verb.
func agree(many bool, one, several string) string {
	if many {
		return several
	}
	return one
}

// depends says what a subject depends on: in the same line if that is one
// thing, or else in lines of their own.
func (t *tree) depends(subject string, many bool, deps []Dependency) (first string, more []string) {
	limits := 0
	for _, d := range deps {
		if depKinds[d.Type] == incorporate && !pinned(deps, d) {
			limits++
		}
	}
	for _, d := range deps {
		switch {
		case depKinds[d.Type] == incorporate && pinned(deps, d):
		case depKinds[d.Type] == incorporate && limits == len(deps) && limits > 1:
			more = append(more, t.object(d))
		default:
			more = append(more, t.clause(deps, d, many))
		}
	}
	switch {
	case len(more) == 1:
		return subject + " " + more[0], nil
	case limits == len(deps):
		return subject + agree(many, " admits only", " admit only"), more
	}
	return subject, more
}

// pinned reports whether the incorporate dependency d goes with a require of
// the same package, so that both are told as one.
func pinned(deps []Dependency, d Dependency) bool {
	return slices.ContainsFunc(deps, func(r Dependency) bool {
		return depKinds[r.Type] == require && r.On[0] == d.On[0]
	})
}

// clause says one dependency of those of a subject.
func (t *tree) clause(deps []Dependency, d Dependency, many bool) string {
	switch depKinds[d.Type] {
	case require:
		for _, pin := range deps {
			if depKinds[pin.Type] == incorporate && pin.On[0] == d.On[0] {
				return agree(many, "requires just ", "require just ") + t.object(pin)
			}
		}
		return agree(many, "requires ", "require ") + t.object(d)
	case requireAny:
		return agree(many, "requires one of ", "require one of ") + t.object(d)
	case conditional:
		return agree(many, "requires ", "require ") + t.object(d)
	case group, groupAny:
		return agree(many, "wants ", "want ") + t.object(d)
	case exclude:
		return agree(many, "excludes ", "exclude ") + t.object(d)
	}
	return agree(many, "admits only ", "admit only ") + t.object(d)
}

// maxNamed is how many of several packages are named in one line.
const maxNamed = 8

// object names what is depended on: at the versions of the oldest and the
// newest depending version, if those differ.
func (t *tree) object(d Dependency) string {
	oldest := readDepend(d.Actions[0])
	newest := readDepend(d.Actions[len(d.Actions)-1])
	var texts []string
	for i, f := range newest.fmris {
		if f.Name() == self {
			texts = append(texts, "the same version")
			continue
		}
		if !slices.Contains(d.On, f.Name()) {
			continue // a member that does not count
		}
		text := f.Name()
		if v := f.Version(); v.IsValid() {
			text += "@" + t.version(v)
			if i < len(oldest.fmris) && t.version(oldest.fmris[i].Version()) != t.version(v) {
				text = fmt.Sprintf("%s@%s to %s", f.Name(), t.version(oldest.fmris[i].Version()), t.version(v))
			}
			if newest.kind != incorporate {
				text += " or newer"
			}
		}
		texts = append(texts, text)
	}
	text := strings.Join(texts, ", ")
	if n := len(texts); n > maxNamed+1 && !t.whole {
		text = fmt.Sprintf("%s and %d others", strings.Join(texts[:maxNamed], ", "), n-maxNamed)
	}
	if newest.kind == conditional {
		text += " if there is " + newest.predicate.Name()
		if v := newest.predicate.Version(); v.IsValid() {
			text += "@" + t.version(v) + " or newer"
		}
	}
	switch {
	case d.Obsolete.IsValid():
		text += ", which is obsolete since " + since(d.Obsolete.Version())
	case d.Missing:
		text += ", of which no fitting version is known"
	}
	return text
}

// version prints a version as packages are printed: with its timestamp if others differ
// in nothing else.
func (t *tree) version(v fmri.Version) string {
	if t.form&fmri.OmitTime == 0 && v.Timestamp() != "" {
		return v.Short() + ":" + v.Timestamp()
	}
	return v.Short()
}

// since names a version and the day when it was published.
func since(v fmri.Version) string {
	if day, ok := v.Time(); ok {
		return v.Short() + ", of " + day.Format(time.DateOnly)
	}
	return v.Short()
}
