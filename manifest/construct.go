package manifest

import "strings"

// construct checks the attributes of an action of kind k and brings them into
// the form in which actions keep them. It changes attrs, a list taken from the slab.
func construct(k Kind, attrs Attrs, slab *slab) (Attrs, Fault, string) {
	if k == KindUnknown {
		return attrs, 0, ""
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
	return attrs, trimPath(attrs), "path"
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
// words, which lack the minor name.
func driverClonePerms(attrs Attrs) {
	name, _ := attrs.Get("name")
	for i := range attrs {
		if attrs[i].Name == "clone_perms" && len(strings.Fields(attrs[i].Value)) == 3 {
			attrs[i].Value = name + " " + attrs[i].Value
		}
	}
}

// trimPath removes the slashes before a path.
func trimPath(attrs Attrs) Fault {
	paths := 0
	for i := range attrs {
		if attrs[i].Name != "path" {
			continue
		}
		attrs[i].Value = strings.TrimLeft(attrs[i].Value, "/")
		if paths++; paths > 1 || attrs[i].Value == "" {
			return FaultPath
		}
	}
	return 0
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
