package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/goips/ips/fmri"
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
			return usageError("unknown check " + check)
		}
		opts.Dependencies = repo.NoDependencies
	}
	rules, err := readIgnores(*ignore)
	if err != nil {
		return err
	}
	opts.Ignore = rules.ignore
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	chosen, err := c.chosen(ctx, r)
	if err != nil {
		return err
	}
	return c.report(ctx, r, opts, chosen)
}

// report prints the findings.
func (c *call) report(ctx context.Context, r *repo.Repository, opts *repo.VerifyOptions, publishers []string) error {
	found := false
	for f, err := range r.Check(ctx, opts, publishers...) {
		if err != nil {
			return err
		}
		found = true
		c.printFinding(f)
	}
	if found {
		return failed
	}
	return nil
}

// printFinding prints what is wrong, with the labels of pkgrepo(1).
func (c *call) printFinding(f repo.Finding) {
	label := func(name string, value any) { fmt.Fprintf(c.out, "%16s %v\n", name+":", value) }
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
			label("Dependency", target)
		}
		label("Dependency type", f.Dependency.Type)
		return
	}
	if f.Name != "" {
		label("Repository path", f.Name)
	}
	if f.Err != nil {
		label("Reason", f.Err)
	}
}

// headline names the fault as pkgrepo(1) does.
func headline(f repo.Finding) string {
	switch f.Fault {
	case repo.BadHash:
		return "Invalid file hash"
	case repo.BadManifest:
		return "Corrupt manifest"
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

// An ignoreRule names packages and the dependencies of theirs that need not hold.
type ignoreRule struct{ packages, depends []fmri.Pattern }

type ignoreRules []ignoreRule

func (rules ignoreRules) ignore(pkg, dependency fmri.FMRI) bool {
	for _, r := range rules {
		if anyMatches(r.packages, pkg) && anyMatches(r.depends, dependency) {
			return true
		}
	}
	return false
}

func anyMatches(patterns []fmri.Pattern, f fmri.FMRI) bool {
	for _, p := range patterns {
		if p.MatchesName(f.Name()) && (!p.HasVersion() || p.Matches(f)) {
			return true
		}
	}
	return false
}

// readIgnores reads files of lines "pkg=PATTERN depend=PATTERN ...".
func readIgnores(names []string) (rules ignoreRules, err error) {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		for line, s := 1, bufio.NewScanner(f); s.Scan(); line++ {
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
	}
	return rules, nil
}

func parseIgnore(line string) (r ignoreRule, err error) {
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
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

// fix repairs what can be repaired by putting aside what is broken.
func (c *call) fix(ctx context.Context) error {
	c.withPublishers()
	verbose := c.flags.BoolP("verbose", "v", false, "say what was put where")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	chosen, err := c.chosen(ctx, r)
	if err != nil {
		return err
	}
	repairs, err := r.Fix(ctx, nil, chosen...)
	for _, done := range repairs {
		c.printFinding(done.Finding)
		switch {
		case done.Restored:
			fmt.Fprintf(c.out, "%16s restored\n", "Repair:")
		case done.Quarantine == "":
			fmt.Fprintf(c.out, "%16s it is missing and must be published again\n", "Repair:")
		case *verbose:
			fmt.Fprintf(c.out, "%16s moved to %s\n", "Repair:", done.Quarantine)
		}
	}
	return err
}
