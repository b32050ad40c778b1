package solver_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A dice rolls numbers out of a string of bytes, and zeros when it is used up.
type dice []byte

// roll returns a number below n, which is at most 256.
func (d *dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

// once reports true in one of n cases, never when the bytes are used up.
func (d *dice) once(n int) bool { return len(*d) > 0 && d.roll(n) == n-1 }

// pick returns one of list.
func (d *dice) pick(list ...string) string { return list[d.roll(len(list))] }

// rounds returns how often something random is tried: the second number if
// IPS_LONG is set.
func rounds(usual, long uint64) uint64 {
	if os.Getenv("IPS_LONG") != "" {
		return long
	}
	return usual
}

// seededDice returns dice of n random bytes.
func seededDice(seed uint64, n int) dice {
	bytes := make(dice, n)
	source := rand.New(rand.NewPCG(seed, 5))
	for i := range bytes {
		bytes[i] = byte(source.UintN(256))
	}
	return bytes
}

// A world is what random universes are made of.
type world struct {
	stems      []string
	versions   []string // of which each stem has at most most
	most       int
	publishers []string
	wild       bool // dependencies of all kinds, rarely to be satisfied
	settled    bool // images are the answers of former requests
}

// smallWorld makes universes that enumeration can solve.
var smallWorld = world{
	stems:      []string{"a", "b", "c", "lib/d", "e"},
	versions:   []string{"1", "2", "3", "1.1", "1-0.1", "1-0.2", "1-0.2.1"},
	most:       3,
	publishers: []string{"p1", "p2", "p3"},
	wild:       true,
}

// universe makes a universe of what the dice say.
func (w *world) universe(d *dice) *universe {
	u := &universe{Op: d.pick("install", "update", "uninstall", "exact-install")}
	w.makePublishers(d, u)
	stems := w.stems[:2+d.roll(len(w.stems)-1)]
	for _, stem := range stems {
		w.makeStem(d, u, stem, stems)
	}
	w.makeImage(d, u, stems)
	if w.settled && u.Op != "exact-install" {
		u.settle(d)
	}
	w.makeRequest(d, u, stems)
	return u
}

func (w *world) makePublishers(d *dice, u *universe) {
	u.Publishers = []universePublisher{{"p1", true, true}}
	if !d.once(4) {
		return
	}
	u.ownRanks = d.once(4)
	u.Publishers = nil
	for _, name := range w.publishers {
		u.Publishers = append(u.Publishers, universePublisher{name, d.once(2), !d.once(6)})
	}
	if k := d.roll(len(w.publishers)); k > 0 {
		u.Publishers[0], u.Publishers[k] = u.Publishers[k], u.Publishers[0]
	}
}

func (w *world) makeStem(d *dice, u *universe, stem string, stems []string) {
	var versions []string
	for range 1 + d.roll(w.most) {
		if v := d.pick(w.versions...); !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	for _, v := range versions {
		actions := w.actions(d, stem, stems)
		for k, p := range u.Publishers {
			if k == 0 && len(u.Publishers) == 1 || d.once(2) || k == 0 && d.once(2) {
				u.Known = append(u.Known, universePackage{fullName(p.name, stem, v), actions})
			}
		}
	}
}

// fullName returns a canonical FMRI.
func fullName(publisher, stem, version string) string {
	release, branch, ok := strings.Cut(version, "-")
	if ok {
		branch = "-" + branch
	}
	return fmt.Sprintf("pkg://%s/%s@%s,5.11%s:20200101T000000Z", publisher, stem, release, branch)
}

// actions makes the actions of one version.
func (w *world) actions(d *dice, stem string, stems []string) []string {
	list := []string{}
	set := func(name, value string) { list = append(list, "set name="+name+" value="+value) }
	if d.once(10) {
		set("pkg.obsolete", "true")
		return list
	}
	if d.once(14) {
		set("pkg.renamed", "true")
		return append(list, "depend type=require fmri="+w.target(d, stems))
	}
	if d.once(7) {
		set("pkg.depend.install-hold", d.pick("core", "core.x", "corex", "core.x.y"))
	}
	if d.once(14) {
		set("pkg.depend.explicit-install", "true")
	}
	if d.once(20) {
		set("variant.arch", "sparc")
	}
	for range d.roll(4) {
		list = append(list, w.depend(d, stem, stems))
	}
	return list
}

func (w *world) depend(d *dice, stem string, stems []string) string {
	typ := d.pick("require", "incorporate", "require-any", "optional", "exclude", "conditional", "group", "group-any",
		"require", "incorporate", "require", "origin", "group", "parent", "incorporate", "exclude")
	if !w.wild && (typ == "origin" || typ == "exclude" && d.once(2)) {
		typ = "optional"
	}
	target := w.target(d, stems)
	s := "depend type=" + typ + " fmri=" + target
	switch typ {
	case "require-any", "group-any":
		s += " fmri=" + w.target(d, stems)
		if d.once(3) {
			s += " fmri=" + w.target(d, stems)
		}
	case "conditional":
		s += " predicate=" + w.target(d, stems)
	case "parent":
		s = "depend type=parent fmri=" + d.pick(self, target)
	case "origin":
		if d.once(3) {
			s += " root-image=true"
		}
	case "incorporate":
		if name, _, _ := strings.Cut(target, "@"); d.once(3) {
			s += " facet.version-lock." + name + "=true"
		}
	}
	if d.once(40) {
		s += " variant.arch=sparc"
	}
	if d.once(80) {
		s = strings.Replace(s, "type="+typ, "type=weird", 1)
	}
	return s
}

// target makes what a dependency names.
func (w *world) target(d *dice, stems []string) string {
	stem := d.pick(stems...)
	switch {
	case d.once(30):
		stem = "unknown"
	case d.once(3):
		return stem
	case w.wild && d.once(12):
		return stem + "@9"
	}
	return stem + "@" + d.pick(w.versions...)
}

// makeImage installs packages, and says how the image is set up. It leaves out
// what the rules do not settle: whether an exact-install matches patterns by the
// publishers of packages that are to go; and whether what is installed for
// another variant, and is therefore to go, can be uninstalled by name, or keeps
// older versions of its name out.
func (w *world) makeImage(d *dice, u *universe, stems []string) {
	for _, stem := range stems {
		var known []string
		foreign := false
		for _, p := range u.Known {
			if strings.Contains(p.FMRI, "/"+stem+"@") {
				known, foreign = append(known, p.FMRI), foreign || slices.Contains(p.Actions, "set name=variant.arch value=sparc")
			}
		}
		if foreign && (len(known) > 1 || u.Op == "uninstall") {
			continue
		}
		if len(known) > 0 && d.once(2) && (u.Op != "exact-install" || len(u.Publishers) == 1) {
			u.Installed = append(u.Installed, d.pick(known...))
		}
		if d.once(10) {
			u.Avoid = append(u.Avoid, stem)
		}
		if d.once(16) {
			u.Freezes = append(u.Freezes, stem+"@"+d.pick(w.versions...))
		}
		if d.once(20) {
			u.Root = append(u.Root, fullName("p1", stem, d.pick(w.versions...)))
		}
	}
	if d.once(5) {
		u.Facets = map[string]bool{"facet.version-lock." + d.pick(append([]string{"*"}, stems...)...): false}
	}
	if d.once(20) && u.Op == "install" {
		u.Variants = map[string]string{"variant.arch": "sparc"}
	}
	if d.once(8) {
		parent := []string{}
		for _, stem := range stems {
			if d.once(2) {
				parent = append(parent, fullName("p1", stem, d.pick(w.versions...)))
			}
		}
		u.Parent = &parent
	}
}

// makeRequest says what is asked for.
func (w *world) makeRequest(d *dice, u *universe, stems []string) {
	for _, stem := range stems {
		known := slices.ContainsFunc(u.Known, func(p universePackage) bool { return strings.Contains(p.FMRI, "/"+stem+"@") })
		if known && u.Op != "uninstall" && d.once(12) {
			u.Reject = append(u.Reject, stem)
		}
	}
	if u.Op == "update" || u.Op == "install" && d.once(8) {
		return
	}
	from := stems
	if u.Op == "uninstall" && len(u.Installed) > 0 {
		from = nil
		for _, f := range parseAll(u.Installed) {
			from = append(from, f.Name())
		}
	}
	for range 1 + d.roll(2) {
		pattern := d.pick(from...)
		switch {
		case d.once(3):
			pattern = w.knownVersion(d, u, pattern)
		case d.once(20):
			pattern += "@" + d.pick(w.versions...)
		case d.once(8):
			pattern += "@latest"
		}
		if p := "//" + d.pick(w.publishers...) + "/"; len(u.Publishers) > 1 && d.once(8) {
			pattern = p + pattern
		}
		if !slices.Contains(u.Propose, pattern) {
			u.Propose = append(u.Propose, pattern)
		}
	}
}

// knownVersion returns a pattern for a version of stem that exists, if any.
func (w *world) knownVersion(d *dice, u *universe, stem string) string {
	if u.Op == "uninstall" {
		return stem
	}
	var patterns []string
	for _, p := range u.Known {
		if f := fmri.MustParse(p.FMRI); f.Name() == stem {
			patterns = append(patterns, plain(f))
		}
	}
	return d.pick(append(patterns, stem)...)
}

// shuffled returns the universe with its lists in another order.
func (u *universe) shuffled(seed uint64) *universe {
	v := *u
	r := rand.New(rand.NewPCG(seed, 7))
	for _, list := range []*[]string{&v.Installed, &v.Avoid, &v.Freezes, &v.Reject, &v.Root} {
		*list = slices.Clone(*list)
		r.Shuffle(len(*list), func(i, j int) { (*list)[i], (*list)[j] = (*list)[j], (*list)[i] })
	}
	v.Known = slices.Clone(v.Known)
	r.Shuffle(len(v.Known), func(i, j int) { v.Known[i], v.Known[j] = v.Known[j], v.Known[i] })
	return &v
}
