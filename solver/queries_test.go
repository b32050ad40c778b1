package solver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goips/ips/solver"
)

// stuckQueries are those where the rules of the vectors, which hold, want something
// else than the corpus expects: it calls an update that changes nothing an answer,
// even where an incorporation with an install-hold has newer candidates. By rule 8
// that is an error, which has the unchanged image.
var stuckQueries = []string{"u09-update-i24m-frozen-entire"}

// A reply is one entry of the file IPS_ANSWERS.
type reply struct {
	Name        string   `json:"name"`
	Status      string   `json:"status"`
	Answer      []string `json:"answer"`
	Micros      int64    `json:"micros"`
	Explanation string   `json:"explanation,omitempty"`
}

// TestQueries answers the queries of the corpora: the status is right, the
// answer valid, and as good as can be in every objective; it is nowhere older
// than the reference's before it is newer somewhere.
func TestQueries(t *testing.T) {
	var replies []reply
	for _, c := range corpora(t) {
		model, err := solver.NewModel(c)
		if err != nil {
			t.Fatal(err)
		}
		s := solver.New(model, nil)
		for _, q := range c.queries {
			t.Run(q.Name, func(t *testing.T) {
				r, err := ask(t, s, c, q)
				replies = append(replies, r)
				checkReply(t, c, q, r)
				checkConflict(t, c, q, err)
			})
		}
		t.Logf("%s: %d queries", filepath.Base(c.dir), len(c.queries))
	}
	if file := os.Getenv("IPS_ANSWERS"); file != "" && len(replies) > 0 {
		text, err := json.MarshalIndent(replies, "", " ")
		if err := errors.Join(err, os.WriteFile(file, text, 0o666)); err != nil {
			t.Error(err)
		}
	}
}

// ask answers a query.
func ask(t *testing.T, s *solver.Solver, c *corpus, q *query) (reply, error) {
	img, req := c.image(q), q.request()
	start := time.Now()
	sol, err := s.Solve(t.Context(), img, req)
	r := reply{Name: q.Name, Status: "sat", Micros: time.Since(start).Microseconds()}
	var stuck *solver.StuckError
	switch {
	case errors.As(err, &stuck) && slices.Contains(stuckQueries, q.Name):
		sol = stuck.Solution
	case err != nil:
		r.Status, r.Explanation = "unsat", err.Error()
		return r, err
	}
	for f := range sol.Packages() {
		r.Answer = append(r.Answer, f.String())
	}
	return r, nil
}

// checkReply compares a reply with what is expected.
func checkReply(t *testing.T, c *corpus, q *query, r reply) {
	want := c.expected[q.Name]
	if want == nil {
		t.Fatal("nothing is expected")
	}
	if r.Status != want.Status {
		t.Errorf("%s, want %s\n%s", r.Status, want.Status, r.Explanation)
	}
	if r.Status != "sat" || want.Status != "sat" {
		return
	}
	j := newJudge(c, q, r.Answer)
	j.validate()
	for _, fault := range j.faults[:min(len(j.faults), 10)] {
		t.Error(fault)
	}
	for _, warning := range j.warnings {
		t.Log(warning)
	}
	if worse := j.compareExpected(want); worse != "" {
		t.Error(worse)
	}
	if worse := j.compareFormer(c.former[q.Name]); worse != "" {
		t.Error(worse)
	}
	t.Logf("%d packages in %d µs, expected %d", len(r.Answer), r.Micros, want.Size)
}

// compareExpected returns where the answer differs from what is expected.
func (j *judge) compareExpected(want *expectation) string {
	if len(want.Objectives) != len(j.order) {
		return fmt.Sprintf("%d objectives are expected, the query has %d", len(want.Objectives), len(j.order))
	}
	differ, first := 0, ""
	for k, o := range want.Objectives {
		name, version := *o[0], o[1]
		if name != j.order[k] {
			return fmt.Sprintf("objective %d should be %s, is %s", k, j.order[k], name)
		}
		if version == nil {
			behind := want.Effective[name].Version
			version = &behind
		}
		p := j.find(name + "@" + *version)
		if p == nil {
			return fmt.Sprintf("%s@%s is expected, but unknown", name, *version)
		}
		if is, should := j.place(name), j.rank(p); is != should {
			differ++
			if first == "" {
				first = fmt.Sprintf("objective %d, %s: %s instead of %s, place %d instead of %d", k+1, name, j.have(name), *version, is, should)
			}
		}
	}
	if differ == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %d objectives differ in all", first, differ)
}

// have says what the answer has of a name.
func (j *judge) have(name string) string {
	if p := j.answer[name]; p != nil {
		return p.fmri.Version().String()
	}
	return "none"
}

// compareFormer returns where the answer is older than the reference's. Where
// the reference is newer only after having been older it does not count.
func (j *judge) compareFormer(answer []string) string {
	if len(answer) == 0 {
		return ""
	}
	former := newJudge(j.corpus, j.q, answer)
	former.validate()
	for _, name := range j.order {
		is, was := j.place(name), former.place(name)
		switch {
		case is == was:
		case was < 0 || is >= 0 && is < was:
			return ""
		default:
			return fmt.Sprintf("%s: %s is older than the reference's %s", name, j.have(name), former.have(name))
		}
	}
	return ""
}

// checkConflict checks the facts of an explanation: they are few, and true.
func checkConflict(t *testing.T, c *corpus, q *query, err error) {
	var conflict *solver.ConflictError
	if !errors.As(err, &conflict) {
		return
	}
	if n := len(conflict.Facts); n == 0 || n > 12 {
		t.Errorf("%d facts", n)
	}
	for _, f := range conflict.Facts {
		if why := c.disprove(&f); why != "" {
			t.Errorf("%v of %s: %s", f.Kind, f.Name, why)
		}
	}
	t.Log(conflict)
}

// disprove says what the catalog has against a fact.
func (c *corpus) disprove(f *solver.Fact) string {
	for _, g := range f.Packages {
		p := c.find(g.String())
		if p == nil || p.fmri != g || g.Name() != f.Name {
			return g.String() + " is unknown, or another's"
		}
		for _, d := range f.Depends {
			has := func(action string) bool { return slices.Contains(p.actions, action) }
			if f.Kind == solver.FactDepend && !slices.ContainsFunc(d.Actions, has) {
				return g.String() + " does not say " + d.Actions[0]
			}
		}
	}
	if all := len(f.Packages) == len(c.byName[f.Name]); f.All != all {
		return fmt.Sprintf("all versions: %t", all)
	}
	return ""
}
