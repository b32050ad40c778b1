// Package catalogtest writes catalogs down as short text, for tests and examples, and
// makes realistic ones of any size.
//
// # Universes
//
// A universe has a line for each package version and below it, indented, a line for
// each action:
//
//	# Two versions of a server and what they need.
//	web/server@1.0
//		require lib/ssl@1
//		optional lib/zlib
//	web/server@2.0:20200102T030405Z
//		require-any lib/ssl@2 lib/tls
//		conditional lib/zlib lib/zlib-server
//		depend type=require fmri=lib/ssl@1 variant.arch=sparc
//		set name=pkg.summary value="A server"
//	lib/ssl@1.0.2-5
//	lib/ssl@3.0 obsolete
//	//other/lib/tls@1 renamed
//		require lib/ssl@1
//
// A version that omits its build has 5.11. A package without a publisher is of
// publisher "test". After the version may stand the words obsolete and renamed.
//
// An action is written as in a manifest, or short: the type of a dependency and its
// FMRIs, for conditional the predicate first; the word summary and a text; or the name of
// a variant, such as variant.arch, and its values.
//
// Empty lines and those that begin with "#" are comments.
package catalogtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Publisher is the publisher of packages that are written without one.
const Publisher = "test"

// An Error says which line of a universe is wrong.
type Error struct {
	Line int // 1-based
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a universe. Errors are of type [*Error].
func Parse(universe string) (*catalog.Catalog, error) {
	b := catalog.Builder{Now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	var p pkg
	number := 0
	for line := range strings.Lines(universe) {
		number++
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' {
			continue
		}
		var err error
		if strings.HasPrefix(line, text[:1]) {
			if err = p.addTo(&b); err == nil {
				p, err = parsePackage(text)
			}
		} else {
			err = p.action(text)
		}
		if err != nil {
			return nil, &Error{number, err}
		}
	}
	if err := p.addTo(&b); err != nil {
		return nil, &Error{number, err}
	}
	return b.Build()
}

// MustParse is like [Parse] but panics on error. It is for texts written in a test.
func MustParse(universe string) *catalog.Catalog {
	c, err := Parse(universe)
	if err != nil {
		panic("catalogtest: " + err.Error())
	}
	return c
}

// A pkg is a package version being read.
type pkg struct {
	fmri fmri.FMRI
	text []byte // of its manifest
}

// parsePackage parses the line of a version.
func parsePackage(line string) (pkg, error) {
	words := strings.Fields(line)
	f, err := fmri.Parse(words[0])
	if err != nil {
		return pkg{}, err
	}
	if f.Publisher() == "" {
		f = f.WithPublisher(Publisher)
	}
	p := pkg{fmri: f}
	for _, word := range words[1:] {
		if word != "obsolete" && word != "renamed" {
			return pkg{}, fmt.Errorf("%q is neither obsolete nor renamed", word)
		}
		p.text = fmt.Appendf(p.text, "set name=pkg.%s value=true\n", word)
	}
	return p, nil
}

// addTo adds the version to a catalog.
func (p *pkg) addTo(b *catalog.Builder) error {
	if !p.fmri.IsValid() {
		return nil
	}
	m, err := manifest.Parse(p.fmri.String(), p.text)
	if err != nil {
		return err
	}
	return b.Add(p.fmri, m)
}

// action adds the action of a line.
func (p *pkg) action(line string) error {
	if !p.fmri.IsValid() {
		return fmt.Errorf("action %q before any package", line)
	}
	text, err := expand(line)
	if err != nil {
		return err
	}
	a, err := manifest.ParseAction(text)
	if err != nil {
		return err
	}
	p.text = append(append(p.text, a.String()...), '\n')
	return nil
}

// expand returns the action that a line stands for.
func expand(line string) (string, error) {
	word, rest, _ := strings.Cut(line, " ")
	args := strings.Fields(rest)
	switch {
	case word == "summary":
		return setAction("pkg.summary", rest), nil
	case strings.HasPrefix(word, "variant."):
		return setAction(word, args...), nil
	case !dependTypes[word]:
		return line, nil
	case word == "conditional" && len(args) == 2:
		return fmt.Sprintf("depend fmri=%s predicate=%s type=conditional", args[1], args[0]), nil
	case word == "conditional" || len(args) == 0:
		return "", fmt.Errorf("%s needs other operands than %q", word, rest)
	}
	return "depend fmri=" + strings.Join(args, " fmri=") + " type=" + word, nil
}

// dependTypes are the types of dependencies that have a short form.
var dependTypes = map[string]bool{
	"require": true, "require-any": true, "optional": true, "conditional": true, "incorporate": true,
	"exclude": true, "group": true, "group-any": true, "origin": true, "parent": true,
}

// setAction returns a set action.
func setAction(name string, values ...string) string {
	a := manifest.Action{Kind: manifest.KindSet, Attrs: manifest.Attrs{{Name: "name", Value: name}}}
	for _, v := range values {
		a.Attrs = append(a.Attrs, manifest.Attr{Name: "value", Value: v})
	}
	return a.String()
}
