package manifest_test

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goips/ips/manifest"
)

// This file reads manifests slowly and obviously: character by character, with
// the rules in the order in which the documentation gives them. The real parser is
// compared with it.

// A slowFault is a fault and its offset, the zero value none.
type slowFault struct {
	fault  manifest.Fault
	offset int
}

// A slowReader reads one action.
type slowReader struct {
	text    string
	inLine  bool // of a manifest
	pos     int
	kind    manifest.Kind
	payload []string // behind the type
	hash    []string // hash=
	attrs   manifest.Attrs
	quoted  []int // words that begin with a quote
}

// slowAction reads an action.
func slowAction(text string) (manifest.Action, slowFault) {
	r := slowReader{text: text}
	for _, step := range []func() slowFault{r.characters, r.typeWord, r.words, r.sameHash, r.keys, r.forms, r.paths, r.firstQuotes} {
		if f := step(); f != (slowFault{}) {
			return manifest.Action{}, f
		}
	}
	return manifest.Action{Kind: r.kind, Hash: r.theHash(), Attrs: r.attrs}, slowFault{}
}

func (r *slowReader) characters() slowFault {
	for i := 0; i < len(r.text); {
		c, size := utf8.DecodeRuneInString(r.text[i:])
		if c == utf8.RuneError && size == 1 {
			return slowFault{manifest.FaultEncoding, i}
		}
		if unicode.Is(unicode.Cc, c) && !isBlank(byte(c)) || r.inLine && strings.ContainsRune("\n\u2028\u2029", c) {
			return slowFault{manifest.FaultControl, i}
		}
		i += size
	}
	return slowFault{}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }
func isQuote(c byte) bool { return c == '"' || c == '\'' }

func (r *slowReader) more(i int) bool    { return i < len(r.text) }
func (r *slowReader) blankAt(i int) bool { return r.more(i) && isBlank(r.text[i]) }

func (r *slowReader) typeWord() slowFault {
	for r.more(r.pos) && !r.blankAt(r.pos) {
		r.pos++
	}
	if !r.more(r.pos) {
		return slowFault{manifest.FaultNoAttributes, r.pos}
	}
	kind, ok := manifest.ParseKind(r.text[:r.pos])
	if !ok {
		return slowFault{manifest.FaultUnknownType, 0}
	}
	r.kind = kind
	return slowFault{}
}

func (r *slowReader) words() slowFault {
	for {
		for r.blankAt(r.pos) {
			r.pos++
		}
		if !r.more(r.pos) {
			return slowFault{}
		}
		if f := r.word(); f != (slowFault{}) {
			return f
		}
	}
}

func (r *slowReader) word() slowFault {
	start := r.pos
	if isQuote(r.text[start]) {
		r.quoted = append(r.quoted, start)
		r.pos++
	}
	for ; r.more(r.pos); r.pos++ {
		switch c := r.text[r.pos]; {
		case isQuote(c):
			return slowFault{manifest.FaultQuoteInName, r.pos}
		case isBlank(c):
			return r.bareWord(r.text[start:r.pos])
		case c == '=':
			return r.attribute(r.text[start:r.pos])
		}
	}
	return slowFault{manifest.FaultMissingValue, len(r.text)}
}

func (r *slowReader) bareWord(word string) slowFault {
	switch {
	case len(r.payload)+len(r.hash)+len(r.attrs) > 0:
		return slowFault{manifest.FaultBlankInName, r.pos}
	case !r.kind.HasPayload():
		return slowFault{manifest.FaultPayload, r.pos - len(word)}
	}
	r.payload = append(r.payload, word)
	return slowFault{}
}

func (r *slowReader) attribute(name string) slowFault {
	start := r.pos - len(name)
	r.pos++
	switch {
	case name == "":
		return slowFault{manifest.FaultMissingName, start}
	case name == "data":
		return slowFault{manifest.FaultDataName, start}
	case name == "hash" && !r.kind.HasPayload():
		return slowFault{manifest.FaultPayload, start}
	case !r.more(r.pos), r.blankAt(r.pos):
		return slowFault{manifest.FaultMissingValue, r.pos}
	}
	parts, f := r.value()
	if f != (slowFault{}) {
		return f
	}
	if name == "hash" {
		r.hash = append(r.hash, parts[len(parts)-1])
	} else {
		r.attrs = append(r.attrs, manifest.Attr{Name: name, Value: strings.Join(parts, "")})
	}
	return slowFault{}
}

// value reads a bare value, or quoted ones up to the last.
func (r *slowReader) value() (parts []string, f slowFault) {
	start := r.pos
	if !isQuote(r.text[start]) {
		for r.more(r.pos) && !r.blankAt(r.pos) {
			r.pos++
		}
		return []string{r.text[start:r.pos]}, slowFault{}
	}
	for r.quoteFollows() {
		part, f := r.quote()
		if f != (slowFault{}) {
			return nil, f
		}
		parts = append(parts, part)
	}
	return parts, slowFault{}
}

// quoteFollows moves to the next quote if only blanks are before it.
func (r *slowReader) quoteFollows() bool {
	next := r.pos
	for r.blankAt(next) {
		next++
	}
	if r.more(next) && isQuote(r.text[next]) {
		r.pos = next
		return true
	}
	return false
}

func (r *slowReader) quote() (string, slowFault) {
	quote := r.text[r.pos]
	var value []byte
	for r.pos++; r.more(r.pos); r.pos++ {
		c := r.text[r.pos]
		if c == quote {
			r.pos++
			return string(value), slowFault{}
		}
		if c == '\\' {
			if !r.more(r.pos + 1) {
				return "", slowFault{manifest.FaultUnfinishedQuote, r.pos}
			}
			if next := r.text[r.pos+1]; next == '\\' || next == quote {
				c = next
				r.pos++
			}
		}
		value = append(value, c)
	}
	return "", slowFault{manifest.FaultUnfinishedQuote, len(r.text)}
}

func (r *slowReader) sameHash() slowFault {
	if len(r.payload) > 0 && len(r.hash) > 0 && r.payload[0] != r.theHash() {
		return slowFault{manifest.FaultHashMismatch, -1}
	}
	return slowFault{}
}

// theHash is the last hash= or else the payload behind the type.
func (r *slowReader) theHash() string {
	switch all := slices.Concat(r.payload, r.hash); {
	case len(all) > 0:
		return all[len(all)-1]
	case r.kind == manifest.KindFile || r.kind == manifest.KindLicense:
		return "NOHASH"
	}
	return ""
}

// slowKeys are the key attributes, once more.
var slowKeys = map[manifest.Kind]string{
	manifest.KindSet: "name", manifest.KindDepend: "fmri", manifest.KindGroup: "groupname", manifest.KindUser: "username",
	manifest.KindDir: "path", manifest.KindFile: "path", manifest.KindHardlink: "path", manifest.KindLink: "path",
	manifest.KindDriver: "name", manifest.KindLicense: "license", manifest.KindLegacy: "pkg", manifest.KindSignature: "value",
}

func (r *slowReader) keys() slowFault {
	key, ok := slowKeys[r.kind]
	if !ok {
		return slowFault{}
	}
	switch n := r.attrs.Count(key); {
	case n == 0 && r.kind != manifest.KindSet && r.kind != manifest.KindSignature:
		return slowFault{manifest.FaultMissingKey, -1}
	case n > 1 && (r.kind != manifest.KindDepend || r.attrs.Count("type") != 1):
		return slowFault{manifest.FaultRepeatedKey, -1}
	}
	return slowFault{}
}

func (r *slowReader) forms() slowFault {
	switch r.kind {
	case manifest.KindSet:
		return r.setForm()
	case manifest.KindSignature:
		if !r.attrs.Has("algorithm") {
			return slowFault{manifest.FaultNoAlgorithm, -1}
		}
		for _, d := range []manifest.Attr{{Name: "value"}, {Name: "version", Value: "0"}} {
			if !r.attrs.Has(d.Name) {
				r.attrs = append(r.attrs, d)
			}
		}
	case manifest.KindDriver:
		name, _ := r.attrs.Get("name")
		for i, x := range r.attrs {
			if x.Name == "clone_perms" && len(strings.Fields(x.Value)) == 3 && len(strings.Fields(name)) > 0 && len(name) <= 256 {
				r.attrs[i].Value = name + " " + x.Value
			}
		}
	}
	return slowFault{}
}

func (r *slowReader) setForm() slowFault {
	names := map[string]bool{}
	for _, x := range r.attrs {
		names[x.Name] = true
	}
	if len(names) == 1 {
		long := manifest.Attrs{{Name: "name", Value: r.attrs[0].Name}}
		for _, x := range r.attrs {
			long = append(long, manifest.Attr{Name: "value", Value: x.Value})
		}
		r.attrs = long
	}
	if !r.attrs.Has("name") || !r.attrs.Has("value") {
		return slowFault{manifest.FaultSetForm, -1}
	}
	return slowFault{}
}

func (r *slowReader) paths() slowFault {
	if r.kind == manifest.KindUnknown {
		return slowFault{}
	}
	for i, x := range r.attrs {
		if x.Name != "path" {
			continue
		}
		for strings.HasPrefix(r.attrs[i].Value, "/") {
			r.attrs[i].Value = r.attrs[i].Value[1:]
		}
		if r.attrs[i].Value == "" || r.attrs.Count("path") > 1 {
			return slowFault{manifest.FaultPath, -1}
		}
	}
	return slowFault{}
}

func (r *slowReader) firstQuotes() slowFault {
	if len(r.quoted) > 0 {
		return slowFault{manifest.FaultQuoteInName, r.quoted[0]}
	}
	return slowFault{}
}

// A slowLine is what the slow reader makes of a logical line.
type slowLine struct {
	action manifest.Action
	fault  manifest.Fault
	last   int
}

// slowManifest reads the actions and faults of a manifest.
func slowManifest(text string) (all []slowLine) {
	physical := strings.Split(text, "\n")
	if physical[len(physical)-1] == "" {
		physical = physical[:len(physical)-1]
	}
	logical, faulty := "", false
	for i, line := range physical {
		line = strings.TrimLeft(line, " \t")
		line = strings.TrimSuffix(line, "\r")
		rest, continues := strings.CutSuffix(line, `\`)
		logical += rest
		if continues && i+1 < len(physical) {
			continue
		}
		out, ok := slowLogical(logical, continues)
		if ok && !(out.fault == manifest.FaultUnfinishedLine && faulty) {
			out.last = i + 1
			all = append(all, out)
		}
		faulty = faulty || out.fault != 0
		logical = ""
	}
	return all
}

// slowLogical reads a logical line; ok is false if there is no action in it.
func slowLogical(line string, open bool) (out slowLine, ok bool) {
	r := slowReader{text: line, inLine: true}
	if f := r.characters(); f.fault != 0 {
		return slowLine{fault: f.fault}, true
	}
	switch {
	case line == "":
		return slowLine{}, false
	case line[0] == '#':
		return slowLine{}, false
	case open:
		return slowLine{fault: manifest.FaultUnfinishedLine}, true
	}
	a, f := slowAction(line)
	if f.fault != 0 {
		return slowLine{fault: f.fault}, true
	}
	if key, _ := a.Key(); a.Kind == manifest.KindSet && key == "authority" {
		a.Attrs = a.Attrs.With("name", "publisher")
	}
	if !a.Attrs.Has("variant.opensolaris.zone") {
		for value := range a.Attrs.Values("opensolaris.zone") {
			a.Attrs = append(a.Attrs, manifest.Attr{Name: "variant.opensolaris.zone", Value: value})
		}
	}
	return slowLine{action: a}, true
}
