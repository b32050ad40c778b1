package manifest

import (
	"errors"
	"fmt"
	"slices"
)

// SigningText returns the text that the signature sig of the manifest covers: the lines of
// all actions except other signatures, and of sig itself with an empty value, sorted by code
// point, with line ends between them. Every attribute of sig counts, so it must
// have those that it will be published with. It does not matter whether the manifest has it
// already.
//
// A line is the text that the reference prints, even where that does not read back, with
// two differences: the values of a name are sorted, and a payload stands behind the kind
// without quotes, whatever it contains. Values with "$(" are quoted, as the
// reference's branch of OmniOS does and that of Oracle does not.
//
// The error wraps [errors.ErrUnsupported] if sig is of another version than 0, and
// is an [*Error] if it is not a signature.
func (m *Manifest) SigningText(sig Action) ([]byte, error) {
	if sig.Kind != KindSignature {
		return nil, sig.fault(fmt.Errorf("%v actions cannot sign", sig.Kind))
	}
	sig, err := sig.normal()
	if err != nil {
		return nil, sig.fault(err)
	}
	if v, _ := sig.Attrs.Get("version"); v != "0" || sig.Attrs.Count("version") > 1 {
		err := fmt.Errorf("%w: only 0 is known", errors.ErrUnsupported)
		return nil, sig.fault(&AttrError{Name: "version", Value: v, Reason: "unknown version", Err: err})
	}
	sig.Attrs = sig.Attrs.With("value", "")
	return joinSorted(m.signed(sig)), nil
}

// A span is a piece of a buffer.
type span struct{ from, to int }

// signed returns the lines that sig covers, one after the other, and where each is.
func (m *Manifest) signed(sig Action) (text []byte, lines []span) {
	text = make([]byte, 0, len(m.src)+512)
	lines = make([]span, 0, len(m.actions)+1)
	add := func(a Action) {
		from := len(text)
		text = a.appendSigned(text)
		lines = append(lines, span{from, len(text)})
	}
	for i := range m.actions {
		if m.actions[i].Kind != KindSignature {
			add(m.actions[i])
		}
	}
	add(sig)
	return text, lines
}

// joinSorted returns the lines in order, with line ends between them.
func joinSorted(text []byte, lines []span) []byte {
	slices.SortFunc(lines, func(a, b span) int {
		return slices.Compare(text[a.from:a.to], text[b.from:b.to])
	})
	out := make([]byte, 0, len(text)+len(lines))
	for i, l := range lines {
		if i > 0 {
			out = append(out, '\n')
		}
		out = append(out, text[l.from:l.to]...)
	}
	return out
}

// appendSigned appends the line of a that signatures cover.
func (a Action) appendSigned(b []byte) []byte {
	b = append(b, a.Kind.String()...)
	if a.Hash != "" {
		b = append(b, ' ')
		b = append(b, a.Hash...)
	}
	var buf [32]Attr // room for most actions
	attrs := unordered(buf[:0], a.Attrs, nil)
	for i, x := range attrs {
		if x.Name == "mode" && attrs.isSingle(i) {
			x.Value = octalMode(x.Value, reference)
		}
		b = append(b, ' ')
		b = append(b, x.Name...)
		b = append(b, '=')
		b = appendValue(b, x.Value, true, reference) // quotes "$(" in lists too
	}
	return b
}
