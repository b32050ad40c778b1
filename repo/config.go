package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/repo/store"
)

// configFile is the text of pkg5.repository in memory.
type configFile = ini.File

// A Property is one value of the configuration.
type Property struct {
	Section, Name string
	Value         Value
}

// A Value is a text or a list of texts. The zero Value is the empty text.
type Value struct {
	text string
	list []string
	kind valueKind
}

type valueKind uint8

const (
	kindText valueKind = iota
	kindList
)

// Text returns a Value that is a text.
func Text(s string) Value { return Value{text: s} }

// List returns a Value that is a list.
func List(items ...string) Value { return Value{list: append([]string(nil), items...), kind: kindList} }

// ParseValue reads a value as it is given on a command line: a list stands in
// parentheses, its items separated by blanks and quoted where they contain
// some, as in (alpha "beta gamma"). Everything else is a text.
func ParseValue(s string) (Value, error) {
	inner, ok := strings.CutPrefix(s, "(")
	if !ok {
		return Text(s), nil
	}
	if inner, ok = strings.CutSuffix(inner, ")"); !ok {
		return Value{}, because(fs.ErrInvalid, "%s: list without closing parenthesis", s)
	}
	items, err := splitWords(inner)
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", s, err)
	}
	return List(items...), nil
}

// splitWords splits a text at blanks that are not quoted. A backslash quotes one
// character, in double quotes only a double quote and a backslash.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
			continue
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote && quote != 0:
			quote = 0
		case c == '\\' && quote != '\'' && i+1 < len(s) && (quote == 0 || strings.IndexByte(`"\`, s[i+1]) >= 0):
			i++
			word.WriteByte(s[i])
		default:
			word.WriteByte(c)
		}
		in = true
	}
	if quote != 0 {
		return nil, because(fs.ErrInvalid, "quote is not closed")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}

// Items returns the items of a list; ok is false for a text.
func (v Value) Items() (items []string, ok bool) { return v.list, v.kind == kindList }

// String returns the form that ParseValue reads.
func (v Value) String() string {
	if v.kind == kindText {
		return v.text
	}
	quoted := make([]string, len(v.list))
	for i, item := range v.list {
		quoted[i] = quoteWord(item)
	}
	return "(" + strings.Join(quoted, " ") + ")"
}

func quoteWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\"'\\") {
		return s
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`
}

// configValue reads the notation of the configuration file.
func configValue(text string) Value {
	if strings.HasPrefix(text, "[") {
		if items, err := ini.ParseList(text); err == nil {
			return List(items...)
		}
	}
	return Text(text)
}

// config returns the notation of the configuration file.
func (v Value) config() string {
	if v.kind == kindList {
		return ini.FormatList(v.list)
	}
	return v.text
}

// configDefaults are the properties that every repository of version 4 has.
var configDefaults = []Property{
	{"publisher", "prefix", Value{}},
	{"repository", "check-certificate-revocation", Text("False")},
	{"repository", "signature-required-names", List()},
	{"repository", "trust-anchor-directory", Text("/etc/ssl/pkg/")},
	{"repository", "version", Text("4")},
}

// Properties returns the configuration of the repository, in written order.
func (r *Repository) Properties(ctx context.Context) (props []Property, err error) {
	defer Error{Op: "read configuration of", Place: r.named}.explain(&err)
	file, err := r.readConfig(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	have := map[[2]string]bool{}
	for key, text := range file.All() {
		have[key] = true
		if key[0] != "CONFIGURATION" {
			props = append(props, r.property(key, text))
		}
	}
	for _, p := range r.defaults() {
		if !have[[2]string{p.Section, p.Name}] {
			props = append(props, p)
		}
	}
	return props, nil
}

// defaults are the properties that a repository has though nobody has written them.
func (r *Repository) defaults() []Property {
	if r.version < 4 {
		return []Property{{"repository", "version", Text(strconv.Itoa(r.version))}}
	}
	return configDefaults
}

// property reads a property of the configuration.
func (r *Repository) property(key [2]string, text string) Property {
	p := Property{key[0], key[1], configValue(text)}
	if r.version < 4 {
		p.Value = oldValue(p)
	}
	return p
}

// propertyText returns how a property is written in the configuration.
func (r *Repository) propertyText(p Property) string {
	if r.version < 4 {
		return oldText(p)
	}
	return p.Value.config()
}

// SetProperties changes the configuration of the repository. Any name may be
// set; what the known ones mean is checked only by those who use them, except
// that a name must be fit to be written down.
func (r *Repository) SetProperties(ctx context.Context, props ...Property) (err error) {
	defer Error{Op: "write configuration of", Place: r.named}.explain(&err)
	return r.changeConfig(ctx, func(c *configFile) error {
		for _, p := range props {
			if err := p.check(); err != nil {
				return err
			}
			c.Set(p.Section, p.Name, r.propertyText(p))
		}
		return nil
	})
}

// check refuses what cannot be written so that it reads back.
func (p Property) check() error {
	bad := strings.ContainsAny(p.Section, "]\n\r") || strings.ContainsAny(p.Name, "=:[\n\r") ||
		strings.TrimSpace(p.Section) != p.Section || strings.TrimSpace(p.Name) != p.Name ||
		p.Section == "" || p.Name == "" || strings.ContainsAny(p.Name[:1], "#;")
	text := p.Value.config()
	if bad || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\r") {
		return because(fs.ErrInvalid, "property %s/%s with value %q cannot be written so that it reads back", p.Section, p.Name, text)
	}
	return nil
}

// changeConfig reads, changes and writes the configuration. Where the store can
// compare and swap, no change of another is lost.
func (r *Repository) changeConfig(ctx context.Context, change func(*configFile) error) error {
	for {
		err := r.tryChangeConfig(ctx, change)
		if !errors.Is(err, store.ErrChanged) {
			return err
		}
	}
}

func (r *Repository) tryChangeConfig(ctx context.Context, change func(*configFile) error) error {
	name := configName
	info, err := store.Stat(ctx, r.store, name)
	if errors.Is(err, fs.ErrNotExist) && r.version < 4 {
		name = oldConfigName
		info, err = store.Stat(ctx, r.store, name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := r.readConfig(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old := file.Text()
	if err := change(file); err != nil {
		return err
	}
	text := file.Text()
	if bytes.Equal(old, text) {
		return nil
	}
	if s, ok := r.store.(store.Swapper); ok {
		_, err := s.PutIf(ctx, name, info.Tag, bytes.NewReader(text))
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return r.store.Put(ctx, name, bytes.NewReader(text))
}
