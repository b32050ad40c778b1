package manifesttest

import "strings"

// A section is a named text of a case.
type section struct{ name, text string }

// parse splits the text of a txtar file into its comment and its sections.
func parse(text string) (comment string, sections []section) {
	into := &comment
	for line := range strings.Lines(text) {
		if name, ok := marker(line); ok {
			sections = append(sections, section{name: name})
			into = &sections[len(sections)-1].text
			continue
		}
		*into += strings.TrimSuffix(line, "\n") + "\n"
	}
	return comment, sections
}

// marker returns the name in a line that begins a section.
func marker(line string) (name string, ok bool) {
	name, begins := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "-- ")
	name, ends := strings.CutSuffix(name, " --")
	name = strings.TrimSpace(name)
	return name, begins && ends && name != ""
}

// format is the reverse of parse.
func format(comment string, sections []section) string {
	var b strings.Builder
	b.WriteString(comment)
	for _, s := range sections {
		b.WriteString("-- " + s.name + " --\n" + s.text)
	}
	return b.String()
}
