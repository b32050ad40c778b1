package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// A Policy says when two payloads are different.
type Policy uint8

// The policies.
const (
	// PolicyDefault compares contents.
	PolicyDefault Policy = iota
	// PolicyUnsigned is like PolicyDefault but compares ELF files without the sections that
	// differ from build to build and without signatures.
	PolicyUnsigned
	// PolicyAll compares contents and all that is said about them.
	PolicyAll
)

// Different reports whether b says something else than a about an object, so that an
// image with a needs to be changed to have b. The order of the values of a name does not
// matter.
//
// Payloads are compared by the best digest that one of them has. The attributes chash,
// elfhash and pkg.content-hash do not count otherwise, except for PolicyAll. So where the best
// digest is the same, the SHA-1 may differ; where only one has a better digest, the
// payloads are different.
func (a Action) Different(b Action, p Policy) bool {
	switch {
	case a.Kind != b.Kind:
		return true
	case a.Hash == b.Hash && slices.Equal(a.Attrs, b.Attrs):
		return false
	case !a.Kind.HasPayload():
		return differentAttrs(a.Attrs, b.Attrs, nil)
	case differentPayload(&a, &b, p):
		// What is equal is not different, even if no digest is known.
		return a.Hash != b.Hash || differentAttrs(a.Attrs, b.Attrs, nil)
	case p == PolicyAll:
		return differentAttrs(a.Attrs, b.Attrs, nil)
	}
	return differentAttrs(a.Attrs, b.Attrs, isDigestAttr)
}

// isDigestAttr reports whether an attribute has digests that differentPayload compares.
func isDigestAttr(name string) bool {
	return name == "chash" || name == "elfhash" || name == "pkg.content-hash"
}

// differentAttrs compares attributes without those to be ignored.
func differentAttrs(a, b Attrs, ignored func(name string) bool) bool {
	var abuf, bbuf [32]Attr // room for most actions
	return !slices.Equal(unordered(abuf[:0], a, ignored), unordered(bbuf[:0], b, ignored))
}

// unordered appends the attributes to buf, sorted by name and value.
func unordered(buf, attrs Attrs, ignored func(name string) bool) Attrs {
	for _, x := range attrs {
		if ignored == nil || !ignored(x.Name) {
			buf = append(buf, x)
		}
	}
	slices.SortFunc(buf, func(a, b Attr) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	return buf
}

// differentPayload compares the best digest that a or b has. Without any the
// payloads are different.
func differentPayload(a, b *Action, p Policy) bool {
	form, weakest := "file:", "hash"
	if p == PolicyUnsigned && a.Attrs.Has("elfarch") && b.Attrs.Has("elfarch") {
		form, weakest = "gelf:", "elfhash"
	}
	for alg := SHA512_256; alg > SHA1; alg-- {
		x, y := contentHash(a, form, alg), contentHash(b, form, alg)
		if form == "gelf:" {
			x, y = withoutSignature(a, b, alg, x, y)
		}
		if x != "" || y != "" {
			return x != y
		}
	}
	if weakest == "elfhash" {
		x, _ := a.Attrs.Get(weakest)
		y, _ := b.Attrs.Get(weakest)
		if x != "" || y != "" {
			return x != y
		}
	}
	return a.Hash == "" || a.Hash != b.Hash
}

// contentHash returns the hex digits of the first value of pkg.content-hash with
// the given form, such as "file:", and algorithm; "" if there is none.
func contentHash(a *Action, form string, alg Algorithm) string {
	for v := range a.Attrs.Values("pkg.content-hash") {
		if rest, ok := strings.CutPrefix(v, form); ok {
			if hex, ok := strings.CutPrefix(rest, algorithms[alg].name); ok && strings.HasPrefix(hex, ":") {
				return hex[1:]
			}
		}
	}
	return ""
}

// withoutSignature returns the digests of two ELF files without signatures if both
// have one, x and y otherwise.
func withoutSignature(a, b *Action, alg Algorithm, x, y string) (string, string) {
	u, v := contentHash(a, "gelf.unsigned:", alg), contentHash(b, "gelf.unsigned:", alg)
	if u == "" || v == "" {
		return x, y
	}
	return u, v
}
