package search

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
)

// maxLine bounds a line of a file of an index, in bytes. A token of a million
// actions has a line of some 15 MB.
const maxLine = 256 << 20

// A dictLine is a line of the dictionary:
//
//	TOKEN KIND!KEY@VALUE#ID,OFFSET,OFFSET#ID,OFFSET@VALUE...!KEY@... KIND!...
type dictLine struct {
	token []byte // percent-encoded
	rest  []byte
}

var errDict = errors.New("not a line of a dictionary")

func cutDictLine(line []byte) (dictLine, error) {
	token, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return dictLine{}, errDict
	}
	return dictLine{token, rest}, nil
}

// A dictScanner goes through the postings of a line.
type dictScanner struct {
	rest      []byte
	sep       byte // in front of rest
	kind, key []byte
	value     []byte
	id        uint32
	off       uint32
	changed   bool // kind, key or value are others than in the last posting
	err       error
}

func (l dictLine) scan() *dictScanner { return &dictScanner{rest: l.rest, sep: ' '} }

// next moves to the next posting.
func (s *dictScanner) next() bool {
	s.changed = false
	for s.err == nil {
		switch s.sep {
		case ' ':
			s.kind = s.word("!")
			s.changed = true
		case '!':
			s.key = s.word("@")
			s.changed = true
		case '@':
			s.value = s.word("#")
			s.changed = true
		case '#':
			s.id = s.number(",")
		case ',':
			s.off = s.number(" !@#,")
			return s.err == nil
		default:
			return false
		}
	}
	return false
}

// word returns what comes before a separator.
func (s *dictScanner) word(sep string) []byte {
	i := bytes.IndexByte(s.rest, sep[0])
	if i < 0 {
		s.err = errDict
		return nil
	}
	word := s.rest[:i]
	s.sep, s.rest = sep[0], s.rest[i+1:]
	return word
}

// number reads a number and one of the separators, or the end of the line, which
// only an offset may stand at.
func (s *dictScanner) number(seps string) uint32 {
	n, i := uint64(0), 0
	for i < len(s.rest) && s.rest[i]-'0' < 10 && n < 1<<32 {
		n = n*10 + uint64(s.rest[i]-'0')
		i++
	}
	if i == 0 || n >= 1<<32 {
		s.err = errDict
		return 0
	}
	s.sep = 0
	if i == len(s.rest) && len(seps) > 1 {
		s.rest = nil
		return uint32(n)
	}
	if i == len(s.rest) || bytes.IndexByte([]byte(seps), s.rest[i]) < 0 {
		s.err = errDict
		return 0
	}
	s.sep, s.rest = s.rest[i], s.rest[i+1:]
	return uint32(n)
}

// records returns the line, which is about the given packages, as records in order, without
// the packages that are removed.
func (l dictLine) records(packages []indexed) (dst []record, err error) {
	token := unescape(l.token)
	if bytes.IndexByte(token, 0) >= 0 {
		return nil, errDict // no manifest has that
	}
	fresh := false // nothing of the group is in dst
	s := l.scan()
	for s.next() {
		if int64(s.id) >= int64(len(packages)) || packages[s.id].name == "" {
			return nil, errDict
		}
		fresh = fresh || s.changed
		if packages[s.id].removed {
			continue
		}
		if fresh {
			group := slices.Concat(token, []byte{0}, s.kind, []byte("!"), s.key, []byte("@"), s.value)
			dst = append(dst, record{group: group})
			fresh = false
		}
		last := &dst[len(dst)-1]
		last.posts = append(last.posts, posting{s.id, s.off})
	}
	slices.SortFunc(dst, func(a, b record) int { return bytes.Compare(a.group, b.group) })
	return dst, s.err
}

// A dictSource yields the records of a dictionary.
type dictSource struct {
	r        *bufio.Reader
	packages []indexed
	buf      []byte
	pending  []record
}

func (d *dictSource) next() (record, error) {
	for len(d.pending) == 0 {
		line, err := readLine(d.r, &d.buf)
		if err != nil {
			return record{}, err
		}
		l, err := cutDictLine(line)
		if err != nil {
			return record{}, &FormatError{File: dictName, Err: err}
		}
		if d.pending, err = l.records(d.packages); err != nil {
			return record{}, &FormatError{File: dictName, Err: err}
		}
	}
	rec := d.pending[0]
	d.pending = d.pending[1:]
	return rec, nil
}

// readLine returns the next line without its end. It is good until the next call, and
// stands in buf if it is too long for the reader. What is not ended is no line: the
// file was cut off.
func readLine(r *bufio.Reader, buf *[]byte) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = readLong(r, append((*buf)[:0], line...))
		*buf = line
	}
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case err == io.EOF && len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	}
	return nil, err
}

// readLong appends the rest of a line to buf.
func readLong(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		if err != bufio.ErrBufferFull {
			return buf, err
		}
		if len(buf) > maxLine {
			return buf, &LimitError{What: "line", Limit: maxLine}
		}
	}
}

// A dictWriter writes the dictionary and the list of its tokens, and collects
// which lines mention what.
type dictWriter struct {
	dict     *bufio.Writer
	tokens   *bufio.Writer
	pos      int64 // in dict
	line     int64 // where the line at hand begins; 0 before the first
	token    []byte
	kind     string
	key      string
	kinds    map[string]*offsets
	keys     map[string]*offsets
	packages []offsets // by id
	seen     []uint32  // ids in the order in which the dictionary mentions them
	buf      []byte    // for dict
	entry    []byte    // for tokens
}

// write adds a record. Records come in order.
func (w *dictWriter) write(rec record) error {
	token, group, _ := bytes.Cut(rec.group, []byte{0})
	kind, rest, _ := bytes.Cut(group, []byte("!"))
	key, value, _ := bytes.Cut(rest, []byte("@"))
	w.buf = w.buf[:0]
	same := w.line > 0 && bytes.Equal(token, w.token)
	if !same {
		if err := w.begin(token); err != nil {
			return err
		}
	}
	if same = same && w.kind == string(kind); !same {
		w.buf = append(append(w.buf, ' '), kind...)
		w.kind = string(kind)
		mention(w.kinds, w.kind, w.line)
	}
	if same = same && w.key == string(key); !same {
		w.buf = append(append(w.buf, '!'), key...)
		w.key = string(key)
		mention(w.keys, w.key, w.line)
	}
	w.buf = append(append(w.buf, '@'), value...)
	w.appendPostings(rec.posts)
	return w.flush()
}

// begin begins a line.
func (w *dictWriter) begin(token []byte) error {
	if w.line > 0 {
		w.buf = append(w.buf, '\n')
	}
	w.line = w.pos + int64(len(w.buf))
	w.token = append(w.token[:0], token...)
	w.buf = appendEscaped(w.buf, token)
	t := w.entry[:0]
	if bytes.IndexByte(token, ' ') >= 0 {
		t = appendEscaped(append(t, '1'), token)
	} else {
		t = append(append(t, '0'), token...)
	}
	t = strconv.AppendInt(append(t, ' '), w.line, 10)
	w.entry = append(t, '\n')
	_, err := w.tokens.Write(w.entry)
	return err
}

func (w *dictWriter) appendPostings(posts []posting) {
	for i, p := range posts {
		if i == 0 || posts[i-1].id != p.id {
			w.buf = strconv.AppendUint(append(w.buf, '#'), uint64(p.id), 10)
			list := &w.packages[p.id]
			if list.last == 0 {
				w.seen = append(w.seen, p.id)
			}
			if list.last != w.line {
				list.add(w.line)
			}
		}
		w.buf = strconv.AppendUint(append(w.buf, ','), uint64(p.off), 10)
	}
}

func (w *dictWriter) flush() error {
	n, err := w.dict.Write(w.buf)
	w.pos += int64(n)
	return err
}

// end ends the last line.
func (w *dictWriter) end() error {
	w.buf = w.buf[:0]
	if w.line > 0 {
		w.buf = append(w.buf, '\n')
	}
	return errors.Join(w.flush(), w.dict.Flush(), w.tokens.Flush())
}

// mention notes that a line mentions a word. A key of several kinds is noted for each, as
// the reference does.
func mention(lists map[string]*offsets, word string, line int64) {
	list := lists[word]
	if list == nil {
		list = new(offsets)
		lists[word] = list
	}
	list.add(line)
}
