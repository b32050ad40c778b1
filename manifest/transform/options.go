package transform

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/goips/ips/internal/reason"
)

// Options say how files are read and rules applied. A nil *Options has the defaults,
// and so has every limit that is not positive.
type Options struct {
	// Includes are where included files are looked up, in this order. A name is
	// used as it is written, or cleaned with path.Clean if only that makes it
	// valid, so a file system that takes absolute names can serve them.
	// Without any, nothing can be included.
	Includes []fs.FS

	// Macros are what "$(name)" stands for, in the order of their definition.
	// Of two with the same name the value of the last counts.
	Macros []Macro

	// KeepIncludes leaves include directives in the output and does not follow
	// them.
	KeepIncludes bool

	// Verbose adds comments to the output that say which rules did what.
	Verbose bool

	MaxSize  int64 // bytes of all files, and of all texts that rules make; 0 means 64 MiB
	MaxLines int   // lines of all files, and lines and applications of a run; 0 means 1,048,576
	MaxLine  int   // bytes of a line, joined and with its macros, or of a text that a rule makes; 0 means 1 MiB
	MaxDepth int   // of files that include files, macros in macros, actions emitted for emitted ones; 0 means 100

	// MaxTime is how long one value may be searched with an expression that Go's
	// regexp cannot do; 0 means a second.
	MaxTime time.Duration
}

const (
	maxSize  = 64 << 20
	maxLines = 1 << 20
	maxLine  = 1 << 20
	maxDepth = 100
	maxTime  = time.Second

	maxErrors = 1000 // that are collected
)

// limits returns the options with the defaults in place.
func (o *Options) limits() Options {
	if o == nil {
		o = new(Options)
	}
	l := *o
	l.MaxSize = positive(l.MaxSize, maxSize)
	l.MaxLines = positive(l.MaxLines, maxLines)
	l.MaxLine = positive(l.MaxLine, maxLine)
	l.MaxDepth = positive(l.MaxDepth, maxDepth)
	l.MaxTime = positive(l.MaxTime, maxTime)
	return l
}

// positive returns n if it is positive, or else the default.
func positive[T int | int64 | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// ReadFile reads a file as an include directive finds it, up to MaxSize. A file that
// is nowhere is an [*fs.PathError] that matches fs.ErrNotExist.
func (o *Options) ReadFile(name string) ([]byte, error) {
	l := o.limits()
	found := name
	if clean := path.Clean(name); !fs.ValidPath(name) && fs.ValidPath(clean) {
		found = clean
	}
	for _, fsys := range l.Includes {
		f, err := fsys.Open(found)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, err
		}
		text, err := readAll(f, name, l.MaxSize)
		return text, errors.Join(err, f.Close())
	}
	return nil, &fs.PathError{Op: "include", Path: name,
		Err: reason.New(fs.ErrNotExist, "there is no such file where includes are looked for")}
}

func readAll(r io.Reader, name string, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &LimitError{name, "MaxSize", limit}
	}
	return text, err
}

// A Macro is a name and what "$(name)" is replaced by.
type Macro struct{ Name, Value string }

// ParseMacro reads "name=value", as the option -D of pkgmogrify has it. The value may
// be empty, the name may not. The error is a [*SyntaxError].
func ParseMacro(text string) (Macro, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return Macro{}, &SyntaxError{"a macro must be name=value, not", text}
	}
	return Macro{name, value}, nil
}

// macros fills in macros.
type macros struct {
	all   []Macro // no name twice
	limit Options
}

func newMacros(o Options) macros {
	m := macros{limit: o}
	at := map[string]int{}
	for _, x := range o.Macros {
		if i, ok := at[x.Name]; ok {
			m.all[i].Value = x.Value
			continue
		}
		at[x.Name] = len(m.all)
		m.all = append(m.all, x)
	}
	return m
}

// expand replaces what the macros stand for until nothing is left of them: again and
// again all occurrences of the first that occurs.
func (m macros) expand(text string) (string, error) {
	rounds := len(m.all) * m.limit.MaxDepth
	for strings.Contains(text, "$(") {
		at, ref := m.first(text)
		if at < 0 {
			break
		}
		if rounds--; rounds < 0 {
			return "", &LimitError{"macros in macros", "MaxDepth", int64(m.limit.MaxDepth)}
		}
		value := m.all[at].Value
		if len(text)+strings.Count(text, ref)*(len(value)-len(ref)) > m.limit.MaxLine {
			return "", &LimitError{"macros", "MaxLine", int64(m.limit.MaxLine)}
		}
		text = strings.ReplaceAll(text, ref, value)
	}
	return text, nil
}

// first returns the index of the first macro that occurs in text, and how it is
// written; the index is negative if none does.
func (m macros) first(text string) (int, string) {
	for i := range m.all {
		if ref := "$(" + m.all[i].Name + ")"; strings.Contains(text, ref) {
			return i, ref
		}
	}
	return -1, ""
}
