package image

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// neighbourhood makes an image beside a directory that is not to be touched. It returns
// a function that fails the test if it was, or if anything new is beside it.
func neighbourhood(t *testing.T, s *shelf) (i *Image, outside string, check func()) {
	t.Helper()
	around := tempDir(t)
	outside = filepath.Join(around, "outside")
	if err := os.MkdirAll(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "file"), []byte("precious\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	i = s.create(t, filepath.Join(around, "image"))
	list := func() map[string]object {
		all := objects(t, around)
		for name := range all {
			if strings.HasPrefix(name, "image") {
				delete(all, name)
			}
		}
		return all
	}
	before := list()
	return i, outside, func() {
		t.Helper()
		if diff := cmp.Diff(before, list()); diff != "" {
			t.Errorf("outside of the image (-before +after):\n%s", diff)
		}
	}
}

func install(t *testing.T, i *Image, names ...string) error {
	t.Helper()
	_, err := carryOut(t.Context(), i, solver.Request{Patterns: patterns(t, names...)})
	return err
}

// TestPathTraversal delivers to places outside of the image in all spellings.
func TestPathTraversal(t *testing.T) {
	spellings := []string{
		"../outside/x", "a/../../outside/x", "/../outside/x", "./../outside/x", "a/b/../../../outside/x", "..", "a/..",
		"....//../outside/x", "a/./../../outside/x",
	}
	kinds := []string{
		"file f path=%s mode=0644 owner=root group=root",
		"dir path=%s mode=0755 owner=root group=root",
		"link path=%s target=x",
		"hardlink path=%s target=x",
		"hardlink path=a/l target=%s",
		"legacy pkg=%s",
	}
	s := newShelf()
	n := 0
	for _, kind := range kinds {
		for _, spelling := range spellings {
			n++
			text := fmt.Sprintf("set name=pkg.fmri value=pkg://p/bad%d@1-0\n"+kind+"\n", n, spelling)
			s.publish(t, text, map[string]string{"f": "evil\n"})
		}
	}
	i, _, check := neighbourhood(t, s)
	for k := 1; k <= n; k++ {
		name := fmt.Sprintf("bad%d", k)
		err := install(t, i, name)
		if !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrNotExist) { // some targets are within
			t.Errorf("%s: %v", name, err)
		}
	}
	check()
}

// TestStrangeLicense gives a license a name that would lead out of its directory.
func TestStrangeLicense(t *testing.T) {
	s := newShelf()
	for n, name := range []string{"../../../outside/x", "..", "a/b", `a\b`} {
		s.publish(t, fmt.Sprintf("set name=pkg.fmri value=pkg://p/lic%d@1-0\nlicense f license=%s\n", n, name), map[string]string{"f": "text\n"})
	}
	i, _, check := neighbourhood(t, s)
	for n := range 4 {
		if err := install(t, i, fmt.Sprintf("lic%d", n)); err != nil {
			t.Error(err)
		}
	}
	check()
	for name := range contents(t, i.Root(), "") {
		if strings.Contains(name, "license.") && strings.Count(name, "/") != 5 {
			t.Errorf("license is at %s", name)
		}
	}
}

const through = `set name=pkg.fmri value=pkg://p/through@1-0
file f path=d/file mode=0644 owner=root group=root
file f path=d/new/file mode=0600 owner=root group=root
`

// TestSymlinkedParent replaces a parent directory by a link, out of the image and to
// another place in it. Nothing is changed at all: it is noticed before the first step.
func TestSymlinkedParent(t *testing.T) {
	for _, target := range []string{"../../outside", "../outside", "elsewhere", "/"} {
		s := newShelf()
		s.publish(t, through, map[string]string{"f": "evil\n"})
		i, _, check := neighbourhood(t, s)
		if err := errors.Join(
			os.Mkdir(filepath.Join(i.Root(), "elsewhere"), 0o755),
			os.Symlink(target, filepath.Join(i.Root(), "d")),
		); err != nil {
			t.Fatal(err)
		}
		before := objects(t, i.Root())
		err := install(t, i, "through")
		var link *LinkError
		if !errors.As(err, &link) || link.Link != "d" {
			t.Errorf("link to %s: %v", target, err)
		}
		check()
		if diff := cmp.Diff(before, objects(t, i.Root())); diff != "" {
			t.Errorf("link to %s: image has changed:\n%s", target, diff)
		}
	}
}

// TestSymlinkedParentOnRemoval does the same when a package is uninstalled.
func TestSymlinkedParentOnRemoval(t *testing.T) {
	s := newShelf()
	s.publish(t, through, map[string]string{"f": "good\n"})
	i, outside, check := neighbourhood(t, s)
	if err := install(t, i, "through"); err != nil {
		t.Fatal(err)
	}
	d := filepath.Join(i.Root(), "d")
	if err := errors.Join(os.Rename(d, d+".real"), os.Symlink(outside, d)); err != nil {
		t.Fatal(err)
	}
	_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "through")})
	var link *LinkError
	if !errors.As(err, &link) {
		t.Errorf("uninstall: %v", err)
	}
	check()
}

// TestSymlinkRace turns a directory into a link and back while files are installed in it.
func TestSymlinkRace(t *testing.T) {
	s := newShelf()
	var text strings.Builder
	text.WriteString("set name=pkg.fmri value=pkg://p/many@1-0\n")
	for n := range 300 {
		fmt.Fprintf(&text, "file f%d path=d/e/%03d mode=0644 owner=root group=root\n", n%7, n)
	}
	files := map[string]string{}
	for n := range 7 {
		files[fmt.Sprintf("f%d", n)] = fmt.Sprintf("evil %d\n", n)
	}
	s.publish(t, text.String(), files)
	i, outside, check := neighbourhood(t, s)
	if err := os.MkdirAll(filepath.Join(i.Root(), "d/e"), 0o755); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		d := filepath.Join(i.Root(), "d")
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(d, d+".real")
			_ = os.Symlink(outside, d)
			_ = os.Remove(d)
			_ = os.Rename(d+".real", d)
		}
	}()
	for range 20 {
		_ = install(t, i, "many") // may fail, and often does
	}
	close(stop)
	wg.Wait()
	check()
}

// TestHardlinkThroughSymlink links to a file outside by way of a link in the image.
func TestHardlinkThroughSymlink(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/hard@1-0\nhardlink path=stolen target=d/file\n", nil)
	i, outside, check := neighbourhood(t, s)
	if err := os.Symlink(outside, filepath.Join(i.Root(), "d")); err != nil {
		t.Fatal(err)
	}
	if err := install(t, i, "hard"); err == nil {
		t.Error("hardlink was made")
	}
	check()
	if _, err := os.Lstat(filepath.Join(i.Root(), "stolen")); err == nil {
		t.Error("hardlink is there")
	}
}

// lie publishes a package whose payload is not what the manifest says.
func lie(t *testing.T, s *shelf, name, content string, change func(*manifest.Payload), stored []byte) {
	t.Helper()
	p := s.store(t, content)
	if stored != nil {
		s.stored[p.Name().Hex()] = stored
	}
	change(&p)
	m := new(manifest.Manifest)
	file := manifest.File{Path: "lie/" + name, Owner: "root", Group: "root", Mode: 0o644, Payload: p}
	good := manifest.MustParseAction("dir path=lie mode=0755 owner=root group=root")
	fmri := manifest.MustParseAction("set name=pkg.fmri value=pkg://p/" + name + "@1,5.11-0:20260101T000000Z")
	if err := m.Add(fmri, good, file.Action()); err != nil {
		t.Fatal(err)
	}
	f, _ := m.FMRI()
	s.manifests[f] = m
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLyingPayloads installs packages whose payloads have other sizes and hashes than
// they say. Nothing is installed, and what was fetched is gone.
func TestLyingPayloads(t *testing.T) {
	s := newShelf()
	same := func(*manifest.Payload) {}
	bomb := zipped(t, make([]byte, 64<<20))
	lie(t, s, "small", "hello\n", func(p *manifest.Payload) { p.Size = 3 }, nil)
	lie(t, s, "large", "hello, world\n", func(p *manifest.Payload) { p.Size = 1 << 40 }, nil)
	lie(t, s, "other", "hello, all\n", same, zipped(t, []byte("hello, alL\n")))
	lie(t, s, "short", "hello, all of you\n", same, zipped(t, []byte("hello"))[:12])
	lie(t, s, "bomb", "tick\n", same, bomb)
	lie(t, s, "more", "hello, more\n", func(p *manifest.Payload) { p.StoredSize = -1 }, append(zipped(t, []byte("hello, more\n")), bomb...))
	lie(t, s, "strong", "hello, strong\n", func(p *manifest.Payload) {
		p.Content = p.Content.With(manifest.SHA512_256.Sum([]byte("something else")))
	}, nil)
	i, _, check := neighbourhood(t, s)
	before := objects(t, i.Root())
	for f := range s.manifests {
		err := install(t, i, f.Name())
		var bad *manifest.PayloadError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", f.Name(), err)
		}
		if i.Installed().Len() != 0 {
			t.Fatalf("%s is installed", f.Name())
		}
	}
	if diff := cmp.Diff(before, objects(t, i.Root())); diff != "" {
		t.Errorf("image has changed:\n%s", diff)
	}
	for name, c := range contents(t, filepath.Join(i.Root(), "var/pkg/cache"), "") {
		if len(c.Content) > 1<<16 {
			t.Errorf("%s has %d bytes", name, len(c.Content))
		}
	}
	check()
}

// TestOtherForm installs a payload whose content is right, and which is stored in another
// form than the manifest says, as it may be after copying from several repositories.
func TestOtherForm(t *testing.T) {
	s := newShelf()
	lie(t, s, "form", "hello, you\n", func(p *manifest.Payload) { p.StoredSize++ }, nil)
	lie(t, s, "hash", "hello, us\n", func(p *manifest.Payload) {
		p.Stored = manifest.DigestsOf(manifest.SHA1.Sum([]byte("another form")))
	}, nil)
	i, _, check := neighbourhood(t, s)
	for f := range s.manifests {
		if err := install(t, i, f.Name()); err != nil {
			t.Error(err)
		}
	}
	if got := i.Installed().Len(); got != 2 {
		t.Errorf("%d packages are installed", got)
	}
	check()
}

// TestOtherManifest serves a manifest that is not the one in the catalog.
func TestOtherManifest(t *testing.T) {
	s := newShelf()
	f := s.publish(t, through, map[string]string{"f": "good\n"})
	i, _, check := neighbourhood(t, s)
	other := newShelf()
	other.publish(t, strings.Replace(through, "0644", "0666", 1), map[string]string{"f": "good\n"})
	for _, m := range other.manifests {
		s.manifests[f] = m
	}
	err := install(t, i, "through")
	var bad *DigestError
	if !errors.As(err, &bad) || bad.Package != f {
		t.Errorf("%v", err)
	}
	check()
}

// TestSymlinkedMetadata puts links where the image keeps its own.
func TestSymlinkedMetadata(t *testing.T) {
	for _, name := range []string{"var/pkg/lock", "var/pkg/lost+found", "var/pkg/cache/tmp", "var/pkg/publisher", "var/pkg/license"} {
		s := newShelf()
		s.publish(t, through+"license f license=x\n", map[string]string{"f": "evil\n"})
		i, outside, check := neighbourhood(t, s)
		at := filepath.Join(i.Root(), filepath.FromSlash(name))
		target := outside
		if name == "var/pkg/lock" {
			target = filepath.Join(outside, "file")
		}
		if err := errors.Join(os.RemoveAll(at), os.Symlink(target, at)); err != nil {
			t.Fatal(err)
		}
		_ = i.Refresh(t.Context())
		_ = install(t, i, "through") // may do without the directory, as if it were full
		check()
	}
}

// TestHostileJournal puts a journal into an image that leads out of it.
func TestHostileJournal(t *testing.T) {
	s := newShelf()
	s.publish(t, through, map[string]string{"f": "evil\n"})
	i, _, check := neighbourhood(t, s)
	text := `{"version":1,"stamp":"20260101T000000Z","plan":{"version":1,"packages":[],"steps":[` +
		`{"phase":"remove","old":"dir path=../outside mode=0755 owner=root group=root"}]}}`
	if err := i.tree.writeFile(i.meta(journalFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var bad *FormatError
	if _, err := i.Plan(t.Context(), solver.Request{}); !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
	check()
}

// TestForeignPlan executes plans that were not made for the image.
func TestForeignPlan(t *testing.T) {
	s := newShelf()
	s.publish(t, through, map[string]string{"f": "good\n"})
	i := s.create(t, tempDir(t))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "through")})
	if err != nil {
		t.Fatal(err)
	}
	other := s.create(t, tempDir(t))
	if err := other.Execute(t.Context(), p.Plan); !errors.Is(err, ErrStale) && err != nil {
		t.Errorf("plan of another image: %v", err)
	}
	if err := i.Execute(t.Context(), p.Plan); err != nil {
		t.Fatal(err)
	}
	if err := i.Execute(t.Context(), p.Plan); !errors.Is(err, ErrStale) {
		t.Errorf("the same plan again: %v", err)
	}
	if err := i.Execute(t.Context(), new(plan.Plan)); err != nil {
		t.Errorf("empty plan: %v", err)
	}
}

// TestLongNames delivers to paths that no file system takes. The image stays as it was.
func TestLongNames(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/long@1-0\nfile f path="+strings.Repeat("x", 300)+" mode=0644 owner=root group=root\n",
		map[string]string{"f": "f\n"})
	s.publish(t, "set name=pkg.fmri value=pkg://p/deep@1-0\nfile f path="+strings.Repeat("d/", 3000)+"x mode=0644 owner=root group=root\n",
		map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	before := objects(t, i.Root())
	for _, name := range []string{"long", "deep"} {
		if err := install(t, i, name); err == nil {
			t.Errorf("%s name was taken", name)
		}
	}
	if diff := cmp.Diff(before, objects(t, i.Root())); diff != "" {
		t.Errorf("image has changed:\n%s", diff)
	}
}
