package catalog

// Canonical returns what the attributes are written as, without a signature.
func (a *Attrs) Canonical() string { return string(a.appendText(nil, "")) }
