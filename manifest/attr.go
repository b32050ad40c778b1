package manifest

import (
	"iter"
	"slices"
	"strings"
)

// An Attr is one name=value. A name with several values is several Attrs.
type Attr struct{ Name, Value string }

// Attrs are the attributes of an action in written order.
// The values of a repeated name form a list, whose order is kept.
type Attrs []Attr

// Get returns the first value of name.
func (a Attrs) Get(name string) (value string, ok bool) {
	for i := range a {
		if a[i].Name == name {
			return a[i].Value, true
		}
	}
	return "", false
}

// Has reports whether name occurs.
func (a Attrs) Has(name string) bool {
	_, ok := a.Get(name)
	return ok
}

// Values yields the values of name in order.
func (a Attrs) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range a {
			if a[i].Name == name && !yield(a[i].Value) {
				return
			}
		}
	}
}

// Count returns how often name occurs.
func (a Attrs) Count(name string) int {
	n := 0
	for i := range a {
		if a[i].Name == name {
			n++
		}
	}
	return n
}

// With returns a copy of a in which name has exactly these values, standing
// where it first stood or else at the end. Without values it removes name.
func (a Attrs) With(name string, values ...string) Attrs {
	at := slices.IndexFunc(a, func(x Attr) bool { return x.Name == name })
	if at < 0 {
		at = len(a)
	}
	out := make(Attrs, 0, len(a)+len(values))
	out = append(out, a[:at]...)
	for _, v := range values {
		out = append(out, Attr{name, v})
	}
	for _, x := range a[at:] {
		if x.Name != name {
			out = append(out, x)
		}
	}
	return out
}

// sorted returns a ordered by name, the values of one name as they stood.
// It is a itself where that is in order.
func (a Attrs) sorted() Attrs {
	for i := 1; i < len(a); i++ {
		if a[i].Name < a[i-1].Name {
			return slices.SortedStableFunc(slices.Values(a), compareNames)
		}
	}
	return a
}

// isSingle reports whether a[i] is the only one of its name. a is sorted.
func (a Attrs) isSingle(i int) bool {
	name := a[i].Name
	return (i == 0 || a[i-1].Name != name) && (i+1 == len(a) || a[i+1].Name != name)
}

func compareNames(a, b Attr) int { return strings.Compare(a.Name, b.Name) }
