package catalogtest

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Options say what [Generate] makes.
type Options struct {
	Versions  int       // package versions; 0 means 1000
	Seed      uint64    // catalogs of the same size differ by it
	Publisher string    // "" means the constant Publisher
	Start     time.Time // time of the first version; zero means the beginning of 2013
}

// Generate makes a catalog as a distribution's repository has it after some years: names
// in a hierarchy, long and short histories, dependencies pinned to what was current,
// an incorporation of half of the packages each month, obsolete and renamed
// packages. The same options make the same catalog.
func Generate(o *Options) (*catalog.Catalog, error) {
	b := catalog.Builder{}
	for f, m := range Packages(o) {
		if err := b.Add(f, m); err != nil {
			return nil, err
		}
		if t, ok := f.Version().Time(); ok && t.After(b.Now) {
			b.Now = t
		}
	}
	return b.Build()
}

// Packages returns the versions of which [Generate] makes a catalog, with manifests that have
// what concerns catalogs, in the order of time.
func Packages(o *Options) iter.Seq2[fmri.FMRI, *manifest.Manifest] {
	return func(yield func(fmri.FMRI, *manifest.Manifest) bool) {
		newGenerator(o).run(yield)
	}
}

const (
	maxMonths        = 131 // as many as the model for this has
	versionsPerMonth = 580
	stemsPerHundred  = 12
	month            = 30 * 24 * time.Hour
)

// A generator is a distribution that grows.
type generator struct {
	rng       *rand.Rand
	publisher string
	now       time.Time
	versions  int
	stems     int // that there will be
	months    int
	known     []component
	locked    []int // components that the incorporation names
	text      []byte
	yield     func(fmri.FMRI, *manifest.Manifest) bool
	stopped   bool
}

// A component is a package with its history so far.
type component struct {
	name    string
	major   [3]int // of the upstream release
	build   int    // of the distribution's branch
	deps    []dependency
	retired bool
	words   int // seeds summary and description
}

// A dependency is one that a component has in all its versions.
type dependency struct {
	kind string
	on   int // component
}

func newGenerator(o *Options) *generator {
	var z Options
	if o != nil {
		z = *o
	}
	n := cmp.Or(z.Versions, 1000)
	start := z.Start
	if start.IsZero() {
		start = time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &generator{
		rng: rand.New(rand.NewPCG(z.Seed, 0x9e3779b97f4a7c15)), publisher: cmp.Or(z.Publisher, Publisher), now: start,
		versions: n, stems: max(1, n*stemsPerHundred/100), months: min(max(1, n/versionsPerMonth), maxMonths),
	}
}

// run makes month after month.
func (g *generator) run(yield func(fmri.FMRI, *manifest.Manifest) bool) {
	g.yield = yield
	left := g.versions
	for m := range g.months {
		budget := left / (g.months - m)
		left -= budget
		g.month(m, budget)
		if g.stopped {
			return
		}
	}
}

// month publishes a month's versions: new components, updates of others, and at the end
// what incorporates them.
func (g *generator) month(m, budget int) {
	end := g.now.Add(month)
	step := month / time.Duration(budget+1)
	fresh := g.stems*(m+1)/g.months - len(g.known)
	incorporate := budget > 2
	if incorporate {
		budget -= 2
	}
	for i := range budget {
		if i < fresh || len(g.known) == 0 {
			g.invent()
			g.publish(len(g.known) - 1)
		} else {
			g.update()
		}
		g.now = g.now.Add(step).Truncate(time.Second)
		if g.stopped {
			return
		}
	}
	if incorporate {
		g.incorporate(m)
	}
	g.now = end
}

// invent adds a component that nobody has published yet.
func (g *generator) invent() {
	n := len(g.known)
	c := component{
		name:  fmt.Sprintf("%s/%s-%s%d", pick(g.rng, categories), pick(g.rng, words[:plainWords]), pick(g.rng, words[:plainWords]), n),
		major: [3]int{1 + g.rng.IntN(5), g.rng.IntN(20), g.rng.IntN(10)},
		words: g.rng.IntN(1 << 30),
	}
	for range min(n, 1+g.rng.IntN(10)+g.rng.IntN(11)) {
		r := g.rng.Float64()
		c.deps = append(c.deps, dependency{g.kind(), int(float64(n) * r * r)})
	}
	if g.rng.IntN(2) == 0 {
		g.locked = append(g.locked, n)
	}
	g.known = append(g.known, c)
}

// kind returns a type of dependency, as often as it occurs in nature.
func (g *generator) kind() string {
	switch r := g.rng.IntN(100); {
	case r < 94:
		return "require"
	case r < 96:
		return "conditional"
	case r < 98:
		return "require-any"
	case r < 99:
		return "optional"
	}
	return "group"
}

// update publishes a new version of a component, more likely of some than of others.
func (g *generator) update() {
	r := g.rng.Float64()
	i := int((0.95*r*r + 0.05*g.rng.Float64()) * float64(len(g.known)))
	c := &g.known[i]
	if c.retired {
		c.retired = false // it comes back
	}
	switch g.rng.IntN(16) {
	case 0:
		c.retired = true
		c.build++
		g.retire(i)
		return
	case 1, 2, 3, 4, 5:
		c.major[2]++
		c.build = 0
	case 6, 7:
		c.major[1]++
		c.major[2], c.build = 0, 0
	default:
		c.build++
	}
	g.publish(i)
}

// pick returns one of a list.
func pick(rng *rand.Rand, list []string) string { return list[rng.IntN(len(list))] }

const plainWords = 25

var categories = []string{
	"system/library", "library", "developer", "web", "desktop", "network", "database", "driver/network",
	"library/python", "library/perl-5", "runtime", "text", "image/library", "x11/library", "archiver", "security",
}

// words are for names and texts; those behind plainWords are for texts alone.
var words = []string{
	"amber", "basil", "cedar", "daisy", "elder", "fern", "ginger", "hazel", "iris", "juniper", "kelp", "laurel",
	"maple", "nettle", "olive", "poppy", "quince", "rose", "sage", "thyme", "umber", "violet", "willow", "yarrow",
	"zinnia", "über", "größe", "naïve",
}
