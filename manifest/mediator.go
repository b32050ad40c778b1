package manifest

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A Mediation says for which setting of a mediator a link is there. Several packages
// may deliver a link at one path, each with another mediation; the image has those that
// match what it has settled on. Mediations compare with ==. The zero Mediation is that of a
// link that is not mediated.
type Mediation struct {
	Mediator       string // such as "java"
	Version        string // such as "1.8", "" for none
	Implementation string // a name, which "@" and a version may follow; "" for none
	Priority       string // "site", "vendor", or "" for neither
}

// Mediation returns the mediation of a link or hardlink. It reports false if a is not
// mediated.
func (a Action) Mediation() (m Mediation, ok bool) {
	if a.Kind != KindLink && a.Kind != KindHardlink {
		return Mediation{}, false
	}
	m.Mediator, ok = a.Attrs.Get("mediator")
	if !ok {
		return Mediation{}, false
	}
	m.Version, _ = a.Attrs.Get("mediator-version")
	m.Implementation, _ = a.Attrs.Get("mediator-implementation")
	m.Priority, _ = a.Attrs.Get("mediator-priority")
	return m, true
}

// Matches reports whether a link with mediation m belongs to the choice: it is of the
// same mediator and version, and the implementations agree: they are equal, or have one
// name and not both a version. An implementation "name@" agrees with those without a
// version only. Priorities do not matter.
func (m Mediation) Matches(choice Mediation) bool {
	return m.Mediator == choice.Mediator &&
		sameVersion(m.Version, choice.Version) &&
		sameImplementation(m.Implementation, choice.Implementation)
}

func sameVersion(a, b string) bool {
	return a == b || compareVersions(a, b) == 0
}

func sameImplementation(a, b string) bool {
	if a == b {
		return true
	}
	x, xv, xat := strings.Cut(a, "@")
	y, yv, yat := strings.Cut(b, "@")
	if x != y || a == "" || b == "" {
		return false
	}
	return !xat || !yat || sameVersion(xv, yv)
}

// Compare orders the mediations of one mediator, the preferred one first: by priority,
// site before vendor before none; the newer version, and none last; the name of
// the implementation, none first; and its newer version, and none last.
func (m Mediation) Compare(n Mediation) int {
	mi, mv, _ := strings.Cut(m.Implementation, "@")
	ni, nv, _ := strings.Cut(n.Implementation, "@")
	return cmp.Or(
		priorityRank(m.Priority)-priorityRank(n.Priority),
		compareVersions(n.Version, m.Version),
		strings.Compare(mi, ni),
		compareVersions(nv, mv),
	)
}

func priorityRank(p string) int {
	switch p {
	case "site":
		return 0
	case "vendor":
		return 1
	}
	return 2
}

// compareVersions orders versions: none, then texts that are not versions, then versions.
func compareVersions(a, b string) int {
	if a == b {
		return 0
	}
	x, xerr := fmri.ParseVersion(a)
	y, yerr := fmri.ParseVersion(b)
	switch {
	case a == "" || b == "":
		return cmp.Compare(len(a), len(b))
	case xerr == nil && yerr == nil:
		return x.Compare(y)
	case xerr == nil:
		return +1
	case yerr == nil:
		return -1
	}
	return strings.Compare(a, b)
}

// Sources of the parts of a [Choice], beside the priorities "site" and "vendor".
const (
	SourceLocal  = "local"  // set by the administrator
	SourceSystem = "system" // the best of what there is
)

// A Choice is what an image has settled on for a mediator. Choices compare with ==.
type Choice struct {
	Mediator             string
	Version              string
	VersionSource        string // "site", "vendor", SourceLocal, SourceSystem; "" for no version
	Implementation       string
	ImplementationSource string // like VersionSource

	// ImplementationVersion is the version that was found for an implementation that
	// the administrator has set without one.
	ImplementationVersion string
}

// Mediation returns the mediation that a link must match to belong to c.
func (c Choice) Mediation() Mediation {
	m := Mediation{Mediator: c.Mediator, Version: c.Version, Implementation: c.Implementation}
	if c.ImplementationVersion != "" {
		m.Implementation += "@" + c.ImplementationVersion
	}
	return m
}

// Local returns the parts of c that the administrator has set.
func (c Choice) Local() Choice {
	c.ImplementationVersion = ""
	if c.VersionSource != SourceLocal {
		c.Version, c.VersionSource = "", ""
	}
	if c.ImplementationSource != SourceLocal {
		c.Implementation, c.ImplementationSource = "", ""
	}
	return c
}

// Mediate returns the choices of an image, sorted by mediator. Offers are the mediations of all
// links that its packages have, and was is what the image had settled on, of which
// only what the administrator has set still counts. For each mediator it takes the best offer that does
// not contradict that, and the parts that the administrator has set as they are, even where
// there is no such offer. Offers without version and implementation do not count.
func Mediate(offers iter.Seq[Mediation], was []Choice) []Choice {
	choices := map[string]Choice{}
	for _, c := range was {
		if l := c.Local(); l.VersionSource != "" || l.ImplementationSource != "" {
			choices[c.Mediator] = l
		}
	}
	best := map[string]Mediation{}
	for m := range offers {
		if m.Version == "" && m.Implementation == "" || !choices[m.Mediator].admits(m) {
			continue
		}
		if b, ok := best[m.Mediator]; !ok || m.before(b) {
			best[m.Mediator] = m
		}
	}
	for name, m := range best {
		choices[name] = choices[name].complete(m)
	}
	return slices.SortedFunc(maps.Values(choices), func(a, b Choice) int {
		return strings.Compare(a.Mediator, b.Mediator)
	})
}

// before makes the order of Compare total, so that no choice depends on the order of offers.
func (m Mediation) before(n Mediation) bool {
	return cmp.Or(m.Compare(n), strings.Compare(m.Version, n.Version),
		strings.Compare(m.Implementation, n.Implementation), strings.Compare(m.Priority, n.Priority)) < 0
}

// admits reports whether m does not contradict what the administrator has set.
func (c Choice) admits(m Mediation) bool {
	return (c.VersionSource == "" || sameVersion(c.Version, m.Version)) &&
		(c.ImplementationSource == "" || sameImplementation(c.Implementation, m.Implementation))
}

// complete returns c with the parts of m where the administrator has set none.
func (c Choice) complete(m Mediation) Choice {
	source := m.Priority
	if priorityRank(source) == priorityRank("") {
		source = SourceSystem
	}
	c.Mediator = m.Mediator
	if c.VersionSource == "" && m.Version != "" {
		c.Version, c.VersionSource = m.Version, source
	}
	switch {
	case c.ImplementationSource == "" && m.Implementation != "":
		c.Implementation, c.ImplementationSource = m.Implementation, source
	case c.ImplementationSource != "" && !strings.Contains(c.Implementation, "@"):
		_, c.ImplementationVersion, _ = strings.Cut(m.Implementation, "@")
	}
	return c
}
