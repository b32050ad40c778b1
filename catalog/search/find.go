package search

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"

	"github.com/goips/ips/fmri"
)

// An indexCorpus finds tokens in an index, for one search.
type indexCorpus struct {
	*Index
	manifests Manifests
	texts     map[uint32][]byte // of manifests
	held      int               // bytes in texts
	last      place             // whose line was read last
}

// maxHeld is how many bytes of manifests a search keeps, beside the last.
const maxHeld = 32 << 20

// find looks for tokens in their list, or goes through the dictionary if any token will
// do, and then looks at what was added to an image since.
func (c *indexCorpus) find(ctx context.Context, m *matcher) iter.Seq2[place, error] {
	f := &finder{Index: c.Index, matcher: m}
	scan := f.scanTokens
	switch {
	case m.token.isAll:
		scan = f.scanDict
	case m.token.plain != "" && !m.token.fold:
		scan = f.findExact
	}
	inDict := func(yield func(place, error) bool) {
		f.yield = yield
		if err := scan(ctx); err != nil && err != errStop {
			yield(place{}, err)
		}
	}
	if len(c.added) == 0 {
		return inDict
	}
	return chain(inDict, walkCorpus{c.addedPackages(ctx)}.find(ctx, m))
}

// addedPackages yields the packages that are not in the dictionary.
func (c *indexCorpus) addedPackages(ctx context.Context) iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		for _, f := range c.added {
			text, err := c.manifests(ctx, f)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(Package{f, text}, err) {
				return
			}
		}
	}
}

// A finder looks for the places of a matcher in an index.
type finder struct {
	*Index
	*matcher
	yield  func(place, error) bool
	allow  []int8 // by id: whether the package matches; zero if not known
	reader *bufio.Reader
	buf    []byte
}

// errStop says that no more places are wanted.
var errStop = errors.New("stop")

// scanTokens looks at all tokens, and at the lines of those that match.
func (f *finder) scanTokens(ctx context.Context) error {
	r := bufio.NewReaderSize(f.tokens.from(f.tokens.start), 1<<16)
	f.reader = bufio.NewReaderSize(nil, 1<<12)
	var buf []byte
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := readLine(r, &buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &FormatError{File: tokensName, Line: n + 2, Err: err}
		}
		token, off, ok := cutToken(line)
		if !ok {
			return &FormatError{File: tokensName, Line: n + 2, Err: errTokens}
		}
		if !match(f.token, token) {
			continue
		}
		if err := f.lineAt(token, off); err != nil {
			return err
		}
	}
}

var errTokens = errors.New("not a token and an offset")

// cutToken divides a line of the list of tokens.
func cutToken(line []byte) (token []byte, off []byte, ok bool) {
	end := bytes.LastIndexByte(line, ' ')
	if end < 1 {
		return nil, nil, false
	}
	token, off = line[1:end], line[end+1:]
	if line[0] == '1' {
		token = unescape(token)
	}
	return token, off, true
}

// lineAt looks at the line of the dictionary for a token.
func (f *finder) lineAt(token, digits []byte) error {
	off, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || off < f.dict.start || off >= f.dict.size {
		return &FormatError{File: tokensName, Err: fmt.Errorf("token %q: no such offset: %s", token, digits)}
	}
	f.reader.Reset(f.dict.from(off))
	line, err := readLine(f.reader, &f.buf)
	if err != nil {
		return &FormatError{File: dictName, Err: err}
	}
	l, err := cutDictLine(line)
	if err == nil && !bytes.Equal(unescape(l.token), token) {
		err = fmt.Errorf("not the line of %q", token)
	}
	if err != nil {
		return &FormatError{File: dictName, Err: err}
	}
	return f.postings(l)
}

// scanDict looks at all lines of the dictionary.
func (f *finder) scanDict(ctx context.Context) error {
	r := bufio.NewReaderSize(f.dict.from(f.dict.start), 1<<16)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := readLine(r, &f.buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &FormatError{File: dictName, Line: n + 2, Err: err}
		}
		l, err := cutDictLine(line)
		if err != nil {
			return &FormatError{File: dictName, Line: n + 2, Err: err}
		}
		if err := f.postings(l); err != nil {
			return err
		}
	}
}

// postings yields the places in a line that match.
func (f *finder) postings(l dictLine) error {
	var hit Hit
	wanted := false
	s := l.scan()
	for s.next() {
		if s.changed {
			hit = Hit{Kind: string(s.kind), Key: string(unescape(s.key)), Value: string(unescape(s.value))}
			wanted = f.isKind(hit.Kind) && f.isKey(hit.Key)
		}
		if !wanted {
			continue
		}
		if int64(s.id) >= int64(len(f.packages)) {
			return &FormatError{File: dictName, Err: fmt.Errorf("no package %d", s.id)}
		}
		if !f.allowed(s.id) {
			continue
		}
		hit.FMRI = f.packages[s.id].fmri
		if !f.yield(place{hit, s.id, s.off}, nil) {
			return errStop
		}
	}
	if s.err != nil {
		return &FormatError{File: dictName, Err: s.err}
	}
	return nil
}

// allowed reports whether a package is to be found.
func (f *finder) allowed(id uint32) bool {
	p := &f.packages[id]
	if p.name == "" || p.removed {
		return false
	}
	if f.pkg == nil {
		return true
	}
	if f.allow == nil {
		f.allow = make([]int8, len(f.packages))
	}
	if f.allow[id] == 0 {
		f.allow[id] = -1
		if f.pkg.match(p.name) {
			f.allow[id] = 1
		}
	}
	return f.allow[id] > 0
}

// line reads the action of a place from its manifest.
func (c *indexCorpus) line(ctx context.Context, p *place) (string, error) {
	if p.Line != "" {
		return p.Line, nil
	}
	if c.last.Line != "" && c.last.id == p.id && c.last.off == p.off { // another of its tokens
		return c.last.Line, nil
	}
	text, err := c.manifest(ctx, p.id, p.FMRI)
	if err != nil {
		return "", err
	}
	if int64(p.off) >= int64(len(text)) || p.off > 0 && text[p.off-1] != '\n' {
		return "", &FormatError{File: dictName, Err: fmt.Errorf("%s: no action at byte %d of its manifest", p.FMRI, p.off)}
	}
	line, _, _ := bytes.Cut(text[p.off:], []byte("\n"))
	c.last = *p
	c.last.Line = string(bytes.TrimSpace(line))
	return c.last.Line, nil
}

// manifest returns the text of a manifest. Several are kept, because hits of one token
// go through the packages, and those of the next do so again.
func (c *indexCorpus) manifest(ctx context.Context, id uint32, f fmri.FMRI) ([]byte, error) {
	if text, ok := c.texts[id]; ok {
		return text, nil
	}
	text, err := c.manifests(ctx, f)
	if err != nil {
		return nil, err
	}
	if c.held += len(text); c.held > maxHeld || c.texts == nil {
		c.texts, c.held = map[uint32][]byte{}, len(text)
	}
	c.texts[id] = text
	return text, nil
}
