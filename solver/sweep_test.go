package solver_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// A sweepKind is one kind of request, made for an installed version, or for one
// that is not installed.
type sweepKind struct {
	name      string
	installed bool
	request   func(have *pack, versions []*pack) (req solver.Request, ok bool)
}

// exactly asks for one version of a package.
func exactly(p *pack, downgrade bool) solver.Request {
	text := "pkg:/" + p.fmri.Name() + "@" + p.fmri.Version().String()
	return solver.Request{Patterns: []fmri.Pattern{fmri.MustParsePattern(text)}, Downgrade: downgrade}
}

// byName asks for a package by its name.
func byName(p *pack, op solver.Op) solver.Request {
	return solver.Request{Op: op, Patterns: []fmri.Pattern{fmri.MustParsePattern("pkg:/" + p.fmri.Name())}}
}

var sweepKinds = []sweepKind{
	{"install newest", false, func(p *pack, all []*pack) (solver.Request, bool) { return exactly(all[len(all)-1], false), true }},
	{"install middle", false, func(p *pack, all []*pack) (solver.Request, bool) { return exactly(all[len(all)/2], false), true }},
	{"install oldest", false, func(p *pack, all []*pack) (solver.Request, bool) { return exactly(all[0], false), true }},
	{"uninstall", true, func(p *pack, _ []*pack) (solver.Request, bool) { return byName(p, solver.Uninstall), true }},
	{"update named", true, func(p *pack, _ []*pack) (solver.Request, bool) { return byName(p, solver.Update), true }},
	{"downgrade", true, func(p *pack, all []*pack) (solver.Request, bool) {
		k := slices.Index(all, p)
		if k < 1 {
			return solver.Request{}, false
		}
		return exactly(all[k/2], true), true
	}},
}

// TestSweep asks for packages of the images of the corpora in every way, and
// shows that each request is answered. IPS_SWEEP is how many there are of each
// kind for one image, IPS_SWEEP_LIMIT how long one may take.
func TestSweep(t *testing.T) {
	n := 1
	if text := os.Getenv("IPS_SWEEP"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	limit, err := time.ParseDuration(os.Getenv("IPS_SWEEP_LIMIT"))
	if err != nil {
		limit = time.Minute
	}
	for _, c := range corpora(t) {
		model, err := solver.NewModel(c)
		if err != nil {
			t.Fatal(err)
		}
		sw := sweep{corpus: c, solver: solver.New(model, nil), rand: rand.New(rand.NewPCG(10, 0)), limit: limit}
		for _, kind := range sweepKinds {
			sw.times, sw.met, sw.late = nil, 0, 0
			for _, q := range sw.images() {
				sw.ask(t, q, kind, n)
			}
			sw.log(t, kind)
		}
	}
}

// A sweep asks a solver for many things.
type sweep struct {
	*corpus
	solver    *solver.Solver
	rand      *rand.Rand
	limit     time.Duration
	times     []time.Duration
	met, late int
}

// images returns some queries with different images of some size.
func (sw *sweep) images() (queries []*query) {
	seen := map[int]bool{}
	for _, q := range sw.queries {
		if n := len(q.Installed); n > 0 && !seen[n] && len(queries) < 4 {
			seen[n] = true
			queries = append(queries, q)
		}
	}
	return queries
}

// ask makes n requests of a kind for the image of q.
func (sw *sweep) ask(t *testing.T, q *query, kind sweepKind, n int) {
	img := sw.image(q)
	for range n {
		p := sw.packs[sw.rand.IntN(len(sw.packs))]
		if kind.installed {
			p = sw.find(q.Installed[sw.rand.IntN(len(q.Installed))])
		}
		req, ok := kind.request(p, sw.byName[p.fmri.Name()])
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), sw.limit)
		start := time.Now()
		_, err := sw.solver.Solve(ctx, img, req)
		sw.times = append(sw.times, time.Since(start))
		cancel()
		switch {
		case err == nil:
			sw.met++
		case errors.Is(err, context.DeadlineExceeded):
			sw.late++
			t.Errorf("%s of %s for the image of %s takes over %v", kind.name, p.fmri, q.Name, sw.limit)
		case solver.CategoryOf(err) == solver.NoCategory:
			t.Errorf("%s of %s for the image of %s: %v", kind.name, p.fmri, q.Name, err)
		}
	}
}

// log logs one row of the table.
func (sw *sweep) log(t *testing.T, kind sweepKind) {
	slices.Sort(sw.times)
	if n := len(sw.times); n > 0 {
		t.Logf("%-8s %-15s %4d, %4d met, %3d late, median %8v, p99 %8v, worst %8v", filepath.Base(sw.dir), kind.name,
			n, sw.met, sw.late, round(sw.times[n/2]), round(sw.times[(n-1)*99/100]), round(sw.times[n-1]))
	}
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
