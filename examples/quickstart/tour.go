package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
)

// A tour is one run of the program.
type tour struct {
	dir     string
	keep    bool   // dir stays
	only    string // import path of the one package to tour with, "" for all
	out     *screen
	openers repo.Openers // of the places of packages
	release *goRelease
	repo    *repo.Repository
	image   *image.Image
	close   []func() error
}

// A stage is one part of the tour.
type stage struct {
	title string
	run   func(ctx context.Context) error
}

// take goes through all stages and reports the time of each.
func (t *tour) take(ctx context.Context) (err error) {
	defer t.cleanup(&err)
	for i, s := range []stage{
		{"read the standard library", t.read},
		{"open the repository", t.openRepository},
		{"publish build 1", func(ctx context.Context) error { return t.publish(ctx, t.build(1)) }},
		{"publish build 2", func(ctx context.Context) error { return t.publish(ctx, t.build(2)) }},
		{"compare the catalogs", t.compare},
		{"write and read an archive", t.archive},
		{"install " + t.subject() + " from build 1", t.install},
		{"update to build 2", t.update},
		{"verify", t.verify},
		{"uninstall", t.uninstall},
		{"ask for the impossible", t.impossible},
	} {
		t.out.line("\n%2d %s", i+1, s.title)
		start := time.Now()
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		t.out.line("   %.2fs", time.Since(start).Seconds())
	}
	return nil
}

// farewell says what was shown, what to try on what was made, and where to read on.
func (t *tour) farewell() {
	t.out.line("\nThat were names and manifests (1), a repository (2 to 4), catalogs (5), an archive (6),")
	t.out.line("and an image with its solver and plans (7 to 11): real files in the formats of pkg(7).")
	if t.keep {
		t.out.line("\nIt is all in %s. Try on it:", t.dir)
		for _, c := range t.suggestions() {
			t.out.line("  %s", c)
		}
	} else {
		t.out.line("\nNothing of it is left; with -keep it stays, and there is more to try on it.")
	}
	t.out.line("\nREADME.md has an example of each package; go doc ./repo and the like have the rest.")
}

// suggestions are commands that can be given next, from the top directory of the module.
func (t *tour) suggestions() []string {
	return []string{
		fmt.Sprintf("go run ./examples/pkgrepo list -s %s '%s%s'", shellWord(t.path("repo")), prefix, t.subject()),
		fmt.Sprintf("go run ./examples/pkgrepo verify -s %s", shellWord(t.path("repo"))),
		fmt.Sprintf("go run ./examples/mirror %s %s '%s%s'", shellWord(t.path("closure.p5p")), shellWord(t.path("mirror")), prefix, t.subject()),
	}
}

// shellWord quotes a path, if it needs that, for a POSIX shell.
func shellWord(path string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("/._-+", c)
	}
	if strings.IndexFunc(path, func(c rune) bool { return !plain(c) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// cleanup closes what the stages left open.
func (t *tour) cleanup(err *error) {
	for _, c := range t.close {
		if cerr := c(); *err == nil {
			*err = cerr
		}
	}
}

func (t *tour) path(name string) string { return filepath.Join(t.dir, name) }

// subject is the import path of the package to install.
func (t *tour) subject() string { return cmp.Or(t.only, "net/http") }

func (t *tour) build(number int) build { return build{t.release, number} }

// read lists the packages and files of the installed Go toolchain.
func (t *tour) read(ctx context.Context) (err error) {
	if t.release, err = readRelease(ctx, t.only); err != nil {
		return err
	}
	files := 0
	for _, p := range t.release.Packages {
		files += len(p.Files)
	}
	t.out.line("   Go %s, %d packages, %d files (%d CPUs)", t.release.Version, len(t.release.Packages), files, runtime.NumCPU())
	return nil
}

// wanted selects the package to install.
func (t *tour) wanted() fmri.Pattern { return pattern("/%s%s", prefix, t.subject()) }

// pattern parses a pattern that the program itself has made.
func pattern(format string, args ...any) fmri.Pattern {
	return fmri.MustParsePattern(fmt.Sprintf(format, args...))
}
