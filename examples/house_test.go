package examples_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bar of CONTRIBUTING.md, as far as it can be counted.
const (
	maxFileLines     = 600
	maxFunctionLines = 90
)

// A room is what can be counted of one package.
type room struct {
	name          string
	code, tests   int // lines
	names         int // exported types, functions, constants and variables
	methods       int // exported, of exported types
	file, fn, typ largest
}

// A largest is the largest one of its kind.
type largest struct {
	name string
	size int
}

func (l *largest) see(name string, size int) {
	if size > l.size {
		*l = largest{name, size}
	}
}

// TestHouse counts, and with -v prints, how large the packages are and what is largest in
// them. It holds the sizes of files and functions to the bar.
func TestHouse(t *testing.T) {
	rooms := map[string]*room{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		name := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
		if rooms[name] == nil {
			rooms[name] = &room{name: name}
		}
		rooms[name].count(t, path)
		return nil
	})
	require.NoError(t, err)
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %-24s %6s %6s %6s %7s  %-28s %-40s\n", "floor", "package", "code", "tests", "names", "methods", "largest type", "longest function")
	var sum room
	for _, r := range slices.SortedFunc(maps.Values(rooms), order) {
		fmt.Fprintf(&b, "%-5s %-24s %6d %6d %6d %7d  %-28s %-40s\n", floorOf(r.name), r.name, r.code, r.tests, r.names, r.methods,
			fmt.Sprintf("%s %d", r.typ.name, r.typ.size), fmt.Sprintf("%s %d", r.fn.name, r.fn.size))
		sum.code += r.code
		sum.tests += r.tests
		if !strings.Contains(r.name, "internal") && !strings.HasPrefix(r.name, "examples") {
			sum.names += r.names
			sum.methods += r.methods
		}
		if r.file.size > maxFileLines {
			t.Errorf("%s/%s has %d lines, more than %d", r.name, r.file.name, r.file.size, maxFileLines)
		}
		if r.fn.size > maxFunctionLines {
			t.Errorf("%s: %s has %d lines, more than %d", r.name, r.fn.name, r.fn.size, maxFunctionLines)
		}
	}
	fmt.Fprintf(&b, "%-5s %-24s %6d %6d %6d %7d", "", "in all", sum.code, sum.tests, sum.names, sum.methods)
	t.Logf("the house; the size of a type is its number of fields\n%s", &b)
}

// order sorts by floor, and then by name; what has no floor comes last.
func order(a, b *room) int {
	return cmp.Or(cmp.Compare(level(a.name), level(b.name)), cmp.Compare(a.name, b.name))
}

func level(name string) int {
	if floor, ok := floors[name]; ok {
		return floor
	}
	return 99
}

func floorOf(name string) string {
	if floor, ok := floors[name]; ok {
		return fmt.Sprint(floor)
	}
	return "-"
}

// count takes in a file.
func (r *room) count(t *testing.T, path string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	require.NoError(t, err)
	lines := fset.File(f.Pos()).LineCount()
	if strings.HasSuffix(path, "_test.go") {
		r.tests += lines
		return
	}
	r.code += lines
	r.file.see(filepath.Base(path), lines)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			r.countDecl(d)
		case *ast.FuncDecl:
			r.countFunc(fset, d)
		}
	}
}

func (r *room) countFunc(fset *token.FileSet, d *ast.FuncDecl) {
	r.fn.see(d.Name.Name, fset.Position(d.End()).Line-fset.Position(d.Pos()).Line+1)
	switch receiver := receiverOf(d); {
	case receiver == "" && d.Name.IsExported():
		r.names++
	case ast.IsExported(receiver) && d.Name.IsExported():
		r.methods++
	}
}

// receiverOf returns the name of the type that a method is of, "" for a function.
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func (r *room) countDecl(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() {
					r.names++
				}
			}
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				r.names++
			}
			if st, ok := s.Type.(*ast.StructType); ok {
				r.typ.see(s.Name.Name, st.Fields.NumFields())
			}
		}
	}
}
