package catalogtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/manifest"
)

// Format prints a catalog in the form that [Parse] reads, with what it has of
// dependencies and summaries, in its order.
func Format(c *catalog.Catalog) string {
	var b strings.Builder
	for p := range c.All() {
		writePackage(&b, c, p)
	}
	return b.String()
}

// writePackage prints a version.
func writePackage(b *strings.Builder, c *catalog.Catalog, p catalog.Package) {
	if p.Publisher() != Publisher {
		b.WriteString("//" + p.Publisher() + "/")
	}
	b.WriteString(strings.Replace(p.Name()+"@"+p.Version().String(), ",5.11", "", 1))
	var lines []string
	for _, part := range c.Parts() {
		for text, err := range p.Texts(part) {
			switch {
			case err != nil:
				lines = append(lines, "# "+err.Error())
			case text == "set name=pkg.obsolete value=true":
				b.WriteString(" obsolete")
			case text == "set name=pkg.renamed value=true":
				b.WriteString(" renamed")
			default:
				lines = append(lines, contract(text))
			}
		}
	}
	b.WriteByte('\n')
	for _, line := range lines {
		b.WriteString("\t" + line + "\n")
	}
}

// contract returns the short form of an action if it has one that stands for it.
func contract(text string) string {
	a, err := manifest.ParseAction(text)
	if err != nil {
		return text
	}
	short := text
	switch a.Kind {
	case manifest.KindDepend:
		short = contractDepend(a)
	case manifest.KindSet:
		name, _ := a.Attrs.Get("name")
		values := slices.Collect(a.Attrs.Values("value"))
		switch {
		case name == "pkg.summary" && len(values) == 1:
			short = "summary " + values[0]
		case strings.HasPrefix(name, "variant."):
			short = name + " " + strings.Join(values, " ")
		}
	}
	if long, err := expand(short); err != nil || long != text || strings.TrimSpace(short) != short {
		return text
	}
	return short
}

// contractDepend returns the short form of a dependency, ignoring further attributes.
func contractDepend(a manifest.Action) string {
	kind, _ := a.Attrs.Get("type")
	words := slices.Collect(a.Attrs.Values("fmri"))
	words = slices.Concat(slices.Collect(a.Attrs.Values("predicate")), words)
	return fmt.Sprintf("%s %s", kind, strings.Join(words, " "))
}
