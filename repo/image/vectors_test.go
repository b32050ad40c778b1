package image

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// readVectors calls f with each vector of a file of recorded behaviour, and of the file
// of the same name in the directory that IPS_VECTORS names.
func readVectors[T any](t *testing.T, file string, f func(t *testing.T, id string, v T)) {
	t.Helper()
	for _, dir := range []string{"testdata/vectors", os.Getenv("IPS_VECTORS")} {
		src, err := os.Open(filepath.Join(dir, file))
		if dir == "" || errors.Is(err, fs.ErrNotExist) && dir != "testdata/vectors" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		lines := bufio.NewScanner(src)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var id struct{ ID string }
			var v T
			if err := errors.Join(json.Unmarshal(lines.Bytes(), &id), json.Unmarshal(lines.Bytes(), &v)); err != nil {
				t.Fatal(err)
			}
			t.Run(id.ID, func(t *testing.T) { f(t, id.ID, v) })
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// An edit is what somebody does to an image with other tools.
type edit struct {
	Write, Append, Remove, Chmod, Rename, Symlink string
	To, Target, Content, Mode                     string
}

// do makes the edit below a directory; it reports whether there is one.
func (e edit) do(t *testing.T, root string) bool {
	t.Helper()
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	var err error
	switch {
	case e.Write != "":
		if err = os.MkdirAll(filepath.Dir(at(e.Write)), 0o755); err == nil {
			err = errors.Join(os.WriteFile(at(e.Write), []byte(e.Content), 0o600), os.Chmod(at(e.Write), octal(t, e.Mode)))
		}
	case e.Append != "":
		old, readErr := os.ReadFile(at(e.Append))
		err = os.WriteFile(at(e.Append), append(old, e.Content...), 0o644)
		if errors.Is(readErr, fs.ErrNotExist) {
			err = errors.Join(err, os.Chmod(at(e.Append), 0o644))
		}
	case e.Remove != "":
		err = os.Remove(at(e.Remove))
	case e.Chmod != "":
		err = os.Chmod(at(e.Chmod), octal(t, e.Mode))
	case e.Rename != "":
		err = os.Rename(at(e.Rename), at(e.To))
	case e.Symlink != "":
		err = os.Symlink(e.Target, at(e.Symlink))
	default:
		return false
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return true
}

func octal(t *testing.T, text string) fs.FileMode {
	t.Helper()
	var n uint32
	if _, err := fmt.Sscanf(text, "%o", &n); err != nil {
		t.Fatalf("mode %q: %v", text, err)
	}
	return fs.FileMode(n)
}

// A preserveVector is a story of one file that may be edited.
type preserveVector struct {
	In struct {
		Packages []struct{ Manifest, Content string }
		Steps    []struct {
			edit
			Install, Update, Uninstall string
		}
	}
	Want struct {
		Files     map[string]content
		LostFound map[string]content `json:"lost_found"`
	}
}

type content struct{ Content, Mode string }

func TestPreserve(t *testing.T) {
	readVectors(t, "preserve.jsonl", func(t *testing.T, id string, v preserveVector) {
		s := newShelf()
		for _, p := range v.In.Packages {
			s.publish(t, p.Manifest, map[string]string{"f": p.Content})
		}
		i := s.create(t, tempDir(t))
		for _, step := range v.In.Steps {
			if step.do(t, i.Root()) {
				continue
			}
			req := solver.Request{Op: solver.Install, Patterns: patterns(t, step.Install+step.Update+step.Uninstall)}
			if step.Uninstall != "" {
				req.Op = solver.Uninstall
			}
			if _, err := carryOut(t.Context(), i, req); err != nil {
				t.Fatal(err)
			}
		}
		files := contents(t, filepath.Join(i.Root(), "etc"), "etc", "etc/passwd", "etc/group")
		if diff := cmp.Diff(v.Want.Files, files); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		lost := map[string]content{}
		for name, c := range contents(t, filepath.Join(i.Root(), "var/pkg/lost+found"), "") {
			lost[stamped.ReplaceAllString(strings.TrimPrefix(name, "/"), "$1")] = content{Content: c.Content}
		}
		if diff := cmp.Diff(v.Want.LostFound, lost); diff != "" {
			t.Errorf("lost+found (-want +got):\n%s", diff)
		}
	})
}

// stamped matches the time in the name of something salvaged.
var stamped = regexp.MustCompile(`-\d{8}T\d{6}Z()`)

// contents returns all regular files below a directory.
func contents(t *testing.T, dir, name string, but ...string) map[string]content {
	t.Helper()
	files := map[string]content{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = name + "/" + filepath.ToSlash(rel)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if !slices.Contains(but, rel) {
			files[rel] = content{string(text), formatMode(fi.Mode())}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func patterns(t *testing.T, texts ...string) []fmri.Pattern {
	t.Helper()
	var list []fmri.Pattern
	for _, text := range texts {
		p, err := fmri.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// carryOut plans and executes a request.
func carryOut(ctx context.Context, i *Image, req solver.Request) (*plan.Plan, error) {
	p, err := i.Plan(ctx, req)
	if err != nil {
		return nil, err
	}
	return p.Plan, i.Execute(ctx, p.Plan)
}

// An executeVector is a story of commands of the client.
type executeVector struct {
	In struct {
		Packages []struct {
			Manifest string
			Files    map[string]string
		}
		Steps []struct {
			edit
			Command []string
		}
	}
	Want struct {
		Exits     []int
		Files     map[string]object
		Installed []string
		LostFound []string `json:"lost_found"`
	}
}

// An object is something in the tree of an image.
type object struct {
	Type, Mode, Content, Target string
	Links                       int
}

// unsupported are the vectors about what this package does not do: to repair and to
// revert, and to read the arguments of a program.
var unsupported = map[string]string{
	"exec-E20": "fix", "exec-E22": "fix", "exec-E23": "revert",
	"exec-E25": "arguments of a program", "exec-E27": "output of a program",
}

func TestExecute(t *testing.T) {
	readVectors(t, "execute.jsonl", func(t *testing.T, id string, v executeVector) {
		if why := unsupported[id]; why != "" {
			t.Skip("not supported: " + why)
		}
		s := newShelf()
		for _, p := range v.In.Packages {
			s.publish(t, p.Manifest, p.Files)
		}
		i := s.create(t, tempDir(t))
		exits := []int{}
		for _, step := range v.In.Steps {
			if step.do(t, i.Root()) {
				continue
			}
			code, err := (&client{image: i, shelf: s}).run(t, step.Command)
			t.Logf("%v: exit %d: %v", step.Command, code, err)
			exits = append(exits, code)
		}
		if diff := cmp.Diff(v.Want.Exits, exits); diff != "" {
			t.Fatalf("exits (-want +got):\n%s", diff)
		}
		if v.Want.Files == nil {
			return
		}
		if diff := cmp.Diff(v.Want.Files, objects(t, i.Root())); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(v.Want.Installed, names(i)); diff != "" {
			t.Errorf("installed (-want +got):\n%s", diff)
		}
		lost := []string{}
		for name := range contents(t, filepath.Join(i.Root(), "var/pkg/lost+found"), "") {
			lost = append(lost, stamped.ReplaceAllString(strings.TrimPrefix(name, "/"), "-TIME$1"))
		}
		if diff := cmp.Diff(v.Want.LostFound, lost); diff != "" {
			t.Errorf("lost+found (-want +got):\n%s", diff)
		}
	})
}

// A client does what the commands in the vectors say, with the exit codes of pkg(1).
type client struct {
	image *Image
	shelf *shelf
}

// Exit codes of pkg(1).
const (
	exitError       = 1
	exitNothing     = 4
	exitLicense     = 6
	exitConstrained = 9
)

func (c *client) run(t *testing.T, command []string) (int, error) {
	t.Helper()
	var req solver.Request
	dry := false
	var args []string
	for _, arg := range command[1:] {
		switch arg {
		case "-n":
			dry = true
		case "--accept":
			c.image.opts.Accept = accept
		case "--ignore-missing":
			req.IgnoreMissing = true
		default:
			args = append(args, arg)
		}
	}
	switch command[0] {
	case "install":
		req.Op = solver.Install
	case "update":
		req.Op = solver.Update
	case "uninstall":
		req.Op = solver.Uninstall
	case "change-facet":
		p, err := c.image.PlanVarcets(t.Context(), changed(c.image.Config(), args))
		code, err := c.finish(t, p, dry, err)
		if code == exitConstrained {
			code = exitError // this command has no code of its own for that
		}
		return code, err
	case "verify":
		return c.verify(t)
	case "avoid":
		return 0, nil
	default:
		t.Fatalf("command %v", command)
	}
	req.Patterns = patterns(t, args...)
	p, err := c.image.Plan(t.Context(), req)
	return c.finish(t, p, dry, err)
}

func accept(fmri.FMRI, manifest.Action) bool { return true }

func (c *client) verify(t *testing.T) (int, error) {
	for f, err := range c.image.Verify(t.Context(), nil) {
		if err != nil {
			return exitError, err
		}
		if !f.Info() {
			return exitError, errors.New(f.String())
		}
	}
	return 0, nil
}

// finish executes a plan and returns the exit code of the command.
func (c *client) finish(t *testing.T, p *Proposal, dry bool, err error) (int, error) {
	if err == nil && p.Plan.IsEmpty() {
		return exitNothing, nil
	}
	if err == nil && !dry {
		err = c.image.Execute(t.Context(), p.Plan)
	}
	var license *LicenseError
	var conflict *solver.ConflictError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &license):
		return exitLicense, err
	case errors.As(err, &conflict):
		return exitConstrained, err
	}
	return exitError, err
}

// changed returns the variants and facets after arguments like doc=False.
func changed(c Config, args []string) manifest.Varcets {
	v := c.Varcets
	if v.Facets == nil {
		v.Facets = map[string]bool{}
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if name = "facet." + name; value == "None" {
			delete(v.Facets, name)
		} else {
			v.Facets[name] = value == "True"
		}
	}
	return v
}

// objects returns all that is in an image outside of etc and var.
func objects(t *testing.T, root string) map[string]object {
	t.Helper()
	all := map[string]object{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if rel == "etc" || rel == "var" {
			return fs.SkipDir
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		o := object{Type: "file", Mode: formatMode(fi.Mode())}
		switch {
		case d.IsDir():
			o.Type = "dir"
		case d.Type() == fs.ModeSymlink:
			o = object{Type: "link"}
			o.Target, err = os.Readlink(path)
		default:
			var text []byte
			text, err = os.ReadFile(path)
			o.Content, o.Links = string(text), links(fi)
		}
		all[filepath.ToSlash(rel)] = o
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
