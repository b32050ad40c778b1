package manifest_test

import (
	"slices"
	"testing"

	"github.com/goips/ips/manifest"
)

// TestKinds compares the kind table with another.
func TestKinds(t *testing.T) {
	const path = manifest.KindDir
	tests := []struct {
		kind                manifest.Kind
		name, key           string
		group               manifest.Kind
		payload, refCounted bool
		unique              []string
	}{
		{manifest.KindSet, "set", "name", manifest.KindSet, false, false, nil},
		{manifest.KindDepend, "depend", "fmri", manifest.KindDepend, false, false, nil},
		{manifest.KindGroup, "group", "groupname", manifest.KindGroup, false, false, nil},
		{manifest.KindUser, "user", "username", manifest.KindUser, false, false, nil},
		{manifest.KindDir, "dir", "path", path, false, true, []string{"path", "mode", "owner", "group"}},
		{manifest.KindFile, "file", "path", path, true, false, []string{"path", "mode", "owner", "group", "preserve", "sysattr"}},
		{manifest.KindHardlink, "hardlink", "path", path, false, true, []string{"path", "target"}},
		{manifest.KindLink, "link", "path", path, false, true, []string{"path", "target"}},
		{manifest.KindDriver, "driver", "name", manifest.KindDriver, false, false, nil},
		{manifest.KindUnknown, "unknown", "", manifest.KindUnknown, false, false, nil},
		{manifest.KindLicense, "license", "license", manifest.KindLicense, true, true, []string{"license"}},
		{manifest.KindLegacy, "legacy", "pkg", manifest.KindLegacy, false, true, []string{"category", "desc", "hotline", "name", "pkg", "vendor", "version", "basedir", "pkginst", "pstamp", "sunw_prodvers"}},
		{manifest.KindSignature, "signature", "value", manifest.KindSignature, true, false, nil},
	}
	for i, test := range tests {
		k, ok := manifest.ParseKind(test.name)
		if !ok || k != test.kind || int(k) != i+1 || !k.IsValid() || k.String() != test.name {
			t.Errorf("ParseKind(%s) = %d, %v", test.name, k, ok)
		}
		if k.KeyAttr() != test.key || k.Group() != test.group || k.HasPayload() != test.payload || k.RefCounted() != test.refCounted {
			t.Errorf("%v: %q %v %v %v", k, k.KeyAttr(), k.Group(), k.HasPayload(), k.RefCounted())
		}
		if got := slices.Collect(k.UniqueAttrs()); !slices.Equal(got, test.unique) {
			t.Errorf("%v: unique %q, want %q", k, got, test.unique)
		}
	}
}

func TestInvalidKinds(t *testing.T) {
	for _, k := range []manifest.Kind{0, manifest.KindSignature + 1, 255} {
		if k.IsValid() || k.KeyAttr() != "" || k.HasPayload() || k.RefCounted() || k.Group() != k {
			t.Errorf("%v is valid", k)
		}
	}
	if got := manifest.Kind(0).String(); got != "Kind(0)" {
		t.Errorf("zero Kind is %q", got)
	}
	for _, name := range []string{"", "File", "files", "Kind(0)", "file "} {
		if k, ok := manifest.ParseKind(name); ok || k != 0 {
			t.Errorf("ParseKind(%q) = %v", name, k)
		}
	}
}
