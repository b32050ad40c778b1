package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// take runs the program and returns what it printed.
func take(t *testing.T, args ...string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	status := run(t.Context(), args, out)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, text)
	}
	return string(text)
}

// TestTour takes the tour with a few packages, and again in the same directory.
func TestTour(t *testing.T) {
	dir := t.TempDir()
	for i, published := range []string{"packages\n", "was published by an earlier run"} {
		text := take(t, "-dir", dir, "-package", "unicode/utf8")
		for _, want := range []string{
			published,
			"updated pkg://quickstart.example/go/std/unicode/utf8@",
			"all verified",
			"now somebody edits usr/lib/go/src/unicode/utf8/",
			"now 0 packages are installed",
			"go/std-incorporation",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("run %d: no %q in\n%s", i+1, want, text)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("run %d shows progress although it does not write to a terminal", i+1)
		}
	}
}

// TestForeignDirectory refuses to work among somebody's files.
func TestForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	note := filepath.Join(dir, "note")
	if err := os.WriteFile(note, []byte("do not lose me"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if status := run(t.Context(), []string{"-dir", dir}, out); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("%d files in the directory, want 1", len(names))
	}
}
