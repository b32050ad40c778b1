package manifest

import (
	"slices"
	"strings"
)

// Payloads returns all payloads that a names: its own, if that is valid, and for a
// signature the certificates of the chain. The error is that of [Action.Payload].
func (a Action) Payloads() ([]Payload, error) {
	var all []Payload
	p, err := a.Payload()
	if err != nil {
		return nil, err
	}
	if p.IsValid() {
		all = append(all, p)
	}
	if a.Kind != KindSignature {
		return all, nil
	}
	chain, fault := readChain(a.Attrs)
	if fault != nil {
		return nil, a.fault(fault)
	}
	return append(all, chain...), nil
}

// A chainAttr is an attribute of a signature that says one thing about each
// certificate of the chain, separated by blanks.
type chainAttr struct {
	name  string
	read  func(r *payloadAttrs, x Attr)
	write func(p *Payload) string
}

// chainAttrs are the attributes in the order in which they are written.
var chainAttrs = [...]chainAttr{
	chainDigest("chain", SHA1, content),
	chainDigest("chain.chashes", SHA1, stored),
	{
		"chain.csizes",
		func(r *payloadAttrs, x Attr) { r.size(x, &r.p.StoredSize) },
		func(p *Payload) string { return formatSize(p.StoredSize) },
	},
	{
		"chain.sizes",
		func(r *payloadAttrs, x Attr) { r.size(x, &r.p.Size) },
		func(p *Payload) string { return formatSize(p.Size) },
	},
	chainDigest("pkg.chain.chashes.sha256", SHA256, stored),
	chainDigest("pkg.chain.chashes.sha512t_256", SHA512_256, stored),
	chainDigest("pkg.chain.sha256", SHA256, content),
	chainDigest("pkg.chain.sha512t_256", SHA512_256, content),
}

func content(p *Payload) *Digests { return &p.Content }
func stored(p *Payload) *Digests  { return &p.Stored }

func chainDigest(name string, alg Algorithm, set func(*Payload) *Digests) chainAttr {
	return chainAttr{
		name,
		func(r *payloadAttrs, x Attr) { r.digest(x, alg, x.Value, set(&r.p)) },
		func(p *Payload) string { return set(p).Of(alg).Hex() },
	}
}

// readChain returns the certificates that the attributes of a signature list.
func readChain(attrs Attrs) ([]Payload, *AttrError) {
	var rs []payloadAttrs
	for _, c := range chainAttrs {
		list, ok := attrs.Get(c.name)
		if !ok {
			continue
		}
		words := strings.Fields(list)
		switch {
		case attrs.Count(c.name) > 1:
			return nil, &AttrError{Name: c.name, Reason: "repeated"}
		case rs == nil:
			rs = slices.Repeat([]payloadAttrs{{p: Payload{Size: -1, StoredSize: -1}}}, len(words))
		case len(rs) != len(words):
			return nil, &AttrError{Name: c.name, Value: list, Reason: "not as long as the other lists of the chain"}
		}
		for i := range rs {
			if c.read(&rs[i], Attr{c.name, words[i]}); rs[i].err != nil {
				return nil, rs[i].err
			}
		}
	}
	chain := make([]Payload, len(rs))
	for i := range rs {
		if chain[i] = rs[i].p; !chain[i].IsValid() {
			return nil, &AttrError{Name: "chain", Reason: "a certificate without digest"}
		}
	}
	return chain, nil
}

// chain is the certificates of a signature.
func (c *codec) chain(field *[]Payload) {
	if c.writing {
		for _, x := range chainAttrs {
			if list := x.list(*field); list != "" {
				c.put(x.name, list)
			}
		}
		return
	}
	chain, err := readChain(c.attrs)
	if err != nil && c.err == nil {
		c.err = err
	}
	if len(chain) == 0 {
		return
	}
	*field = chain
	for _, x := range chainAttrs {
		c.take(x.name)
	}
}

// list returns the value of x, "" if something is not known of one of them.
func (x chainAttr) list(chain []Payload) string {
	words := make([]string, len(chain))
	for i := range chain {
		if words[i] = x.write(&chain[i]); words[i] == "" {
			return ""
		}
	}
	return strings.Join(words, " ")
}
