package plan_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	godiff "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/plan"
)

// A world says which package delivers what: by path, the text of an action and who has it.
type world map[string]thing

type thing struct {
	action string
	owners []string
}

// names are the last elements of paths. They are few, so that things meet.
var names = []string{"a", "b", "c"}

// makeWorld delivers up to n things. What it makes is in order: a path has one thing, what
// is above it is a directory, and only directories and links have several owners.
func makeWorld(r *rand.Rand, n int) world {
	w := world{}
	for range n {
		p := names[r.IntN(len(names))]
		for r.IntN(3) > 0 && strings.Count(p, "/") < 3 {
			p += "/" + names[r.IntN(len(names))]
		}
		if w.fits(p) {
			w[p] = w.makeThing(r, p)
		}
	}
	return w
}

// fits reports whether there may be something new at a path.
func (w world) fits(p string) bool {
	if _, taken := w[p]; taken {
		return false
	}
	for q := range w {
		if strings.HasPrefix(q, p+"/") {
			return false
		}
		if strings.HasPrefix(p, q+"/") && !strings.HasPrefix(w[q].action, "dir") {
			return false
		}
	}
	return true
}

func (w world) makeThing(r *rand.Rand, p string) thing {
	mode := []string{"0755", "0750"}[r.IntN(2)]
	word := fmt.Sprintf("word%d", r.IntN(4))
	switch r.IntN(6) {
	case 0:
		return thing{fmt.Sprintf("dir path=%s mode=%s owner=root group=sys", p, mode), someOwners(r)}
	case 1:
		return thing{fmt.Sprintf("link path=%s target=%s", p, word), someOwners(r)}
	case 2:
		for _, q := range slices.Sorted(maps.Keys(w)) {
			if k := w[q].action[0]; k == 'f' || k == 'h' && r.IntN(2) == 0 {
				return thing{fmt.Sprintf("hardlink path=%s target=/%s", p, q), w[q].owners}
			}
		}
	}
	return thing{fmt.Sprintf("file %s path=%s mode=%s owner=root group=sys", word, p, mode), someOwners(r)[:1]}
}

func someOwners(r *rand.Rand) []string {
	owners := []string{"p", "q", "r"}
	r.Shuffle(len(owners), func(i, j int) { owners[i], owners[j] = owners[j], owners[i] })
	return owners[:1+r.IntN(2)]
}

// packages returns the packages of a world, in that version.
func (w world) packages(t *testing.T, version int) map[fmri.FMRI]*manifest.Manifest {
	t.Helper()
	texts := map[string]string{}
	for _, p := range slices.Sorted(maps.Keys(w)) {
		for _, owner := range w[p].owners {
			texts[owner] += w[p].action + "\n"
		}
	}
	packages := map[fmri.FMRI]*manifest.Manifest{}
	for owner, text := range texts {
		f := fmri.MustParse(fmt.Sprintf("pkg://test.org/%s@%d", owner, version))
		packages[f] = published(t, fmt.Sprintf("set name=pkg.fmri value=%s\n%s", f, text))
	}
	return packages
}

// tree returns what an image has that this world is installed in: the action by path, "dir"
// for a directory that is only implied.
func (w world) tree(t *testing.T) map[string]string {
	t.Helper()
	tree := map[string]string{}
	for p, x := range w {
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			tree[dir] = cmp.Or(tree[dir], "dir")
		}
		for a := range published(t, x.action).All() {
			tree[p] = inTree(t, a)
		}
	}
	return tree
}

// inTree returns what an action leaves at its path.
func inTree(t *testing.T, a manifest.Action) string {
	t.Helper()
	if mode, _ := a.Attrs.Get("mode"); a.Kind == manifest.KindDir && (mode == "" || a.Attrs.Has("implicit")) {
		return "dir"
	}
	if a.Kind == manifest.KindHardlink {
		target, err := a.Target()
		require.NoError(t, err)
		return "hardlink to " + target
	}
	return a.String()
}

// carryOut changes a tree as the steps of a plan say, and holds what makes the order of
// steps right: nothing comes where something is or where no directory is above, only what
// is there goes or changes, and no directory goes that is not empty.
//
// An updated file is another one under the same name, so the hardlinks to it, and to those,
// are to be made after it.
func carryOut(t *testing.T, tree map[string]string, p *plan.Plan) {
	t.Helper()
	made := map[string]int{} // by path, at which step
	defer func() {
		for link, text := range tree {
			if target, ok := strings.CutPrefix(text, "hardlink to "); ok {
				require.Contains(t, tree, target, "what %s names", link)
				require.GreaterOrEqual(t, made[link], made[target], "%s is made before %s\n%v", link, target, p)
			}
		}
	}()
	n := 0
	for s := range p.Steps() {
		n++
		at, err := s.Action().Path()
		require.NoError(t, err)
		was, there := tree[at]
		switch s.Phase {
		case plan.Remove:
			require.True(t, there, "%v: nothing is there to remove", s.Action())
			for q := range tree {
				require.False(t, strings.HasPrefix(q, at+"/"), "%v goes before %s", s.Action(), q)
			}
			delete(tree, at)
			continue
		case plan.Install:
			kind := s.Action().Kind
			shared := kind.RefCounted() && strings.HasPrefix(was, kind.String()) // with a package that has it already
			require.True(t, !there || shared, "%v comes where %s is\n%v", s.Action(), was, p)
		case plan.Update:
			isNew := s.Action().Kind == manifest.KindHardlink // one that waits for the update of its file
			require.True(t, there || isNew, "%v: nothing is there to change", s.Action())
		}
		for dir := path.Dir(at); dir != "."; dir = path.Dir(dir) {
			tree[dir] = cmp.Or(tree[dir], "dir") // who carries out makes those that are only implied
			require.True(t, strings.HasPrefix(tree[dir], "dir"), "%v comes below %s\n%v", s.Action(), tree[dir], p)
		}
		tree[at] = inTree(t, s.Action())
		made[at] = n
		if target, ok := strings.CutPrefix(tree[at], "hardlink to "); ok {
			require.Contains(t, tree, target, "%v comes before what it names\n%v", s.Action(), p)
		}
	}
}

// TestModel goes from one random world to another, and holds that carrying out the steps
// leaves what installing the second alone would leave; that the way back does so, too; and
// that there is nothing to do between equal worlds.
func TestModel(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 9))
		before, after := makeWorld(r, r.IntN(14)), makeWorld(r, r.IntN(14))
		for p, x := range before { // half of what was there stays
			if r.IntN(2) == 0 && after.fits(p) && !strings.HasPrefix(x.action, "hardlink") {
				after[p] = x
			}
		}
		one, two := before.packages(t, 1), after.packages(t, 2)
		tree := before.tree(t)
		for _, way := range []struct {
			from, to map[fmri.FMRI]*manifest.Manifest
			want     world
		}{{one, two, after}, {two, one, before}, {one, before.packages(t, 3), before}} {
			p, err := plan.New(story{before: way.from, after: way.to}.input())
			require.NoError(t, err, "seed %d", seed)
			carryOut(t, tree, p)
			want := way.want.tree(t)
			for p, x := range want {
				if x == "dir" && strings.HasPrefix(tree[p], "dir") {
					want[p] = tree[p] // one that is implied keeps what it was given
				}
			}
			if d := godiff.Diff(want, tree); d != "" {
				t.Fatalf("seed %d: (-want +got)\n%s\n%v", seed, d, p)
			}
		}
		same, err := plan.New(story{before: one, after: before.packages(t, 3)}.input())
		require.NoError(t, err)
		require.Empty(t, slices.Collect(same.Steps()), "seed %d: nothing but versions changes", seed)
	}
}
