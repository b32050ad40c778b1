package manifest

import "strings"

// construct checks the attributes of an action of kind k and brings them into
// the form in which actions keep them. It changes attrs, a list taken from the slab.
func construct(k Kind, attrs Attrs, slab *slab) (Attrs, Fault, string) {
	switch k {
	case KindUnknown:
		return attrs, 0, ""
	case KindDir, KindFile, KindHardlink, KindLink:
		fault, name := checkPathKey(attrs)
		return attrs, fault, name
	}
	if fault, name := checkKey(k, attrs); fault != 0 {
		return attrs, fault, name
	}
	switch k {
	case KindSet:
		if form, ok := shortSet(attrs, slab); ok {
			return form, 0, ""
		}
		if !attrs.Has("name") || !attrs.Has("value") {
			return attrs, FaultSetForm, ""
		}
	case KindSignature:
		if !attrs.Has("algorithm") {
			return attrs, FaultNoAlgorithm, ""
		}
		attrs = signatureDefaults(attrs, slab)
	case KindDriver:
		driverClonePerms(attrs)
	}
	if n, empty := trimPaths(attrs); n > 1 || empty {
		return attrs, FaultPath, ""
	}
	return attrs, 0, ""
}

// checkKey checks that the key attribute occurs once. It may be absent from
// set and signature, which have other forms; a depend of several packages repeats it.
func checkKey(k Kind, attrs Attrs) (Fault, string) {
	key := k.KeyAttr()
	n := attrs.Count(key)
	switch {
	case n == 1:
		return 0, ""
	case n == 0 && (k == KindSet || k == KindSignature):
		return 0, ""
	case n == 0:
		return FaultMissingKey, key
	case k != KindDepend:
		return FaultRepeatedKey, key
	}
	switch attrs.Count("type") {
	case 0:
		return FaultRepeatedKey, key
	case 1:
		return 0, ""
	}
	return FaultRepeatedKey, "type"
}

// shortSet turns "set a=b" into "set name=a value=b".
func shortSet(attrs Attrs, slab *slab) (Attrs, bool) {
	if len(attrs) == 0 {
		return attrs, false
	}
	name := attrs[0].Name
	for i := range attrs {
		if attrs[i].Name != name {
			return attrs, false
		}
	}
	for i := range attrs {
		attrs[i].Name = "value"
	}
	return slab.insert(attrs, 0, Attr{"name", name}), true
}

// signatureDefaults adds the attributes that every signature has.
func signatureDefaults(attrs Attrs, slab *slab) Attrs {
	if !attrs.Has("value") {
		attrs = slab.insert(attrs, len(attrs), Attr{"value", ""})
	}
	if !attrs.Has("version") {
		attrs = slab.insert(attrs, len(attrs), Attr{"version", "0"})
	}
	return attrs
}

// driverClonePerms puts the name of the driver before clone_perms of three
// words, which lack the minor name. A blank name would change nothing, and one that
// no driver can have is not repeated, so that the action stays in proportion to
// its text.
func driverClonePerms(attrs Attrs) {
	const longest = 256
	name, _ := attrs.Get("name")
	if len(name) > longest || strings.TrimSpace(name) == "" {
		return
	}
	for i := range attrs {
		if attrs[i].Name == "clone_perms" && len(strings.Fields(attrs[i].Value)) == 3 {
			attrs[i].Value = name + " " + attrs[i].Value
		}
	}
}

// checkPathKey is checkKey for the kinds whose key is the path, and checks that too.
func checkPathKey(attrs Attrs) (Fault, string) {
	switch n, empty := trimPaths(attrs); {
	case n == 0:
		return FaultMissingKey, "path"
	case n > 1:
		return FaultRepeatedKey, "path"
	case empty:
		return FaultPath, ""
	}
	return 0, ""
}

// trimPaths removes the slashes before paths. It returns the number of paths and
// whether one of them is empty.
func trimPaths(attrs Attrs) (n int, empty bool) {
	for i := range attrs {
		if attrs[i].Name == "path" {
			attrs[i].Value = strings.TrimLeft(attrs[i].Value, "/")
			empty = empty || attrs[i].Value == ""
			n++
		}
	}
	return n, empty
}

// modernise brings the historic forms that a manifest may have up to date.
func modernise(k Kind, attrs Attrs, slab *slab) Attrs {
	if k == KindSet {
		for i := range attrs {
			if attrs[i].Name == "name" && attrs[i].Value == "authority" {
				attrs[i].Value = "publisher"
			}
		}
	}
	const zone = "opensolaris.zone"
	if !attrs.Has(zone) || attrs.Has("variant."+zone) {
		return attrs
	}
	for value := range attrs.Values(zone) {
		attrs = slab.insert(attrs, len(attrs), Attr{"variant." + zone, value})
	}
	return attrs
}
