package solver

import (
	"sync"

	"github.com/goips/ips/manifest"
)

// A Solver answers requests over one [Model]. It keeps the memory of earlier
// solves for later ones, and may be used by several goroutines at once.
type Solver struct {
	model *Model
	opts  Options

	mu   sync.Mutex
	free []*work
}

// Options limit a [Solver]. The zero Options are the defaults.
type Options struct {
	// MaxConflicts ends a search that has met so many contradictions, with a
	// [*LimitError]. Zero means 1,000,000.
	MaxConflicts int

	// MaxRepairs is how many repairs a [*ConflictError] proposes at most.
	// Zero means 3, a negative value none.
	MaxRepairs int

	// Machine, if set, says why the machine does not meet an origin dependency with
	// root-image=true on firmware (feature/firmware/...) or the processor
	// (feature/cpu), or nil if it does. The action has what else it says, such as
	// minimum-version. Nil means that the machine meets all of them.
	Machine func(depend manifest.Action) error
}

// New returns a solver over m. Nil opts means the defaults.
func New(m *Model, opts *Options) *Solver {
	s := &Solver{model: m}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.MaxConflicts == 0 {
		s.opts.MaxConflicts = 1_000_000
	}
	if s.opts.MaxRepairs == 0 {
		s.opts.MaxRepairs = 3
	}
	return s
}

// acquire returns the memory for one solve.
func (s *Solver) acquire() *work {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		w := s.free[n-1]
		s.free = s.free[:n-1]
		return w
	}
	return newWork(s.model, s.opts)
}

// release takes back what acquire returned.
func (s *Solver) release(w *work) {
	w.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, w)
}
