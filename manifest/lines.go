package manifest

import "strings"

// lines splits a text into logical lines.
type lines struct {
	text string
	pos  int // where the next physical line begins
	next int // its number
	most int // bytes of a logical line; one that has more is not joined to its end
}

// A line is a logical line: physical lines without leading blanks, joined
// where they end in a backslash.
type line struct {
	text        string
	pos         Position // of its first character
	start       int      // of the first physical line in the text of lines
	first, last int      // numbers of the physical lines
	open        bool     // the text ends behind a continuation
}

// read returns the next logical line, false at the end of the text.
func (l *lines) read() (line, bool) {
	if l.pos >= len(l.text) {
		return line{}, false
	}
	out := line{start: l.pos, first: l.next}
	var indent int
	out.text, indent = l.physical()
	out.pos = Position{out.first, indent + 1}
	if strings.HasSuffix(out.text, `\`) {
		l.join(&out)
		out.pos = l.place(out, 0)
	}
	out.last = l.next - 1
	return out, true
}

// physical returns the next physical line without its end and the blanks before
// it, and their number.
func (l *lines) physical() (text string, indent int) {
	text = l.text[l.pos:]
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
		l.pos++
	}
	l.pos += len(text)
	l.next++
	for indent < len(text) && (text[indent] == ' ' || text[indent] == '\t') {
		indent++
	}
	return strings.TrimSuffix(text[indent:], "\r"), indent
}

// join appends the lines that continue out.
func (l *lines) join(out *line) {
	var joined strings.Builder
	part := out.text
	for strings.HasSuffix(part, `\`) && l.pos-out.start <= l.most {
		joined.WriteString(part[:len(part)-1])
		if l.pos >= len(l.text) {
			out.open = true
			part = ""
			break
		}
		part, _ = l.physical()
	}
	joined.WriteString(part)
	out.text = joined.String()
}

// place returns the position of an offset of the logical line.
func (l *lines) place(at line, offset int) Position {
	walk := lines{text: l.text, pos: at.start, next: at.first}
	for {
		number := walk.next
		part, indent := walk.physical()
		size := len(part) - 1
		if !strings.HasSuffix(part, `\`) || walk.pos == len(walk.text) || offset < size {
			return Position{number, indent + offset + 1}
		}
		offset -= size
	}
}
