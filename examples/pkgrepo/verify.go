package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// verify reports everything that is wrong with a repository.
func (c *call) verify(ctx context.Context) error {
	c.withPublishers()
	strict := c.flags.BoolP("dependencies", "d", false, "look at all dependencies")
	ignore := c.flags.StringArrayP("ignore", "i", nil, "file of dependencies to ignore")
	disable := c.flags.StringArray("disable", nil, "leave out a check: dependency")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	opts := &repo.VerifyOptions{Dependencies: repo.UsualDependencies}
	if *strict {
		opts.Dependencies = repo.AllDependencies
	}
	for _, check := range *disable {
		if check != "dependency" {
			return cli.Usagef("--disable %s: the only check that can be left out is dependency", check)
		}
		opts.Dependencies = repo.NoDependencies
	}
	if len(*disable) > 0 && len(*ignore) > 0 {
		return cli.UsageError("--disable dependency leaves nothing that -i could ignore")
	}
	rules, err := readIgnores(*ignore)
	if err != nil {
		return err
	}
	if !*strict { // which means all of them
		opts.Ignore = rules.ignore
	}
	r, chosen, err := c.checked(ctx)
	if err != nil {
		return err
	}
	if err := c.warn(); err != nil {
		return err
	}
	return c.report(r.Check(ctx, opts, chosen...))
}

// checked returns the repository and publishers that verify and fix are about.
func (c *call) checked(ctx context.Context) (*repo.Repository, []string, error) {
	r, err := c.repository(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.Version() < 4 {
		return nil, nil, fmt.Errorf("it is a repository of version %d; only those of version 4 are verified and fixed", r.Version())
	}
	chosen, err := c.chosen(ctx, r)
	return r, chosen, err
}

// warn says once if the depot's user could not read everything.
func (c *call) warn() error {
	name, err := unreadable(c.absolute(""))
	if name == "" || err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%16s: Some of the repository, or what leads to it, is not world-readable, so that a depot could not serve it.\n%16s: %s\n",
		"WARNING", "Repository path", name)
	return err
}

// report prints the findings.
func (c *call) report(findings iter.Seq2[repo.Finding, error]) error {
	found := false
	for f, err := range findings {
		if err != nil {
			return err
		}
		found = true
		c.printFinding(f)
	}
	if found {
		return cli.Failed
	}
	return nil
}

// printFinding prints what is wrong, with the labels of pkgrepo(1).
func (c *call) printFinding(f repo.Finding) {
	label := func(name string, value any) { fmt.Fprintf(c.out, "%16s: %v\n", name, value) }
	what := headline(f)
	if f.Digest.IsValid() {
		what += ": " + f.Digest.Hex()
	}
	label("ERROR", what)
	if f.FMRI.IsValid() {
		label("Package", f.FMRI)
	}
	if f.Fault == repo.BadDependency {
		for _, target := range f.Dependency.FMRIs {
			label("Dependency", target.Format(fmri.OmitBuild))
		}
		label("Dependency type", f.Dependency.Type)
		return
	}
	if f.Path != "" {
		label("Path", f.Path)
	}
	if f.Name != "" {
		label("Repository path", c.absolute(f.Name))
	}
	if hash := new(manifest.HashError); errors.As(f.Err, &hash) && f.Fault == repo.BadHash {
		label("Computed hash", hash.Got.Hex())
		label("Content hash", hash.Want.Hex())
	}
	if f.Err != nil {
		label("Reason", f.Err)
	}
}

// absolute returns the path of an object of the repository.
func (c *call) absolute(name string) string {
	location, err := c.location()
	if err == nil {
		location, err = localPath(location)
	}
	if err == nil {
		location, err = filepath.Abs(location)
	}
	if err != nil {
		return name
	}
	return filepath.Join(location, name)
}

// headline names the fault as pkgrepo(1) does.
func headline(f repo.Finding) string {
	switch f.Fault {
	case repo.BadHash:
		return "Invalid file hash"
	case repo.BadManifest:
		return "Corrupt manifest."
	case repo.BadGzip:
		return "Corrupted gzip file"
	case repo.Missing:
		return "Missing file"
	case repo.Denied:
		return "Permission denied"
	case repo.BadSignature:
		return "Bad signature"
	case repo.BadDependency:
		return "Missing dependency."
	}
	text := f.Fault.String()
	return strings.ToUpper(text[:1]) + text[1:]
}

// An ignoreRule names packages, of versions from min to max if these are set, and the
// dependencies of theirs that need not hold.
type ignoreRule struct {
	packages, depends []fmri.Pattern
	min, max          fmri.Version
}

type ignoreRules []ignoreRule

func (rules ignoreRules) ignore(pkg, dependency fmri.FMRI) bool {
	for _, r := range rules {
		if anyMatches(r.packages, pkg) && r.inRange(pkg.Version()) && anyMatches(r.depends, dependency) {
			return true
		}
	}
	return false
}

func (r ignoreRule) inRange(v fmri.Version) bool {
	return (!r.min.IsValid() || v.Compare(r.min) >= 0) && (!r.max.IsValid() || v.Compare(r.max) <= 0 || v.Succeeds(r.max, fmri.Auto))
}

func anyMatches(patterns []fmri.Pattern, f fmri.FMRI) bool {
	for _, p := range patterns {
		if p.MatchesName(f.Name()) && (!p.HasVersion() || p.Matches(f)) {
			return true
		}
	}
	return false
}

// readIgnores reads files of lines "pkg=PATTERN [min_ver=V] [max_ver=V] depend=PATTERN ...".
func readIgnores(names []string) (rules ignoreRules, err error) {
	for _, name := range names {
		f, err := cli.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		for line := 1; s.Scan(); line++ {
			text := strings.TrimSpace(s.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			r, err := parseIgnore(text)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, line, err)
			}
			rules = append(rules, r)
		}
		if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
			return nil, fmt.Errorf("%s: a line has more than %d KiB", name, bufio.MaxScanTokenSize>>10)
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return rules, nil
}

func parseIgnore(line string) (r ignoreRule, err error) {
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		if v := map[string]*fmri.Version{"min_ver": &r.min, "max_ver": &r.max}[key]; v != nil {
			if *v, err = fmri.ParseVersion(value); err != nil {
				return r, err
			}
			continue
		}
		list := map[string]*[]fmri.Pattern{"pkg": &r.packages, "depend": &r.depends}[key]
		if list == nil {
			return r, fmt.Errorf("unknown key %q", key)
		}
		p, err := fmri.ParsePattern(value)
		if err != nil {
			return r, err
		}
		*list = append(*list, p)
	}
	if len(r.packages) == 0 || len(r.depends) == 0 {
		return r, fmt.Errorf("pkg and depend are required")
	}
	return r, nil
}

// fix repairs what can be repaired by putting aside what is broken. Dependencies that
// were missing before cannot be, which is an error.
func (c *call) fix(ctx context.Context) error {
	c.withPublishers()
	c.flags.BoolP("verbose", "v", false, "accepted: what was put where is always said")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	r, chosen, err := c.checked(ctx)
	if err != nil {
		return err
	}
	var unsatisfied []repo.Finding
	malformed := false // a dependency, which fix can do no more about than put it aside
	for f, err := range r.Check(ctx, &repo.VerifyOptions{Dependencies: repo.UsualDependencies}, chosen...) {
		if err != nil {
			return err
		}
		if f.Fault == repo.BadDependency {
			unsatisfied = append(unsatisfied, f)
		}
		malformed = malformed || f.Fault == repo.BadManifest && isAboutDependency(f.Err)
	}
	fixed, err := r.Fix(ctx, nil, chosen...)
	for _, done := range fixed.Repairs {
		c.printFinding(done.Finding)
		switch {
		case done.Fault == repo.BadCatalog:
			fmt.Fprintf(c.out, "%16s: the catalog was made anew\n", "Repair")
		case done.Restored:
			fmt.Fprintf(c.out, "%16s: restored\n", "Repair")
		case done.Quarantine == "":
			fmt.Fprintf(c.out, "%16s: it is missing and must be fixed by republishing\n", "Repair")
		default:
			fmt.Fprintf(c.out, "%16s: moved to %s\n", "Repair", c.absolute(done.Quarantine))
		}
	}
	c.tellFixed(fixed)
	if err != nil {
		return err
	}
	if err := c.report(withoutErrors(unsatisfied)); err != nil || !malformed {
		return err
	}
	return cli.Failed
}

// isAboutDependency reports whether a manifest is damaged in a dependency.
func isAboutDependency(err error) bool {
	at := new(manifest.Error)
	return errors.As(err, &at) && strings.HasPrefix(at.Action, manifest.KindDepend.String()+" ")
}

// tellFixed lists what fix has put aside, and what has to be published again.
func (c *call) tellFixed(fixed repo.FixResult) {
	if len(fixed.Moved) > 0 {
		fmt.Fprintln(c.out, "These files were moved:")
	}
	for _, m := range fixed.Moved {
		fmt.Fprintf(c.out, "  %s\n    to %s\n", c.absolute(m.From), c.absolute(m.To))
	}
	if len(fixed.Republish) > 0 {
		fmt.Fprintln(c.out, "These packages are not in the repository until they are published again:")
	}
	for _, f := range fixed.Republish {
		fmt.Fprintf(c.out, "  %s\n", f)
	}
}

func withoutErrors(findings []repo.Finding) iter.Seq2[repo.Finding, error] {
	return func(yield func(repo.Finding, error) bool) {
		for _, f := range findings {
			if !yield(f, nil) {
				return
			}
		}
	}
}
