package ini_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/repo/internal/ini"
)

func TestSections(t *testing.T) {
	f, err := ini.Parse("f", []byte("[a]\nx = 1\ny = 2\n[b]\n[CONFIGURATION]\nversion = 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.Replace("a", map[string]string{"z": "9", "y": "5"})
	f.Replace("new", map[string]string{"n": "1"})
	f.Remove("b")
	if got := slices.Collect(f.Sections()); !slices.Equal(got, []string{"a", "new", "CONFIGURATION"}) {
		t.Errorf("sections %q", got)
	}
	var props []string
	for name, value := range f.Section("a") {
		props = append(props, name+"="+value)
	}
	if !slices.Equal(props, []string{"y=5", "z=9"}) {
		t.Errorf("properties %q", props)
	}
}

func TestDicts(t *testing.T) {
	const text = "[{'uri': 'http://a/', 'proxy': ''}, {'it': \"isn't\"}]"
	got, err := ini.ParseDicts(text)
	want := []map[string]string{{"uri": "http://a/", "proxy": ""}, {"it": "isn't"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got := ini.FormatDicts([][]string{{"uri", "http://a/", "proxy", ""}, {"it", "isn't"}}); got != text {
		t.Errorf("written as %s", got)
	}
	for _, text := range []string{"", "[", "[{'a': 1}]", "[{'a' 'b'}]", "['a']", "[{}] x", "[{'a': 'b'} {'c': 'd'}]"} {
		if got, err := ini.ParseDicts(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}
