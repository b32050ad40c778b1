package solver

import "github.com/goips/ips/solver/internal/sat"

// A work is the search for the answer to one problem, and the memory it searches with.
type work struct {
	problem *problem
	opts    Options

	main   encoding  // for the answer
	probe  encoding  // for questions on the way
	effort int       // if not 0, a limit of conflicts below that of opts
	failed *encoding // the one of them that has shown that there is no answer

	grouping grouping
	closing  closing
	trimming trimming
}

// newWork returns the memory for solves over m.
func newWork(m *Model, opts Options) *work {
	w := &work{
		problem:  newProblem(m),
		opts:     opts,
		grouping: grouping{groups: map[groupUse]groupState{}, classes: map[groupUse]int{}},
	}
	w.problem.machine = opts.Machine
	w.main = encoding{problem: w.problem, work: w, eng: sat.New(m.layout)}
	w.probe = encoding{problem: w.problem, work: w}
	return w
}

// reset forgets the request.
func (w *work) reset() {
	w.problem.reset()
	clear(w.grouping.groups)
	w.forgetClasses()
}
