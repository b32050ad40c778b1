package search

import (
	"path"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Token is a word by which an action is found.
type Token struct {
	Key   string // what the word is: "basename", the name of a set action, the type of a dependency
	Text  string // the word
	Value string // what is shown for a hit: the key, or for a set action the whole value
}

// Tokens returns the words by which an action is found, in the order in which the
// package comment lists them. A word that occurs twice is there twice.
func Tokens(a manifest.Action) []Token { return appendTokens(nil, &a) }

// maxTokens bounds the tokens of one action with their values, in bytes: each word of a
// set action has all of the value beside it in the dictionary, so a manifest of a megabyte
// could ask for an index of many gigabytes.
const maxTokens = 64 << 20

// lineTokens reads an action and appends its tokens to dst.
func lineTokens(dst []Token, line string) (manifest.Kind, []Token, error) {
	a, err := manifest.ParseAction(line)
	if err != nil {
		return 0, dst, err
	}
	size := 0
	dst = appendTokens(dst, &a)
	for _, t := range dst {
		size += len(t.Text) + len(t.Value)
	}
	if size > maxTokens {
		return 0, dst[:0], &LimitError{What: "tokens", Limit: maxTokens}
	}
	return a.Kind, dst, nil
}

// appendTokens appends the tokens of an action to dst.
func appendTokens(dst []Token, a *manifest.Action) []Token {
	switch a.Kind {
	case manifest.KindSet:
		return appendSet(dst, a)
	case manifest.KindDepend:
		return appendDepend(dst, a)
	case manifest.KindDir:
		return appendPath(dst, a)
	case manifest.KindFile:
		return appendFile(dst, a)
	case manifest.KindLink, manifest.KindHardlink:
		return appendLink(dst, a)
	case manifest.KindLicense:
		return appendLicense(dst, a)
	case manifest.KindSignature:
		return appendSignature(dst, a)
	case manifest.KindUser:
		return appendAttr(dst, a, "username", "name")
	case manifest.KindGroup:
		return appendAttr(dst, a, "groupname", "name")
	case manifest.KindDriver:
		return appendAttr(appendAttr(dst, a, "name", "driver_name"), a, "alias", "alias")
	case manifest.KindLegacy:
		return appendAttr(appendAttr(dst, a, "pkg", "legacy_pkg"), a, "pkg", "pkg")
	}
	return dst
}

// appendAttr appends the values of an attribute under a key.
func appendAttr(dst []Token, a *manifest.Action, name, key string) []Token {
	for _, attr := range a.Attrs {
		if attr.Name == name {
			dst = append(dst, Token{key, attr.Value, key})
		}
	}
	return dst
}

// The attributes that hold digests beside the payload's own.
var hashAttrs = [...]string{"pkg.content-hash", "pkg.hash.sha256", "pkg.hash.sha512t_256"}

func appendHashAttrs(dst []Token, a *manifest.Action) []Token {
	for _, name := range hashAttrs {
		dst = appendAttr(dst, a, name, name)
	}
	return dst
}

func appendPath(dst []Token, a *manifest.Action) []Token {
	name, ok := a.Attrs.Get("path")
	if !ok {
		return dst
	}
	base := strings.TrimRight(name, "/")
	if base != "" {
		base = path.Base(base)
	}
	return append(dst, Token{"basename", base, "basename"}, Token{"path", "/" + name, "path"})
}

func appendFile(dst []Token, a *manifest.Action) []Token {
	if a.Hash != "" {
		dst = append(dst, Token{"content", a.Hash, a.Hash}, Token{"hash", a.Hash, "hash"})
	}
	return appendHashAttrs(appendPath(dst, a), a)
}

func appendLink(dst []Token, a *manifest.Action) []Token {
	dst = appendPath(dst, a)
	if !a.Attrs.Has("mediator") {
		return dst
	}
	for _, attr := range a.Attrs {
		if strings.HasPrefix(attr.Name, "mediator") {
			dst = append(dst, Token{attr.Name, attr.Value, attr.Name})
		}
	}
	return dst
}

// appendLicense finds nothing in a license without pkg.content-hash: so old ones
// are not found, as with the reference.
func appendLicense(dst []Token, a *manifest.Action) []Token {
	if !a.Attrs.Has("pkg.content-hash") {
		return dst
	}
	dst = appendAttr(dst, a, "license", "license")
	if a.Hash != "" {
		dst = append(dst, Token{"hash", a.Hash, "hash"}, Token{"content", a.Hash, "content"})
	}
	return appendHashAttrs(dst, a)
}

func appendSignature(dst []Token, a *manifest.Action) []Token {
	if a.Hash != "" {
		dst = append(dst, Token{"certificate", a.Hash, a.Hash})
	}
	for _, t := range [...]Token{{Key: "algorithm", Text: "algorithm"}, {Key: "signature", Text: "value"}} {
		if v, ok := a.Attrs.Get(t.Text); ok {
			dst = append(dst, Token{t.Key, v, v})
		}
	}
	return appendHashAttrs(dst, a)
}

// appendDepend finds the packages, with and without version, under the type.
func appendDepend(dst []Token, a *manifest.Action) []Token {
	key, _ := a.Attrs.Get("type")
	if _, known := manifest.ParseDependType(key); !known {
		return dst
	}
	for _, attr := range a.Attrs {
		if attr.Name != "fmri" {
			continue
		}
		name := withoutScheme(attr.Value)
		dst = append(dst, Token{key, name, key})
		if stem, _, versioned := strings.Cut(name, "@"); versioned {
			dst = append(dst, Token{key, stem, key})
		}
	}
	return dst
}

// withoutScheme removes what may stand before the name of a package.
func withoutScheme(name string) string {
	rest, ok := strings.CutPrefix(name, "pkg:/")
	if !ok {
		return name
	}
	rest, ok = strings.CutPrefix(rest, "/")
	if !ok {
		return rest
	}
	if _, after, ok := strings.Cut(rest, "/"); ok {
		return after
	}
	return name // "pkg://x" names no package
}

func appendSet(dst []Token, a *manifest.Action) []Token {
	name, _ := a.Attrs.Get("name")
	switch name {
	case "fmri", "pkg.fmri":
		return appendName(dst, a, name)
	case "info.classification":
		if classified, ok := appendClasses(dst, a, name); ok {
			return classified
		}
	}
	for _, attr := range a.Attrs {
		if attr.Name == "value" {
			dst = appendWords(dst, name, attr.Value)
		}
	}
	return dst
}

// appendWords appends a value, or its words if it has a space.
func appendWords(dst []Token, key, value string) []Token {
	if !strings.Contains(value, " ") {
		return append(dst, Token{key, value, value})
	}
	for word := range strings.FieldsSeq(value) {
		dst = append(dst, Token{key, word, value})
	}
	return dst
}

// appendName appends what a package is called.
func appendName(dst []Token, a *manifest.Action, key string) []Token {
	value, _ := a.Attrs.Get("value")
	f, err := fmri.Parse(value)
	if err != nil || !f.Version().IsValid() {
		return dst
	}
	stem := f.Stem().Format(fmri.OmitScheme)
	v := f.Version()
	dst = append(dst, Token{key, stem, stem},
		Token{key, string(v.Build()), stem}, Token{key, string(v.Release()), stem})
	if _, after, ok := strings.Cut(v.String(), ":"); ok {
		dst = append(dst, Token{key, after, stem})
	}
	for name := f.Name(); ; {
		dst = append(dst, Token{key, name, stem})
		_, rest, more := strings.Cut(name, "/")
		if !more {
			return dst
		}
		name = rest
	}
}

// appendClasses appends classifications, such as
// org.opensolaris.category.2008:System/File System. It reports whether all values are.
func appendClasses(dst []Token, a *manifest.Action, key string) ([]Token, bool) {
	for value := range a.Attrs.Values("value") {
		class := value
		if _, after, ok := strings.Cut(value, ":"); ok {
			class = after
		}
		if strings.Contains(class, ":") {
			return dst, false
		}
		dst = append(dst, Token{key, class, class})
		for part := range strings.SplitSeq(class, "/") {
			for word := range strings.FieldsSeq(part) {
				dst = append(dst, Token{key, word, class})
			}
		}
	}
	return dst, true
}
