package solver

import (
	"context"
	"errors"

	"github.com/goips/ips/solver/internal/sat"
)

// Solve returns the best answer to req by the order of preference in the
// package comment. Equal inputs have equal answers.
//
// What cannot be answered is one of these errors: [PatternErrors],
// [*NonLeafError], [*StuckError], [*ConflictError]; [CategoryOf] tells them
// apart. Others are [*ImageError], [*LimitError], and that of ctx, which is
// looked at every few milliseconds.
func (s *Solver) Solve(ctx context.Context, img *Image, req Request) (*Solution, error) {
	sol, err := s.answer(ctx, img, req)
	if conflict, ok := err.(*ConflictError); ok && conflict.Err == nil {
		conflict.Repairs = s.repairs(ctx, img, req, conflict.Facts)
	}
	return sol, err
}

// Solve answers one request: New(m, nil).Solve(ctx, img, req).
func Solve(ctx context.Context, m *Model, img *Image, req Request) (*Solution, error) {
	return New(m, nil).Solve(ctx, img, req)
}

// answer answers a request. A conflict has facts but no repairs.
func (s *Solver) answer(ctx context.Context, img *Image, req Request) (*Solution, error) {
	w := s.acquire()
	defer s.release(w)
	if err := w.problem.prepare(img, req); err != nil {
		return nil, err
	}
	selected, ok, err := w.choose(ctx)
	switch {
	case err != nil:
		return nil, w.searchError(err)
	case !ok:
		conflict, err := w.explain(ctx, w.failed)
		if err != nil {
			return nil, w.searchError(err)
		}
		return nil, conflict
	}
	sol := w.problem.solution(selected)
	if list := w.problem.stuck(sol); list != nil {
		return nil, &StuckError{Packages: list, Solution: sol}
	}
	return sol, nil
}

// choose returns the best selection, ascending, if there is one.
func (w *work) choose(ctx context.Context) (selected []sat.ID, ok bool, err error) {
	if ok, err = w.search(ctx); ok {
		selected, err = w.improve(ctx)
	}
	return selected, ok, err
}

// searchError puts an error of the engine into the words of this package.
func (w *work) searchError(err error) error {
	if errors.Is(err, sat.ErrLimit) {
		return &LimitError{"MaxConflicts", w.opts.MaxConflicts}
	}
	return err
}
