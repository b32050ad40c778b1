package manifest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

func TestAttrs(t *testing.T) {
	a := manifest.MustParseAction("unknown a=1 b=2 a=3").Attrs
	if v, ok := a.Get("a"); v != "1" || !ok {
		t.Errorf("Get(a) = %q, %v", v, ok)
	}
	if v, ok := a.Get("x"); v != "" || ok || a.Has("x") || !a.Has("b") {
		t.Errorf("Get(x) = %q, %v", v, ok)
	}
	if got := slices.Collect(a.Values("a")); !slices.Equal(got, []string{"1", "3"}) || a.Count("a") != 2 {
		t.Errorf("Values(a) = %q", got)
	}
	for v := range a.Values("a") {
		if v != "1" {
			t.Error("Values does not stop")
		}
		break
	}
}

func TestWith(t *testing.T) {
	a := manifest.Attrs{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}}
	tests := []struct {
		name   string
		values []string
		want   string
	}{
		{"a", []string{"x"}, "unknown a=x b=2"},
		{"b", []string{"x", "y"}, "unknown a=1 a=3 b=x b=y"},
		{"c", []string{"x"}, "unknown a=1 a=3 b=2 c=x"},
		{"a", nil, "unknown b=2"},
		{"c", nil, "unknown a=1 a=3 b=2"},
	}
	for _, test := range tests {
		got := manifest.Action{Kind: manifest.KindUnknown, Attrs: a.With(test.name, test.values...)}
		if got.String() != test.want {
			t.Errorf("With(%s, %q): got %v, want %s", test.name, test.values, got, test.want)
		}
	}
	want := manifest.Attrs{{Name: "n", Value: "1"}, {Name: "a", Value: "2"}, {Name: "b", Value: "x"}}
	got := manifest.Attrs{{Name: "n", Value: "1"}, {Name: "b", Value: "y"}, {Name: "b", Value: "z"}, {Name: "a", Value: "2"}}.With("b").With("b", "x")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(manifest.Attrs{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}}, a); diff != "" {
		t.Errorf("With changed its receiver: %s", diff)
	}
}
