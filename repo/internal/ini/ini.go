// Package ini reads and writes the configuration files of repositories:
// sections of properties, and Python's notation of lists of strings.
//
//	[section]
//	name = value
//	names = ['a', "b"]
//
// A line that begins with # or ; is a comment; only those with # before the first
// section are kept. An
// indented line continues the value before it. A property may be written with
// a colon in place of "=". Everything else is kept in the order in which it was
// first met, whether anybody knows what it means or not.
package ini

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// A File is a configuration file in memory. The zero File is empty.
type File struct {
	Comments []string // before the first section, without "#" and the blank behind it

	sections []*section
	byName   map[string]*section
}

type section struct {
	name   string
	props  []*property
	byName map[string]*property
}

type property struct{ name, value string }

// An Error says which line cannot be read. It matches fs.ErrInvalid.
type Error struct {
	File string
	Line int // from 1; 0 if the error is about the whole file
	Msg  string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Unwrap returns [fs.ErrInvalid].
func (e *Error) Unwrap() error { return fs.ErrInvalid }

// Parse reads a configuration file. The name is for errors.
func Parse(name string, src []byte) (*File, error) {
	if !utf8.Valid(src) {
		return nil, &Error{File: name, Msg: "not UTF-8"}
	}
	p := parser{name: name, file: new(File)}
	for line := range strings.Lines(string(bytes.TrimPrefix(src, []byte("\ufeff")))) {
		p.line++
		if err := p.parse(strings.TrimRight(line, " \t\r\n")); err != nil {
			return nil, err
		}
	}
	p.end()
	return p.file, nil
}

type parser struct {
	name string
	line int
	file *File
	sect *section
	last *property // that an indented line continues
	more []string  // by which it goes on
}

// end completes the property that no line continues any more.
func (p *parser) end() {
	if len(p.more) > 0 {
		p.last.value += "\n" + strings.Join(p.more, "\n")
	}
	p.last, p.more = nil, nil
}

func (p *parser) parse(line string) error {
	text := strings.TrimLeft(line, " \t")
	switch {
	case p.sect == nil && strings.HasPrefix(line, "#"):
		p.file.Comments = append(p.file.Comments, strings.TrimPrefix(line[1:], " "))
		return nil
	case text == "" || text[0] == '#' || text[0] == ';':
		return nil
	case len(text) < len(line) && p.last != nil:
		p.more = append(p.more, text)
		return nil
	case text[0] == '[':
		name, ok := strings.CutSuffix(text[1:], "]")
		if !ok {
			return p.fail("section without ]")
		}
		p.end()
		p.sect = p.file.section(name)
		return nil
	case p.sect == nil:
		return p.fail("property outside of a section")
	}
	i := strings.IndexAny(text, "=:")
	if i <= 0 {
		return p.fail("neither section, property nor comment")
	}
	p.end()
	p.last = p.sect.property(strings.TrimRight(text[:i], " \t"))
	p.last.value = strings.TrimLeft(text[i+1:], " \t")
	return nil
}

func (p *parser) fail(msg string) error { return &Error{p.name, p.line, msg} }

// Text prints the file, with an empty line after every section.
func (f *File) Text() []byte {
	var b bytes.Buffer
	for _, c := range f.Comments {
		fmt.Fprintf(&b, "# %s\n", c)
	}
	if len(f.Comments) > 0 {
		b.WriteByte('\n')
	}
	for _, s := range f.sections {
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, p := range s.props {
			fmt.Fprintf(&b, "%s = %s\n", p.name, strings.ReplaceAll(p.value, "\n", "\n\t"))
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Get returns the value of a property.
func (f *File) Get(sect, name string) (value string, ok bool) {
	if s := f.byName[sect]; s != nil {
		if p := s.byName[name]; p != nil {
			return p.value, true
		}
	}
	return "", false
}

// Set replaces or adds a property. A new section goes before [CONFIGURATION],
// if that is the last one.
func (f *File) Set(sect, name, value string) {
	f.section(sect).property(name).value = value
}

// All yields section, name and value of every property, in order.
func (f *File) All() iter.Seq2[[2]string, string] {
	return func(yield func([2]string, string) bool) {
		for _, s := range f.sections {
			for _, p := range s.props {
				if !yield([2]string{s.name, p.name}, p.value) {
					return
				}
			}
		}
	}
}

// section returns the section of a name, made if there is none.
func (f *File) section(name string) *section {
	if s := f.byName[name]; s != nil {
		return s
	}
	s := &section{name: name, byName: map[string]*property{}}
	if f.byName == nil {
		f.byName = map[string]*section{}
	}
	f.byName[name] = s
	n := len(f.sections)
	if n > 0 && f.sections[n-1].name == "CONFIGURATION" {
		n--
	}
	f.sections = slices.Insert(f.sections, n, s)
	return s
}

// property returns the property of a name, made if there is none.
func (s *section) property(name string) *property {
	if p := s.byName[name]; p != nil {
		return p
	}
	p := &property{name: name}
	s.props, s.byName[name] = append(s.props, p), p
	return p
}
