package manifest

// Merge returns one manifest for several values of a variant.
func Merge(variant string, m map[string]*Manifest) (*Manifest, error) { panic("sketch") }
