//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReadable changes the mode of one thing at a time: it must be found, unless it is in
// quarantine.
func TestReadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/b/file", "pkg5-quarantine/fix/file"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, found := range map[string]bool{"a": true, "a/b": true, "a/b/file": true, "pkg5-quarantine": false, "pkg5-quarantine/fix/file": false} {
		name := filepath.Join(dir, name)
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, info.Mode()&0o770); err != nil {
			t.Fatal(err)
		}
		want := ""
		if found {
			want = name
		}
		if got, err := (readable{}).below(dir); got != want || err != nil {
			t.Errorf("found %q, want %q, %v", got, want, err)
		}
		if err := os.Chmod(name, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := (readable{}).below(dir); got != "" || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	if got, err := unreadable(filepath.Join(dir, "a", "b")); err != nil || got == dir {
		t.Errorf("found %q, %v", got, err)
	}
}
