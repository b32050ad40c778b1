package manifest

import (
	"strconv"
	"strings"
)

// A Payload identifies the bytes behind an action, in all the ways in which an
// action does. Payloads compare with ==. The zero Payload is not valid.
//
// Repositories keep and send payloads in their stored form, which is made with gzip.
// Programs make different stored forms of one content, so this one is only
// good to check what comes from where the action was published.
type Payload struct {
	Content Digests // of the bytes that are installed
	Stored  Digests // of the stored form
	ELF     ELF     // zero if the content is not known to be an ELF file

	// Size is the length of the content in bytes, and StoredSize that of the stored
	// form, -1 if it is not known. A zero that stands for an unknown size makes
	// all bytes too many, which is safe.
	Size, StoredSize int64
}

// An ELF is what actions say about a program or library in ELF format.
type ELF struct {
	Arch string // "i386", "aarch64", "sparc", "ppc", "none" or "other"
	Bits string // "32" or "64"

	// Digests are of the sections of the file except those that differ from build to
	// build; Unsigned is the same without signatures.
	Digests, Unsigned Digests
}

// IsValid reports whether p has a digest, without which bytes cannot be verified.
func (p Payload) IsValid() bool { return !p.Content.IsEmpty() || !p.Stored.IsEmpty() }

// Name returns the least preferred digest of the content, whose [Digest.Hex] names the
// payload in repositories. In practice that is the SHA-1.
func (p Payload) Name() Digest { return p.Content.Least() }

// Payload returns what a says about its payload. It is the zero Payload if that is
// nothing; before publication it often is, and there is no error.
// A digest or size that is there but damaged is an [*Error] that wraps an [*AttrError],
// so that a strong digest cannot be made to go unnoticed.
func (a Action) Payload() (Payload, error) {
	if !a.Kind.HasPayload() {
		return Payload{}, nil
	}
	r := payloadAttrs{p: Payload{Size: -1, StoredSize: -1}}
	r.p.Content = r.p.Content.With(hashDigest(a.Hash))
	for i := range a.Attrs {
		r.attr(a.Attrs[i])
	}
	if r.err != nil {
		return Payload{}, a.fault(r.err)
	}
	if r.p == (Payload{Size: -1, StoredSize: -1}) {
		return Payload{}, nil
	}
	return r.p, nil
}

// hashDigest returns the digest that the payload word of an action is, the zero Digest if
// it is the name of a source.
func hashDigest(hash string) Digest {
	if len(hash) != 2*SHA1.Size() {
		return Digest{}
	}
	d, _ := ParseDigest(hash)
	return d
}

// A payloadAttrs collects a payload from attributes.
type payloadAttrs struct {
	p   Payload
	err *AttrError // the first
}

func (r *payloadAttrs) fail(x Attr, reason string) {
	if r.err == nil {
		r.err = &AttrError{Name: x.Name, Value: x.Value, Reason: reason}
	}
}

// attr reads one attribute.
func (r *payloadAttrs) attr(x Attr) {
	switch x.Name {
	case "pkg.size":
		r.size(x, &r.p.Size)
	case "pkg.csize":
		r.size(x, &r.p.StoredSize)
	case "chash":
		r.digest(x, SHA1, x.Value, &r.p.Stored)
	case "pkg.content-hash":
		if set, alg, hex := r.p.contentHash(x.Value); set != nil {
			r.digest(x, alg, hex, set)
		}
	case "pkg.hash.sha256":
		r.digest(x, SHA256, x.Value, &r.p.Content)
	case "pkg.hash.sha512t_256":
		r.digest(x, SHA512_256, x.Value, &r.p.Content)
	case "elfhash":
		r.digest(x, SHA1, x.Value, &r.p.ELF.Digests)
	case "elfarch":
		r.text(x, &r.p.ELF.Arch)
	case "elfbits":
		r.text(x, &r.p.ELF.Bits)
	}
}

func (r *payloadAttrs) size(x Attr, field *int64) {
	n, err := strconv.ParseInt(x.Value, 10, 64)
	switch {
	case err != nil || n < 0:
		r.fail(x, "not a size")
	case *field >= 0 && *field != n:
		r.fail(x, "repeated")
	}
	*field = n
}

func (r *payloadAttrs) text(x Attr, field *string) {
	if *field != "" {
		r.fail(x, "repeated")
	}
	*field = x.Value
}

// digest adds a digest of which there may be only one.
func (r *payloadAttrs) digest(x Attr, alg Algorithm, hex string, set *Digests) {
	d, err := ParseDigest(alg.String() + ":" + hex)
	switch was := set.Of(alg); {
	case err != nil:
		r.fail(x, "not a digest")
	case was.IsValid() && was != d:
		r.fail(x, "contradicts another digest")
	}
	*set = set.With(d)
}

// contentHash splits a value of pkg.content-hash, which is what was hashed, the
// algorithm and the sum, joined by colons. The set is nil for what is not known here.
func (p *Payload) contentHash(value string) (set *Digests, alg Algorithm, hex string) {
	form, rest, _ := strings.Cut(value, ":")
	name, hex, _ := strings.Cut(rest, ":")
	alg, ok := ParseAlgorithm(name)
	if !ok {
		return nil, 0, ""
	}
	switch form {
	case "file":
		return &p.Content, alg, hex
	case "gzip":
		return &p.Stored, alg, hex
	case "gelf":
		return &p.ELF.Digests, alg, hex
	case "gelf.unsigned":
		return &p.ELF.Unsigned, alg, hex
	}
	return nil, 0, ""
}

// isPayloadAttr reports whether an attribute is one that [Action.Payload] reads.
func isPayloadAttr(x Attr) bool {
	switch x.Name {
	case "pkg.size", "pkg.csize", "chash", "elfhash", "elfarch", "elfbits", "pkg.hash.sha256", "pkg.hash.sha512t_256":
		return true
	case "pkg.content-hash":
		set, _, _ := new(Payload).contentHash(x.Value)
		return set != nil
	}
	return false
}

// WithPayload returns a copy of a with p for its payload: the SHA-1 in the place of
// the payload, and all that is known about it in attributes. Attributes that said
// something about another payload are gone.
func (a Action) WithPayload(p Payload) Action {
	attrs := make(Attrs, 0, len(a.Attrs)+9)
	for _, x := range a.Attrs {
		if !isPayloadAttr(x) && x.Name != "pkg.content-hash" {
			attrs = append(attrs, x)
		}
	}
	if a.Kind == KindSignature {
		p.Content = DigestsOf(p.Content.Of(SHA1)) // the reference knows no other there
	}
	a.Hash = p.hash("")
	a.Attrs = p.appendAttrs(attrs)
	return a
}

// hash returns the payload word of an action.
func (p Payload) hash(source string) string {
	if d := p.Content.Of(SHA1); d.IsValid() {
		return d.Hex()
	}
	return source
}

// appendAttrs appends the attributes that say something about p.
func (p Payload) appendAttrs(attrs Attrs) Attrs {
	if p == (Payload{}) {
		return attrs
	}
	put := func(name, value string) {
		if value != "" {
			attrs = append(attrs, Attr{name, value})
		}
	}
	put("chash", p.Stored.Of(SHA1).Hex())
	put("elfarch", p.ELF.Arch)
	put("elfbits", p.ELF.Bits)
	put("elfhash", p.ELF.Digests.Of(SHA1).Hex())
	forms := []struct {
		name string
		set  Digests
	}{{"gelf", p.ELF.Digests}, {"gelf.unsigned", p.ELF.Unsigned}, {"file", p.Content}, {"gzip", p.Stored}}
	for _, form := range forms {
		for d := range form.set.All() {
			if d.Algorithm() != SHA1 {
				put("pkg.content-hash", form.name+":"+d.String())
			}
		}
	}
	put("pkg.csize", formatSize(p.StoredSize))
	put("pkg.size", formatSize(p.Size))
	return attrs
}

// formatSize returns a size in decimal, "" if it is not known.
func formatSize(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
