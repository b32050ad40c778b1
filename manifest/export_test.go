package manifest

// ReferenceText returns the text that the reference prints for a, which may not
// read back.
func (a Action) ReferenceText() string { return string(a.appendTo(nil, reference)) }
