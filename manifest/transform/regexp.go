package transform

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// A PatternError is a regular expression that is none, that this package does not
// support, or that takes too long for a value: such a one has a [*LimitError].
type PatternError struct {
	Pattern string // as it was written
	Err     error
}

// Error returns the pattern and what is wrong with it.
func (e *PatternError) Error() string {
	return fmt.Sprintf("regular expression %s: %v", strconv.Quote(e.Pattern), e.Err)
}

// Unwrap returns e.Err.
func (e *PatternError) Unwrap() error { return e.Err }

// An expression is one of Python. Go's own package searches with it where it finds what
// Python does, as it takes no longer than the value is long; regexp2 does the rest.
type expression struct {
	pattern string
	limit   time.Duration  // of one search of regexp2
	groups  int            // how many it has
	names   map[string]int // of groups

	easy     *regexp.Regexp // nil if Go has nothing of the same meaning
	tree     *syntax.Regexp // of easy
	text     string         // of easy
	words    bool           // it has \b or \B, which know only ASCII in Go
	ends     bool           // it has "$", which is not before a last newline in Go
	searcher engine
	anchored engine
	advance  engine // matches where the search begins, and not nothing
}

// An engine is an expression of regexp2, compiled when it is needed.
type engine func() (*regexp2.Regexp, error)

// compile returns the expression for one in Python's syntax.
func compile(pattern string, limit time.Duration) (*expression, error) {
	e := &expression{pattern: pattern, limit: limit}
	if t, err := translate(pattern, false); err == nil {
		e.words, e.ends = t.words, t.ends
		e.compileEasy(string(t.out))
	}
	hard, err := translate(pattern, true)
	if err != nil {
		return nil, &PatternError{pattern, err}
	}
	e.groups, e.names = hard.groups, hard.names
	expr := string(hard.out)
	e.searcher = e.engine("%s", expr)
	e.anchored = e.engine(`\G(?:%s)`, expr)
	e.advance = e.engine(`\G(?:%s)(?!\G)`, expr)
	if e.easy == nil {
		if _, err := e.searcher(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// compileEasy compiles the expression for Go's package, if that can do with it.
func (e *expression) compileEasy(text string) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil || loopsOverNothing(tree) {
		return
	}
	if re, err := regexp.Compile(text); err == nil {
		e.easy, e.tree, e.text = re, tree, text
	}
}

// engine makes one of an expression in a form.
func (e *expression) engine(form, expr string) engine {
	return sync.OnceValues(func() (*regexp2.Regexp, error) {
		re, err := regexp2.Compile(fmt.Sprintf(form, expr), regexp2.None)
		if err != nil {
			return nil, &PatternError{e.pattern, errors.New("it cannot be read")}
		}
		re.MatchTimeout = e.limit
		return re, nil
	})
}

// isEasy reports whether Go's package finds in a value what Python does.
func (e *expression) isEasy(value string) bool {
	if e.easy == nil || e.ends && strings.HasSuffix(value, "\n") {
		return false
	}
	return !e.words || value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r >= utf8.RuneSelf })
}

// isIn reports whether the expression is found in a value.
func (e *expression) isIn(value string) (bool, error) {
	if e.isEasy(value) {
		return e.easy.MatchString(value), nil
	}
	m, err := e.find(e.searcher, newRunes(value), 0)
	return m != nil, err
}

// find searches from an index of a character, and returns what
// [regexp.Regexp.FindStringSubmatchIndex] does, counted in characters.
func (e *expression) find(by engine, value *runes, from int) ([]int, error) {
	re, err := by()
	if err != nil {
		return nil, err
	}
	m, err := re.FindRunesMatchStartingAt(value.all, from)
	if err != nil {
		return nil, e.tookLong()
	}
	if m == nil {
		return nil, nil
	}
	found := make([]int, 0, 2+2*e.groups)
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			found = append(found, -1, -1)
		} else {
			found = append(found, g.Index, g.Index+g.Length)
		}
	}
	return found, nil
}

func (e *expression) tookLong() error {
	return &PatternError{e.pattern, &LimitError{"time for one value", "MaxTime", int64(e.limit)}}
}

// A runes is a value as regexp2 takes it.
type runes struct {
	all     []rune
	offsets []int // of each, and of the end
}

func newRunes(value string) *runes {
	r := &runes{all: make([]rune, 0, len(value)), offsets: make([]int, 0, len(value)+1)}
	for at, c := range value {
		r.all = append(r.all, c)
		r.offsets = append(r.offsets, at)
	}
	r.offsets = append(r.offsets, len(value))
	return r
}

// bytes turns indexes of characters into offsets, in place.
func (r *runes) bytes(found []int) []int {
	for i, at := range found {
		if at >= 0 {
			found[i] = r.offsets[at]
		}
	}
	return found
}

// loopsOverNothing reports whether something is repeated that may match nothing: engines
// differ in how often that is.
func loopsOverNothing(re *syntax.Regexp) bool {
	for _, sub := range re.Sub {
		if loopsOverNothing(sub) {
			return true
		}
	}
	return (re.Op == syntax.OpStar || re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat) && canBeEmpty(re.Sub[0])
}
