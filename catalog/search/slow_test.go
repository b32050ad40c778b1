package search_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// slowIndex makes the files of an index in the most obvious way: one list of lines as they
// would stand in the dictionary with a single place each, sorted as text.
func slowIndex(p *publisher, order []fmri.FMRI, version int) map[string]string {
	type place struct{ token, kind, key, value, id, off string }
	var places []place
	for id, f := range order {
		off := 0
		for _, line := range strings.SplitAfter(string(p.texts[f]), "\n") {
			a, err := manifest.ParseAction(strings.TrimSpace(line))
			if text := strings.TrimSpace(line); err == nil && text[0] != '#' {
				for _, t := range search.Tokens(a) {
					places = append(places, place{t.Text, a.Kind.String(), slowKey(t.Key), slowEscape(t.Value), strconv.Itoa(id), strconv.Itoa(off)})
				}
			}
			off += len(line)
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { // offsets stay in order
		x := a.token + "\x00" + a.kind + "!" + a.key + "@" + a.value + "#" + a.id + ","
		y := b.token + "\x00" + b.kind + "!" + b.key + "@" + b.value + "#" + b.id + ","
		return strings.Compare(x, y)
	})
	head := fmt.Sprintf("VERSION: %d\n", version)
	files := map[string]string{"fast_add.v1": head, "fast_remove.v1": head}
	dict, tokens := head, head
	start := 0
	lists := map[string][]int{}
	var mentioned []string
	var last place
	for i, x := range places {
		same := i > 0 && x.token == last.token
		if !same {
			if i > 0 {
				dict += "\n"
			}
			start = len(dict)
			dict += slowEscape(x.token)
			tokens += slowToken(x.token) + fmt.Sprintf(" %d\n", start)
		}
		if same = same && x.kind == last.kind; !same {
			dict += " " + x.kind
			lists["__at_"+x.kind] = append(lists["__at_"+x.kind], start)
		}
		if same = same && x.key == last.key; !same {
			dict += "!" + x.key
			lists["__st_"+x.key] = append(lists["__st_"+x.key], start)
		}
		if same = same && x.value == last.value; !same {
			dict += "@" + x.value
		}
		if same = same && x.id == last.id; !same {
			dict += "#" + x.id
		}
		dict += "," + x.off
		if !slices.Contains(mentioned, x.id) {
			mentioned = append(mentioned, x.id)
		}
		if seen := lists[x.id]; len(seen) == 0 || seen[len(seen)-1] != start {
			lists[x.id] = append(lists[x.id], start)
		}
		last = x
	}
	if len(places) > 0 {
		dict += "\n"
	}
	files["main_dict.ascii.v2"], files["token_byte_offset.v1"] = dict, tokens
	for name, list := range lists {
		if strings.HasPrefix(name, "__") {
			files[name] = strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", "\n"), "[]") + "\n"
		}
	}
	slowPackages(files, head, order, mentioned, lists)
	return files
}

// slowPackages makes the files that say which packages there are, and where.
func slowPackages(files map[string]string, head string, order []fmri.FMRI, mentioned []string, lists map[string][]int) {
	var names, full []string
	for _, f := range order {
		names = append(names, f.Format(fmri.OmitScheme|fmri.OmitPublisher)+"\n")
		full = append(full, "pkg:/"+names[len(names)-1])
	}
	slices.Sort(full)
	files["manf_list.v1"] = head + strings.Join(names, "")
	files["full_fmri_list"] = head + strings.Join(full, "")
	text := head
	written := map[string]bool{}
	for _, id := range mentioned {
		var deltas, sharers []string
		for i, off := range lists[id] {
			deltas = append(deltas, strconv.Itoa(off-append([]int{0}, lists[id]...)[i]))
		}
		for _, other := range mentioned {
			if slices.Equal(lists[other], lists[id]) {
				n, _ := strconv.Atoi(other)
				sharers = append(sharers, strings.TrimSpace(names[n]))
			}
		}
		line := strings.Join(sharers, " ") + "!" + strings.Join(deltas, " ") + "\n"
		if !written[line] {
			text += line
		}
		written[line] = true
	}
	files["fmri_offsets.v1"] = text
}

// slowEscape is percent-encoding by way of package url, which leaves out a slash and writes
// a space otherwise.
func slowEscape(s string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(s))
}

func slowToken(s string) string {
	if strings.Contains(s, " ") {
		return "1" + slowEscape(s)
	}
	return "0" + s
}

func slowKey(s string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "!", "%21", "@", "%40", "#", "%23", ",", "%2C", "/", "%2F").Replace(s)
}

// randomManifest returns lines of which several have words in common.
func randomManifest(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	for range r.IntN(12) {
		word := pick("a", "b", "A", "a/b", "x y", "Größe", "a%b", "", "1", "10", "a+b", "~", "a b a")
		switch r.IntN(9) {
		case 0:
			fmt.Fprintf(&b, "set name=%s value=%q\n", pick("a", "b", "a.b", "a-b", "x!y", "p/q", "c@d"), word)
		case 1:
			fmt.Fprintf(&b, "set name=%s value=%q value=%q\n", pick("a", "info.classification"), "s:"+word, word)
		case 2:
			fmt.Fprintf(&b, "  dir path=%q mode=0755 owner=root group=bin\t\r\n", pick("a", "b/a", "x y", "b/"))
		case 3:
			fmt.Fprintf(&b, "file %s path=%q mode=0644 owner=root group=bin\n", pick("a", "1234", "10"), pick("a", "b/a", "x y"))
		case 4:
			fmt.Fprintf(&b, "license %s license=%q pkg.content-hash=%s\n", pick("a", "1234"), word+"L", pick("a", "file:x:1"))
		case 5:
			fmt.Fprintf(&b, "depend type=%s fmri=%s\n", pick("require", "optional", "odd"), pick("a", "pkg:/a@1", "pkg://p/b@1.0-2"))
		case 6:
			fmt.Fprintf(&b, "%s", pick("\n", "# set name=a value=b\n", "garbage\n", "set name=a \\\n", "value=b\n", "   \n"))
		case 7:
			fmt.Fprintf(&b, "user username=%s group=a\n", pick("a", "b"))
		case 8:
			fmt.Fprintf(&b, "set name=pkg.fmri value=pkg://%s/%s@%s\n", pick("a", "b"), pick("a", "b/a"), pick("1", "5.11", "1.0:20260102T030405Z"))
		}
	}
	return strings.TrimSuffix(b.String(), pick("", "\n"))
}

// randomPublisher returns packages, more than ten so that ids have two digits.
func randomPublisher(r *rand.Rand) (*publisher, []fmri.FMRI) {
	p := &publisher{texts: map[fmri.FMRI][]byte{}}
	var order []fmri.FMRI
	for i := range 1 + r.IntN(30) {
		f := fmri.MustParse(fmt.Sprintf("p%d@%d:20260102T030405Z", r.IntN(100), i))
		order = append(order, f)
		p.texts[f] = []byte(randomManifest(r))
		if i > 0 && r.IntN(4) == 0 {
			p.texts[f] = p.texts[order[i-1]]
		}
	}
	return p, order
}

// TestSlowIndex compares the files of random packages with those made slowly: at once, by
// way of runs, and in two steps.
func TestSlowIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		p, order := randomPublisher(r)
		want := slowIndex(p, order, 2)
		if d := cmp.Diff(want, read(t, build(t, new(search.Builder), p, order).files)); d != "" {
			t.Fatalf("%d (-slow +got):\n%s", n, d)
		}
		runs := &search.Builder{Scratch: newMemory(), Memory: 1 + r.IntN(3000)}
		if d := cmp.Diff(want, read(t, build(t, runs, p, order).files)); d != "" {
			t.Fatalf("%d by way of runs (-slow +got):\n%s", n, d)
		}
		at := r.IntN(len(order) + 1)
		first := openIndex(t, build(t, new(search.Builder), p, order[:at]).files)
		both := build(t, &search.Builder{Base: first}, p, order[at:])
		if d := cmp.Diff(slowIndex(p, order, 3), read(t, both.files)); d != "" {
			t.Fatalf("%d in two steps (-slow +got):\n%s", n, d)
		}
	}
}

// TestRemoveFromIndex makes an index of one for fewer packages: it has what an index of those
// has, with other ids.
func TestRemoveFromIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 30 {
		p, order := randomPublisher(r)
		x := openIndex(t, build(t, new(search.Builder), p, order).files)
		var left []fmri.FMRI
		for _, f := range order {
			if r.IntN(3) > 0 {
				left = append(left, f)
			}
		}
		added := fmri.MustParse("added@1")
		p.texts[added] = []byte(randomManifest(r))
		files := build(t, &search.Builder{Base: x.For(slices.Values(left))}, p, []fmri.FMRI{added}).files
		y := openIndex(t, files)
		left = append(left, added)
		var want []string
		for _, f := range left {
			want = append(want, f.Format(fmri.OmitScheme))
		}
		var got []string
		for f := range y.All() {
			got = append(got, f.Format(fmri.OmitScheme))
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d: packages (-want +got):\n%s", n, d)
		}
		some := openIndex(t, build(t, new(search.Builder), p, left).files)
		q := mustParse(t, "*")
		if d := cmp.Diff(hits(t, some.Search(t.Context(), q, p.manifests, nil)), hits(t, y.Search(t.Context(), q, p.manifests, nil))); d != "" {
			t.Fatalf("%d (-anew +removed):\n%s", n, d)
		}
		tokens := func(fsys fs.FS) (list []string) {
			for line := range strings.Lines(read(t, fsys)["token_byte_offset.v1"]) {
				list = append(list, line[:max(0, strings.LastIndexByte(line, ' '))])
			}
			return list[1:]
		}
		if d := cmp.Diff(tokens(build(t, new(search.Builder), p, left).files), tokens(files)); d != "" {
			t.Fatalf("%d: tokens (-anew +removed):\n%s", n, d)
		}
	}
}

// TestRandomSearch compares what is found in random packages with and without an index.
func TestRandomSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	queries := strings.Fields("a b A* ?a *b* a/b [a-b] 1 10 x 'x_y' \"a_b\" set:: :a: ::a:* <a> <*>_<b> a_b a_OR_1 depend:require:* /a p1*::: *")
	for range 40 {
		p, order := randomPublisher(r)
		x := openIndex(t, build(t, new(search.Builder), p, order).files)
		for _, query := range queries {
			q := mustParse(t, strings.ReplaceAll(query, "_", " "))
			opts := &search.Options{CaseSensitive: r.IntN(2) == 0}
			want := hits(t, search.Walk(t.Context(), q, p.packages(), opts))
			if d := cmp.Diff(want, hits(t, x.Search(t.Context(), q, p.manifests, opts))); d != "" {
				t.Fatalf("%s, %+v (-walk +index):\n%s", q, *opts, d)
			}
		}
	}
}

// TestConcurrentSearch searches one index from several goroutines.
func TestConcurrentSearch(t *testing.T) {
	p := publishers(t, "repo-two.tar.gz")[0]
	x := openIndex(t, p.index)
	queries := []string{"*", "usr OR bin", "<usr>", "'Summary of'", "file:: AND *rose*"}
	want := map[string][]string{}
	for _, query := range queries {
		want[query] = hits(t, x.Search(t.Context(), mustParse(t, query), p.manifests, nil))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			query := queries[i%len(queries)]
			q, err := search.ParseQuery(query)
			if err != nil {
				t.Error(err)
				return
			}
			n := 0
			for _, err := range x.For(maps.Keys(p.texts)).Search(t.Context(), q, p.manifests, nil) {
				if err != nil {
					t.Error(err)
				}
				n++
			}
			if n != len(want[query]) {
				t.Errorf("%s finds %d, want %d", query, n, len(want[query]))
			}
		})
	}
	wg.Wait()
}

// A breaking memory fails at the nth call.
type breaking struct {
	*memory
	calls, at int
	dropped   int
}

var errBroken = errors.New("broken")

func (b *breaking) step() error {
	if b.calls++; b.calls == b.at {
		return errBroken
	}
	return nil
}

func (b *breaking) Create(name string) (io.WriteCloser, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	f, err := b.memory.Create(name)
	return &breakingFile{f.(*memoryFile), b}, err
}

func (b *breaking) Open(name string) (io.ReadCloser, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.memory.Open(name)
}

func (b *breaking) Remove(name string) error { return errors.Join(b.step(), b.memory.Remove(name)) }

type breakingFile struct {
	*memoryFile
	dir *breaking
}

func (f *breakingFile) Write(p []byte) (int, error) {
	if err := f.dir.step(); err != nil {
		return 0, err
	}
	return f.memoryFile.Write(p)
}

func (f *breakingFile) Close() error {
	if err := f.dir.step(); err != nil {
		return errors.Join(err, f.memoryFile.Drop())
	}
	return f.memoryFile.Close()
}

func (f *breakingFile) Drop() error {
	f.dir.dropped++
	return f.memoryFile.Drop()
}

// TestBuilderFaults lets each write, and what else may fail, fail once. There is never a
// dictionary then, and nothing stays open.
func TestBuilderFaults(t *testing.T) {
	p, order := randomPublisher(rand.New(rand.NewPCG(7, 8)))
	for at := 1; ; at++ {
		b := &breaking{memory: newMemory(), at: at}
		builder := &search.Builder{Scratch: b, Memory: 3000}
		var err error
		for _, f := range order {
			if err == nil {
				err = builder.Add(f, p.texts[f])
			}
		}
		if err == nil {
			err = builder.Write(b)
		}
		if b.calls < at { // nothing failed
			if err != nil || at < 20 {
				t.Errorf("after %d calls: %v", b.calls, err)
			}
			return
		}
		if !errors.Is(err, errBroken) {
			t.Errorf("call %d fails, error %v", at, err)
		}
		if b.open != 0 {
			t.Errorf("call %d fails, and %d files stay open", at, b.open)
		}
		if b.files["main_dict.ascii.v2"] != nil {
			t.Errorf("call %d fails, and there is a dictionary", at)
		}
	}
}

// TestManifestsFault passes on the error of who reads manifests, and passes over what is
// not there.
func TestManifestsFault(t *testing.T) {
	p := publishers(t, "repo-two.tar.gz")[0]
	x := openIndex(t, p.index)
	broken := func(fail error) search.Manifests {
		return func(ctx context.Context, f fmri.FMRI) ([]byte, error) {
			if f.Name() == "iris" {
				return nil, fail
			}
			return p.manifests(ctx, f)
		}
	}
	count := func(manifests search.Manifests) (n int, err error) {
		for _, err := range x.Search(t.Context(), mustParse(t, "dir:path:/usr"), manifests, nil) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	all, err := count(p.manifests)
	if err != nil || all < 3 {
		t.Errorf("%d found, error %v", all, err)
	}
	if _, err := count(broken(errBroken)); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	if n, err := count(broken(fs.ErrNotExist)); n != all-1 || err != nil {
		t.Errorf("%d of %d found, error %v", n, all, err)
	}
	none := func(yield func(search.Package, error) bool) { yield(search.Package{}, fs.ErrNotExist) }
	var err2 error
	for _, err2 = range search.Walk(t.Context(), mustParse(t, "usr AND bin"), none, nil) {
	}
	if !errors.Is(err2, fs.ErrNotExist) {
		t.Errorf("walking through nothing: error %v", err2)
	}
}
