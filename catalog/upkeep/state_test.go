package upkeep_test

import (
	"slices"
	"testing"
	"time"

	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/stretchr/testify/require"
)

// TestStateOf says that a catalog is in the state that its attributes tell of.
func TestStateOf(t *testing.T) {
	attrs, err := catalogtest.MustParse("a@1\na@2\nb@1\n").Attrs()
	require.NoError(t, err)
	s := upkeep.StateOf(attrs)
	require.Equal(t, upkeep.State{Created: attrs.Created, Modified: attrs.Modified, Packages: 2, Versions: 3, Signature: attrs.Signature}, s)
	require.Empty(t, s.Check(s, nil))
}

func TestStateCheck(t *testing.T) {
	known := upkeep.State{Created: at(t, "2020-01-01 00:00:00"), Modified: at(t, "2020-01-05 00:00:00"), Packages: 10, Versions: 100, Signature: "a"}
	change := func(f func(*upkeep.State)) upkeep.State {
		s := known
		f(&s)
		return s
	}
	opts := &upkeep.CheckOptions{Now: at(t, "2020-01-06 00:00:00"), Skew: time.Hour, MaxAge: 30 * 24 * time.Hour, Shrink: 10}
	tests := []struct {
		name string
		next upkeep.State
		opts *upkeep.CheckOptions
		want []upkeep.Regression
	}{
		{"the same", known, opts, nil},
		{"later", change(func(s *upkeep.State) { s.Modified = at(t, "2020-01-05 12:00:00"); s.Signature = "b"; s.Versions++ }), opts, nil},
		{"older", change(func(s *upkeep.State) { s.Modified = at(t, "2020-01-04 00:00:00") }), opts, []upkeep.Regression{upkeep.WentBack}},
		{"recreated", change(func(s *upkeep.State) { s.Created = at(t, "2020-01-05 00:00:00") }), opts, []upkeep.Regression{upkeep.Recreated}},
		{"forked", change(func(s *upkeep.State) { s.Signature = "b" }), opts, []upkeep.Regression{upkeep.Forked}},
		{"forked, not signed", change(func(s *upkeep.State) { s.Signature = ""; s.Versions = 99 }), opts, []upkeep.Regression{upkeep.Forked}},
		{"shrunk", change(func(s *upkeep.State) { s.Modified = at(t, "2020-01-05 01:00:00"); s.Versions = 89 }), opts, []upkeep.Regression{upkeep.Shrunk}},
		{"a little smaller", change(func(s *upkeep.State) { s.Modified = at(t, "2020-01-05 01:00:00"); s.Versions = 90 }), opts, nil},
		{"in 2038", change(func(s *upkeep.State) { s.Modified = at(t, "2038-01-19 00:00:00") }), opts, []upkeep.Regression{upkeep.FromFuture}},
		{"in 2038, unnoticed", change(func(s *upkeep.State) { s.Modified = at(t, "2038-01-19 00:00:00") }), nil, nil},
		{"stale", known, &upkeep.CheckOptions{Now: at(t, "2020-03-01 00:00:00"), MaxAge: 24 * time.Hour}, []upkeep.Regression{upkeep.Stale}},
	}
	for _, tt := range tests {
		if got := known.Check(tt.next, tt.opts); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := (upkeep.State{}).Check(known, nil); got != nil {
		t.Errorf("the first state is %v", got)
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	out, err := time.Parse(time.DateTime, s)
	require.NoError(t, err)
	return out
}
