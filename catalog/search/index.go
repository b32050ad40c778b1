package search

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// An Index is an index in files, which it holds open: it stays what it is when it
// is replaced. It may be used by several goroutines.
type Index struct {
	version  int
	dict     *section
	tokens   *section
	packages []indexed // by id
	ids      map[string]bool
	added    []fmri.FMRI // in images: not in the dictionary, though installed
}

// An indexed is a package of an index; the zero value is an id that is free.
type indexed struct {
	name    string // stem@version
	fmri    fmri.FMRI
	removed bool // in images: in the dictionary, though no longer installed
}

// maxList bounds the files that are read into memory, in bytes.
const maxList = 256 << 20

// Open opens the index in a directory. If there is none, the error matches
// fs.ErrNotExist; if its files do not belong together it is an *[InconsistentError],
// which does so as well; if they are damaged it is a *[FormatError].
//
// Whoever replaces an index removes main_dict.ascii.v2 first, and stores it last.
// Open therefore looks at that file before and after it opens the others.
func Open(fsys fs.FS) (*Index, error) {
	before, err := fs.Stat(fsys, dictName)
	if err != nil {
		return nil, noDict(fsys, err)
	}
	x := new(Index)
	lists, err := x.openAll(fsys)
	if err == nil {
		err = x.readLists(lists)
	}
	if err == nil {
		var after fs.FileInfo
		if after, err = fs.Stat(fsys, dictName); err != nil || !sameFile(before, after) {
			err = &InconsistentError{File: dictName}
		}
	}
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// noDict returns the error for an index without a dictionary.
func noDict(fsys fs.FS, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range versioned {
		if _, serr := fs.Stat(fsys, name); serr == nil {
			return &InconsistentError{File: dictName}
		}
	}
	return err
}

// sameFile reports whether a file was not replaced, as far as that shows.
func sameFile(a, b fs.FileInfo) bool { return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) }

// openAll opens the files, and returns the content of those that are read whole.
func (x *Index) openAll(fsys fs.FS) (map[string][]byte, error) {
	lists := map[string][]byte{}
	for i, name := range versioned {
		s, version, err := openVersioned(fsys, name)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			x.version = version
		}
		if version != x.version {
			return nil, errors.Join(&InconsistentError{name, version, x.version}, s.Close())
		}
		switch name {
		case dictName:
			x.dict = s
		case tokensName:
			x.tokens = s
		case packsName, fullName, addName, removeName:
			lists[name], err = s.all()
			err = errors.Join(err, s.Close())
		default:
			err = s.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// openVersioned opens a file and reads its version.
func openVersioned(fsys fs.FS, name string) (*section, int, error) {
	s, err := openSection(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, &InconsistentError{File: name}
	}
	if err != nil {
		return nil, 0, err
	}
	head, err := s.head()
	version, size, ok := parseHeader(head)
	if err == nil && !ok {
		err = &FormatError{File: name, Line: 1, Err: errors.New("no version")}
	}
	if err != nil {
		return nil, 0, errors.Join(err, s.Close())
	}
	s.start = int64(size)
	return s, version, nil
}

// readLists reads which packages there are.
func (x *Index) readLists(lists map[string][]byte) error {
	x.ids = map[string]bool{}
	removed := map[string]bool{}
	addIndexed := func(name string, f fmri.FMRI) error {
		if x.ids[name] {
			return errors.New("package twice")
		}
		x.packages = append(x.packages, indexed{name, f, removed[name]})
		x.ids[name] = name != "" && !removed[name]
		return nil
	}
	err := errors.Join(
		eachName(removeName, lists[removeName], func(name string, _ fmri.FMRI) error {
			removed[name] = true
			return nil
		}),
		eachName(packsName, lists[packsName], addIndexed),
		eachName(addName, lists[addName], func(name string, f fmri.FMRI) error {
			x.added = append(x.added, f)
			x.ids[name] = true
			return nil
		}))
	if err != nil {
		return err
	}
	maps.DeleteFunc(x.ids, func(_ string, there bool) bool { return !there })
	return x.checkFull(lists[fullName])
}

// checkFull compares the list of all packages with the others.
func (x *Index) checkFull(list []byte) error {
	seen := make(map[string]bool, len(x.ids))
	err := eachName(fullName, list, func(_ string, f fmri.FMRI) error {
		name := packageName(f)
		if !x.ids[name] || seen[name] {
			return errors.New("package that is not indexed, or is listed twice")
		}
		seen[name] = true
		return nil
	})
	if err == nil && len(seen) != len(x.ids) {
		err = &FormatError{File: fullName, Err: fmt.Errorf("%d packages, want %d", len(seen), len(x.ids))}
	}
	return err
}

// eachName calls f for each line of a list of packages.
func eachName(file string, list []byte, f func(name string, p fmri.FMRI) error) error {
	number := 1
	for line := range bytes.Lines(list) {
		number++
		name := strings.TrimSuffix(string(line), "\n")
		var p fmri.FMRI
		var err error
		if name != "" || file != packsName {
			p, err = fmri.Parse(name)
			if err == nil && !p.Version().IsValid() {
				err = fmri.ErrNoVersion
			}
		}
		if err == nil {
			err = f(name, p)
		}
		if err != nil {
			return &FormatError{File: file, Line: number, Err: err}
		}
	}
	return nil
}

// Close closes the files. A nil *Index is closed.
func (x *Index) Close() error {
	if x == nil {
		return nil
	}
	return errors.Join(x.dict.Close(), x.tokens.Close())
}

// Version returns the version of the files: 2 for the first index, one more for each
// that added to it.
func (x *Index) Version() int { return x.version }

// Len returns the number of packages.
func (x *Index) Len() int { return len(x.ids) }

// Has reports whether a package is in the index. The publisher does not matter.
func (x *Index) Has(f fmri.FMRI) bool { return x.ids[packageName(f)] }

// All yields the packages, without a publisher.
func (x *Index) All() iter.Seq[fmri.FMRI] {
	return func(yield func(fmri.FMRI) bool) {
		for _, p := range x.packages {
			if p.name != "" && !p.removed && !yield(p.fmri) {
				return
			}
		}
		for _, f := range x.added {
			if !yield(f) {
				return
			}
		}
	}
}

// For returns x as the index of other packages than it was made of, such as those that
// are there now: it does not find what is not among them, and reads the manifests of
// those that it does not have. As the base of a Builder it loses the former; the latter
// are to be added. Both use the same files; one of them is to be closed.
func (x *Index) For(packages iter.Seq[fmri.FMRI]) *Index {
	y := &Index{version: x.version, dict: x.dict, tokens: x.tokens, ids: map[string]bool{}}
	indexed := make(map[string]bool, len(x.packages))
	for _, p := range x.packages {
		indexed[p.name] = true
	}
	for f := range packages {
		name := packageName(f)
		if !indexed[name] && !y.ids[name] {
			y.added = append(y.added, f.WithPublisher(""))
		}
		y.ids[name] = true
	}
	y.packages = slices.Clone(x.packages)
	for i := range y.packages {
		y.packages[i].removed = !y.ids[y.packages[i].name]
	}
	return y
}

// dictionary returns the records of the dictionary.
func (x *Index) dictionary() source {
	return &dictSource{r: bufio.NewReaderSize(x.dict.from(x.dict.start), 1<<16), packages: x.packages}
}

// A section is a file that can be read from anywhere.
type section struct {
	name  string
	at    io.ReaderAt
	size  int64
	start int64 // of what follows the version
	file  fs.File
}

func openSection(fsys fs.FS, name string) (*section, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if at, ok := f.(io.ReaderAt); ok {
		return &section{name: name, at: at, size: info.Size(), file: f}, nil
	}
	data, err := readLimited(f, name)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return &section{name: name, at: bytes.NewReader(data), size: int64(len(data))}, nil
}

// readLimited reads all of a file that is to be held in memory.
func readLimited(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxList+1))
	if err == nil && len(data) > maxList {
		err = &FormatError{File: name, Err: &LimitError{"file", maxList}}
	}
	return data, err
}

// from returns the rest of the file.
func (s *section) from(off int64) io.Reader { return io.NewSectionReader(s.at, off, s.size-off) }

// all returns what follows the version.
func (s *section) all() ([]byte, error) { return readLimited(s.from(s.start), s.name) }

// head returns the beginning of the file.
func (s *section) head() ([]byte, error) {
	b := make([]byte, min(s.size, 64))
	_, err := io.ReadFull(s.from(0), b)
	return b, err
}

// Close closes the file. A nil section is closed.
func (s *section) Close() error {
	if s == nil || s.file == nil {
		return nil
	}
	return s.file.Close()
}
