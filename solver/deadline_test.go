package solver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// hard are universes that have made solvers work far beyond their time, with the names
// to install.
func hard(n int) map[string]func() (heap, []string) {
	return map[string]func() (heap, []string){
		"ladder": func() (h heap, names []string) { // no version of a goes with one of b, seen one step at a time
			for i := range n {
				h.add("a", fmt.Sprint(i+1), fmt.Sprintf("require fmri=b@%d", i+2))
				h.add("b", fmt.Sprint(i+1), fmt.Sprintf("require fmri=a@%d", i+2))
			}
			return h, []string{"a"}
		},
		"chain without its end": func() (h heap, names []string) {
			for i := range n {
				h.add(fmt.Sprintf("link/%d", i), "1", fmt.Sprintf("require fmri=link/%d", i+1))
			}
			return h, []string{"link/0"}
		},
		"dead alternatives": func() (h heap, names []string) {
			any := "require-any"
			for i := range n {
				any += fmt.Sprintf(" fmri=way/%d", i)
				h.add(fmt.Sprintf("way/%d", i), "1", "require fmri=nowhere")
			}
			h.add("top", "1", any)
			return h, []string{"top"}
		},
		"missing alternatives": func() (h heap, names []string) {
			any := "require-any"
			for i := range 2 * n {
				any += fmt.Sprintf(" fmri=nowhere/%d", i)
			}
			h.add("top", "1", any)
			return h, []string{"top"}
		},
		"versions without their dependency": func() (h heap, names []string) {
			for i := range n {
				h.add("top", fmt.Sprint(i+1), "require fmri=nowhere")
			}
			return h, []string{"top"}
		},
		"a long list": func() (h heap, names []string) {
			for i := range n {
				h.add("lib", fmt.Sprint(i+1))
				h.add("top", fmt.Sprint(i+1), fmt.Sprintf("incorporate fmri=lib@%d", i+1), "require fmri=lib")
			}
			return h, []string{"top"}
		},
	}
}

// TestHardShort has answers for people to universes of thousands of packages.
func TestHardShort(t *testing.T) {
	want := map[string]string{
		"ladder": `the request cannot be met:
  a is requested
    every version of a requires b@2 to 2001 or newer
      b@2 to 2000 (1999 versions) require a@3 to 2001 or newer`,
		"chain without its end": `the request cannot be met:
  link/0 is requested
    link/0@1 requires link/1
      that one needs another, and so on over 1997 packages, until
      link/1998@1 requires link/1999
        link/1999@1 requires link/2000, of which no fitting version is known
whether all of this is needed was not tried: it would take too long`,
		"dead alternatives": `the request cannot be met:
  top is requested
    top@1 requires one of way/0, way/1, way/2, way/3, way/4, way/5, way/6, way/7 and 1992 others
      way/0@1 and 1999 others require nowhere, of which no fitting version is known`,
		"missing alternatives": `the request cannot be met:
  top is requested
    top@1 requires one of nowhere/0, nowhere/1, nowhere/2, nowhere/3, nowhere/4, nowhere/5, nowhere/6, nowhere/7 and 3992 others, of which no fitting version is known`,
		"versions without their dependency": `the request cannot be met:
  top is requested
    every version of top requires nowhere, of which no fitting version is known`,
		"a long list": "",
	}
	for name, make := range hard(2000) {
		t.Run(name, func(t *testing.T) {
			h, names := make()
			_, err := install(t.Context(), h.solver(t, nil), names...)
			if want[name] == "" {
				require.NoError(t, err)
				return
			}
			var conflict *solver.ConflictError
			require.ErrorAs(t, err, &conflict)
			conflict.Repairs = nil
			if diff := cmp.Diff(want[name], conflict.Error()); diff != "" {
				t.Error(diff)
			}
			require.GreaterOrEqual(t, strings.Count(conflict.Derivation(), "\n"), len(conflict.Facts), "a line for each, below the heading")
		})
	}
}

// A countdown is a context that ends when it has been looked at so often.
type countdown struct {
	context.Context
	left, looks int
}

func (c *countdown) Err() error {
	if c.looks++; c.looks > c.left {
		return context.DeadlineExceeded
	}
	return nil
}

// TestEverywhereEnded ends the time of hard requests at each place that looks at it. An
// answer is that of a request with time enough, or says that the time is over, and what
// was found until then.
func TestEverywhereEnded(t *testing.T) {
	loose := 0
	for name, make := range hard(60) {
		h, names := make()
		s := h.solver(t, nil)
		req := solver.Request{}
		for _, n := range names {
			req.Patterns = append(req.Patterns, fmri.MustParsePattern("pkg:/"+n))
		}
		enough := &countdown{Context: t.Context(), left: 1 << 30}
		_, want := s.Solve(enough, &solver.Image{}, req)
		require.Positive(t, enough.looks, name)
		for left := range enough.looks {
			_, got := s.Solve(&countdown{Context: t.Context(), left: left}, &solver.Image{}, req)
			var conflict *solver.ConflictError
			switch {
			case errors.As(got, &conflict) && conflict.Err != nil:
				require.True(t, conflict.Loose, name)
				require.ErrorIs(t, got, context.DeadlineExceeded)
				if len(conflict.Facts) > 0 {
					loose++
				} else {
					require.Contains(t, got.Error(), "the time was over before it was clear why")
				}
			case errors.As(got, &conflict): // the end came when repairs were tried
				require.Equal(t, want.(*solver.ConflictError).Facts, conflict.Facts)
			default:
				require.ErrorIs(t, got, context.DeadlineExceeded, name)
			}
		}
		_, again := s.Solve(t.Context(), &solver.Image{}, req)
		require.Equal(t, want, again, "%s: an interruption leaves nothing behind", name)
	}
	require.Positive(t, loose)
}

// TestManyGrounds gives up finding the fewest facts where there are thousands that can
// all not be spared, and says so.
func TestManyGrounds(t *testing.T) {
	h, names := hard(4000)["chain without its end"]()
	_, err := install(t.Context(), h.solver(t, nil), names...)
	var conflict *solver.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.True(t, conflict.Loose)
	require.Len(t, conflict.Facts, 4001)
	require.Contains(t, conflict.Error(), "\nwhether all of this is needed was not tried")
	text, err := json.Marshal(conflict)
	require.NoError(t, err)
	require.Contains(t, string(text), `"loose":true`)
}

// BenchmarkHard measures what used to take minutes.
func BenchmarkHard(b *testing.B) {
	for name, make := range hard(10_000) {
		b.Run(name, func(b *testing.B) {
			h, names := make()
			m, err := solver.NewModel(h)
			require.NoError(b, err)
			s := solver.New(m, nil)
			for b.Loop() {
				install(b.Context(), s, names...)
			}
		})
	}
}
