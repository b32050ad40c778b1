package manifest

// A Decoded is an action with a field for each attribute that means something
// to its kind: one of [Set], [Depend], [Group], [User], [Dir], [File], [Hardlink],
// [Link], [Driver], [Unknown], [License], [Legacy] and [Signature]. Their zero
// values lack the key attribute and are no actions yet.
//
// An empty field stands for an attribute that is absent. Extra has all attributes that
// have no field, such as facets, variants and actuators, and those whose value the
// field cannot hold and that need not be understood. Where Extra has an attribute that
// also has a field in use, the field of a single value takes its place, and a list has
// both.
type Decoded interface {
	// Action returns the action. Like any that was not read it can be refused
	// by [Manifest.Add]. Numbers, modes and FMRIs are written in one form,
	// so its text can differ from the one that was decoded.
	Action() Action

	kind() Kind
}

// Decode returns the typed value of a. The error is an [*Error] that wraps an
// [*AttrError]: a value that is wrong and would matter, such as a mode that is not octal,
// a number that is not one, or a path that is not in the image. Attributes that the
// action should have besides may be missing; see [Action.Validate].
func (a Action) Decode() (Decoded, error) {
	switch a.Kind {
	case KindSet:
		return decode[Set](a)
	case KindDepend:
		return decode[Depend](a)
	case KindGroup:
		return decode[Group](a)
	case KindUser:
		return decode[User](a)
	case KindDir:
		return decode[Dir](a)
	case KindFile:
		return decode[File](a)
	case KindHardlink:
		return decode[Hardlink](a)
	case KindLink:
		return decode[Link](a)
	case KindDriver:
		return decode[Driver](a)
	case KindUnknown:
		return decode[Unknown](a)
	case KindLicense:
		return decode[License](a)
	case KindLegacy:
		return decode[Legacy](a)
	case KindSignature:
		return decode[Signature](a)
	}
	return nil, &Error{Pos: a.Pos, Err: &SyntaxError{Fault: FaultUnknownType, Name: a.Kind.String(), Offset: -1}}
}

// bound is a pointer to a decoded value. Its method bind names the attribute of
// each field to a codec, in the order in which they are written.
type bound[T any] interface {
	*T
	bind(*codec)
}

// decode reads the fields of a T.
func decode[T Decoded, P bound[T]](a Action) (Decoded, error) {
	c := codec{action: a, attrs: append(Attrs(nil), a.Attrs...)}
	var v T
	P(&v).bind(&c)
	if c.err != nil {
		return nil, a.fault(c.err)
	}
	return v, nil
}

// encode writes the fields of a T.
func encode[T Decoded, P bound[T]](v T) Action {
	c := codec{action: Action{Kind: v.kind()}, writing: true}
	P(&v).bind(&c)
	c.action.Attrs = c.attrs
	return c.action
}

// fault returns err as an error of a.
func (a Action) fault(err error) *Error {
	return &Error{Pos: a.Pos, Action: a.String(), Err: err}
}
