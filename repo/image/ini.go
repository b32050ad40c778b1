package image

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// An ini is the text of pkg5.image in memory: sections of properties in written
// order. Everything is kept, known or not.
type ini struct{ sections []*section }

type section struct {
	name  string
	props []prop
}

type prop struct{ name, value string }

// maxConfig bounds the size of a configuration file, in bytes.
const maxConfig = 16 << 20

// A FormatError says which line of a file of the image cannot be read.
type FormatError struct {
	File string // path below the metadata directory
	Line int    // from 1; 0 if the error is about the whole file
	Msg  string
}

func (e *FormatError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Unwrap returns [fs.ErrInvalid].
func (e *FormatError) Unwrap() error { return fs.ErrInvalid }

// parseINI reads sections "[name]" of properties "name = value" or "name: value".
// An indented line continues the value before it. Lines that begin with # or ; are
// comments. Later properties of a name replace earlier ones.
func parseINI(file string, src []byte) (*ini, error) {
	if !utf8.Valid(src) {
		return nil, &FormatError{File: file, Msg: "not UTF-8"}
	}
	p := iniParser{file: file, ini: new(ini)}
	for line := range strings.Lines(string(bytes.TrimPrefix(src, []byte("\ufeff")))) {
		p.line++
		if err := p.parse(strings.TrimRight(line, " \t\r\n")); err != nil {
			return nil, err
		}
	}
	return p.ini, nil
}

type iniParser struct {
	file string
	line int
	ini  *ini
	sect *section
	open string // property that an indented line continues
}

func (p *iniParser) parse(line string) error {
	text := strings.TrimLeft(line, " \t")
	switch {
	case text == "", text[0] == '#', text[0] == ';':
		return nil
	case len(text) < len(line) && p.open != "":
		p.sect.set(p.open, p.sect.get(p.open)+"\n"+text)
		return nil
	case text[0] == '[':
		name, ok := strings.CutSuffix(text[1:], "]")
		if !ok {
			return p.fail("section without ]")
		}
		p.sect, p.open = p.ini.section(name), ""
		return nil
	case p.sect == nil:
		return p.fail("property outside of a section")
	}
	i := strings.IndexAny(text, "=:")
	if i <= 0 {
		return p.fail("neither section, property nor comment")
	}
	p.open = strings.TrimRight(text[:i], " \t")
	p.sect.set(p.open, strings.TrimLeft(text[i+1:], " \t"))
	return nil
}

func (p *iniParser) fail(msg string) error {
	return &FormatError{File: p.file, Line: p.line, Msg: msg}
}

// text prints the file: a blank line after every section.
func (c *ini) text() []byte {
	var b bytes.Buffer
	for _, s := range c.sections {
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, p := range s.props {
			fmt.Fprintf(&b, "%s = %s\n", p.name, strings.ReplaceAll(p.value, "\n", "\n\t"))
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// find returns the section of a name, nil if there is none.
func (c *ini) find(name string) *section {
	i := slices.IndexFunc(c.sections, func(s *section) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return c.sections[i]
}

// section returns the section of a name, made if there is none. A new section goes
// before the last one, [CONFIGURATION], if that is there.
func (c *ini) section(name string) *section {
	if s := c.find(name); s != nil {
		return s
	}
	s := &section{name: name}
	n := len(c.sections)
	if n > 0 && c.sections[n-1].name == "CONFIGURATION" {
		n--
	}
	c.sections = slices.Insert(c.sections, n, s)
	return s
}

// remove drops the section of a name.
func (c *ini) remove(name string) {
	c.sections = slices.DeleteFunc(c.sections, func(s *section) bool { return s.name == name })
}

// get returns the value of a property; "" for none, and for the literal None.
func (s *section) get(name string) string {
	if s == nil {
		return ""
	}
	for _, p := range s.props {
		if p.name == name && p.value != "None" {
			return p.value
		}
	}
	return ""
}

// set replaces or adds a property.
func (s *section) set(name, value string) {
	for i := range s.props {
		if s.props[i].name == name {
			s.props[i].value = value
			return
		}
	}
	s.props = append(s.props, prop{name, value})
}

// replace gives the section exactly these properties. Those that it had keep their
// places, and new ones follow by name.
func (s *section) replace(values map[string]string) {
	s.props = slices.DeleteFunc(s.props, func(p prop) bool {
		_, ok := values[p.name]
		return !ok
	})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		s.set(name, values[name])
	}
}
