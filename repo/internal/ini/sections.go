package ini

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Sections yields the names of the sections, in order.
func (f *File) Sections() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range f.sections {
			if !yield(s.name) {
				return
			}
		}
	}
}

// Section yields the properties of a section, in order; none if there is no such one.
func (f *File) Section(name string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for at, value := range f.All() {
			if at[0] == name && !yield(at[1], value) {
				return
			}
		}
	}
}

// Remove drops a section.
func (f *File) Remove(name string) {
	f.sections = slices.DeleteFunc(f.sections, func(s *section) bool { return s.name == name })
	delete(f.byName, name)
}

// Replace gives a section exactly these properties. Those that it had keep their
// places, and new ones follow by name.
func (f *File) Replace(name string, values map[string]string) {
	s := f.section(name)
	s.props = slices.DeleteFunc(s.props, func(p *property) bool {
		_, ok := values[p.name]
		if !ok {
			delete(s.byName, p.name)
		}
		return !ok
	})
	for _, key := range slices.Sorted(maps.Keys(values)) {
		s.property(key).value = values[key]
	}
}

// ParseDicts reads a list of dictionaries of strings: [{'a': 'b'}, {'c': 'd'}]. Anything
// else is an error that matches fs.ErrInvalid.
func ParseDicts(text string) ([]map[string]string, error) {
	p := dictParser{rest: text}
	var list []map[string]string
	err := p.sequence('[', ']', func() error {
		dict := map[string]string{}
		list = append(list, dict)
		return p.sequence('{', '}', func() error { return p.pair(dict) })
	})
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = errDicts
	}
	return list, err
}

const errDicts = valueError("not a list of dictionaries")

// A dictParser takes literals from the front of a text.
type dictParser struct{ rest string }

// skip drops blanks, and then c if it is next.
func (p *dictParser) skip(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// sequence reads items between brackets, separated by commas; a last comma may follow.
func (p *dictParser) sequence(open, closing byte, item func() error) error {
	if !p.skip(open) {
		return errDicts
	}
	for !p.skip(closing) {
		if err := item(); err != nil {
			return err
		}
		if !p.skip(',') {
			if p.skip(closing) {
				return nil
			}
			return errDicts
		}
	}
	return nil
}

func (p *dictParser) pair(dict map[string]string) error {
	key, err := p.str()
	if err != nil || !p.skip(':') {
		return errDicts
	}
	dict[key], err = p.str()
	return err
}

func (p *dictParser) str() (string, error) {
	s, rest, ok := cutString(strings.TrimLeft(p.rest, " \t\n"))
	if !ok {
		return "", errDicts
	}
	p.rest = rest
	return s, nil
}

// FormatDicts writes dictionaries, whose keys and values follow each other in pairs.
func FormatDicts(dicts [][]string) string {
	texts := make([]string, len(dicts))
	for i, d := range dicts {
		var pairs []string
		for pair := range slices.Chunk(d, 2) {
			pairs = append(pairs, quote(pair[0])+": "+quote(pair[1]))
		}
		texts[i] = "{" + strings.Join(pairs, ", ") + "}"
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
