package solver_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A vector is one line of solver.jsonl.
type vector struct {
	ID          string   `json:"id"`
	In          universe `json:"in"`
	Want        outcome  `json:"want"`
	WantOwnRank *outcome `json:"want_own_rank"`
	Note        string   `json:"note"`
}

// eachVector calls f for every vector of dir, which has solver.jsonl, plain or
// compressed, and for its second form under own ranks. That of IPS_VECTORS may lack it.
func eachVector(t *testing.T, dir string, f func(t *testing.T, v *vector)) {
	r, err := openVectors(dir)
	if errors.Is(err, fs.ErrNotExist) && dir == os.Getenv("IPS_VECTORS") {
		t.Log(err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lines, n := bufio.NewScanner(r), 0
	for lines.Buffer(nil, 1<<26); lines.Scan(); n++ {
		v := new(vector)
		if err := json.Unmarshal(lines.Bytes(), v); err != nil {
			t.Fatalf("%s, record %d: %v", dir, n+1, err)
		}
		t.Run(v.ID, func(t *testing.T) { f(t, v) })
		if v.WantOwnRank != nil {
			v.In.ownRanks, v.Want = true, *v.WantOwnRank
			t.Run(v.ID+"-own-rank", func(t *testing.T) { f(t, v) })
		}
	}
	if err := lines.Err(); err != nil || n == 0 {
		t.Fatalf("%s: %d records, %v", dir, n, err)
	}
	t.Logf("%s: %d records", dir, n)
}

func openVectors(dir string) (io.ReadCloser, error) {
	r, err := os.Open(filepath.Join(dir, "solver.jsonl"))
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if r, err = os.Open(filepath.Join(dir, "solver.jsonl.gz")); err != nil {
		return nil, err
	}
	return gzip.NewReader(r) // the file is closed with the process
}

func vectorDirs() []string {
	dirs := []string{filepath.Join("testdata", "vectors")}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, dir)
	}
	return dirs
}

// TestBrute shows that the brute force implements the rules: it finds what the
// vectors have found, all of it and nothing else.
func TestBrute(t *testing.T) {
	for _, dir := range vectorDirs() {
		eachVector(t, dir, func(t *testing.T, v *vector) {
			b := solveByBrute(&v.In)
			got := b.outcome()
			if reflect.DeepEqual(got, v.Want) {
				return
			}
			t.Errorf("%s\n%s\ngot  %s\nwant %s", v.Note, &v.In, got, v.Want)
		})
	}
}

// TestVectors solves the vectors: status, category, and an answer that is one of
// the acceptable ones, with the sets that go with it.
func TestVectors(t *testing.T) {
	for _, dir := range vectorDirs() {
		eachVector(t, dir, func(t *testing.T, v *vector) {
			v.In.solve(t.Context()).check(t, &v.In, v.Want)
		})
	}
}

func (o outcome) String() string {
	if o.Status != "ok" {
		return o.Status + " " + o.Category
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d feasible", o.Feasible)
	for _, a := range o.Acceptable {
		b.WriteString("\n  " + a.String())
	}
	return b.String()
}
