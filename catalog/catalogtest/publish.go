package catalogtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// version returns the current version of a component without its time stamp.
func (c *component) version(year int) string {
	return fmt.Sprintf("%d.%d.%d-%d.0.0.%d", c.major[0], c.major[1], c.major[2], year, c.build)
}

// publish publishes the current version of a component.
func (g *generator) publish(i int) {
	c := &g.known[i]
	g.text = g.text[:0]
	for _, d := range c.deps {
		g.depend(d)
	}
	rng := rand.New(rand.NewPCG(uint64(c.words), 1))
	g.line("set name=pkg.summary value=%q", fmt.Sprintf("%s, the %s for %s", c.name, pick(rng, words), pick(rng, words)))
	if rng.IntN(4) == 0 {
		g.line("set name=pkg.description value=%q", strings.Repeat(pick(rng, words)+" and "+pick(rng, words)+" ", 1+rng.IntN(12)))
	}
	g.line("set name=info.classification value=org.opensolaris.category.2008:System/%s", strings.ToUpper(c.name[:1]))
	g.line("set name=variant.arch value=i386 value=sparc")
	g.emit(c.name, c.version(g.now.Year()))
}

// depend writes a dependency, pinned to what is current.
func (g *generator) depend(d dependency) {
	on := &g.known[d.on]
	pinned := "pkg:/" + on.name + "@" + on.version(g.now.Year())
	switch d.kind {
	case "conditional":
		g.line("depend fmri=%s predicate=pkg:/%s type=conditional", pinned, g.known[d.on/2].name)
	case "require-any":
		g.line("depend fmri=%s fmri=pkg:/%s type=require-any", pinned, g.known[d.on/2].name)
	case "group":
		g.line("depend fmri=pkg:/%s type=group", on.name)
	default:
		g.line("depend fmri=%s type=%s", pinned, d.kind)
	}
}

// retire publishes a version that says that a component is gone, or has another name.
func (g *generator) retire(i int) {
	c := &g.known[i]
	g.text = g.text[:0]
	if i > 0 && g.rng.IntN(4) == 0 {
		g.line("set name=pkg.renamed value=true")
		g.line("depend fmri=pkg:/%s type=require", g.known[g.rng.IntN(i)].name)
	} else {
		g.line("set name=pkg.obsolete value=true")
	}
	g.emit(c.name, c.version(g.now.Year()))
}

// incorporate publishes the incorporation of a month, and the package that pins it.
func (g *generator) incorporate(m int) {
	version := fmt.Sprintf("0.5.11-%d.0.0.%d", g.now.Year(), 10000+m)
	g.text = g.text[:0]
	for _, i := range g.locked {
		c := &g.known[i]
		g.line("depend facet.version-lock.%s=true fmri=%s@%s type=incorporate", c.name, c.name, c.version(g.now.Year()))
	}
	g.line("set name=pkg.depend.install-hold value=core-os.userland")
	g.line(`set name=pkg.summary value="Incorporation of userland"`)
	g.emit("consolidation/userland/userland-incorporation", version)

	g.text = g.text[:0]
	for _, kind := range []string{"incorporate", "require"} {
		g.line("depend fmri=consolidation/userland/userland-incorporation@%s type=%s", version, kind)
	}
	g.line("set name=pkg.depend.install-hold value=core-os")
	g.line(`set name=pkg.summary value="The whole system"`)
	g.emit("entire", version)
}

// line writes an action.
func (g *generator) line(format string, args ...any) {
	g.text = append(fmt.Appendf(g.text, format, args...), '\n')
}

// emit passes a version with the manifest that was written.
func (g *generator) emit(name, version string) {
	if g.stopped {
		return
	}
	v, err := fmri.ParseVersion(version)
	if err != nil {
		panic(err) // the generator is wrong
	}
	f, err := fmri.New(g.publisher, name, v.WithTime(g.now))
	if err != nil {
		panic(err)
	}
	m, err := manifest.Parse(name, append(fmt.Appendf(nil, "set name=pkg.fmri value=%s\n", f), g.text...))
	if err != nil {
		panic(err)
	}
	g.stopped = !g.yield(f, m)
}
