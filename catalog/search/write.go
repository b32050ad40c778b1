package search

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strconv"
)

// firstVersion is the version of an index that is made from nothing. Each one that adds
// to a base has the next.
const firstVersion = 2

// Write writes the index. The files get the same version in their first lines,
// save the lists of kinds and keys, which have none. A Builder writes once.
//
// The Dictionary is created first and closed when everything else is written. So one
// who gives it its name last has an index that is whole, or none. A file that has a
// method Drop() error is dropped instead of closed if writing fails.
func (b *Builder) Write(dst Files) error {
	b.start()
	if b.runs > 0 { // make room for what merging takes
		if err := b.spill(); err != nil {
			return err
		}
	}
	version := firstVersion
	if b.Base != nil {
		version = b.Base.version + 1
	}
	dict, err := dst.Create(dictName)
	if err != nil {
		return err
	}
	out := &output{files: dst, version: version}
	if err := b.writeAll(out, dict); err != nil {
		return errors.Join(err, abandon(dict))
	}
	return dict.Close()
}

// writeAll merges what there is, and removes what was in Scratch.
func (b *Builder) writeAll(out *output, dict io.Writer) error {
	sources, closeAll, err := b.sources()
	if err != nil {
		return err
	}
	if err := out.all(dict, sources, b.names); err != nil {
		return errors.Join(err, closeAll())
	}
	return errors.Join(closeAll(), b.removeRuns())
}

// abandon closes a file that is not to be kept, or tells it so.
func abandon(f io.WriteCloser) error {
	if d, ok := f.(interface{ Drop() error }); ok {
		return d.Drop()
	}
	return f.Close()
}

// sources opens everything that there is to merge.
func (b *Builder) sources() (list []source, closeAll func() error, err error) {
	var open []io.Closer
	closeAll = func() error {
		var errs []error
		for _, f := range open {
			errs = append(errs, f.Close())
		}
		return errors.Join(errs...)
	}
	if b.Base != nil {
		list = append(list, b.Base.dictionary())
	}
	for i := range b.runs {
		f, err := b.Scratch.Open(runName(i))
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		open = append(open, f)
		list = append(list, &storedRun{r: bufio.NewReaderSize(f, 1<<16)})
	}
	return append(list, b.run.sorted()), closeAll, nil
}

// removeRuns removes what is in Scratch.
func (b *Builder) removeRuns() error {
	var errs []error
	for i := range b.runs {
		errs = append(errs, b.Scratch.Remove(runName(i)))
	}
	b.runs = 0
	return errors.Join(errs...)
}

// An output writes the files of one version.
type output struct {
	files   Files
	version int
}

// all writes everything, of which the dictionary is open already.
func (o *output) all(dict io.Writer, sources []source, names []string) error {
	w := &dictWriter{
		dict:     bufio.NewWriterSize(dict, 1<<16),
		kinds:    map[string]*offsets{},
		keys:     map[string]*offsets{},
		packages: make([]offsets, len(names)),
	}
	err := o.file(tokensName, func(tokens *bufio.Writer) error {
		w.tokens = tokens
		n, err := w.dict.WriteString(header(o.version))
		w.pos = int64(n)
		if err != nil {
			return err
		}
		if err := merge(sources, w.write); err != nil {
			return err
		}
		return w.end()
	})
	if err != nil {
		return err
	}
	if err := o.lists(atPrefix, w.kinds); err != nil {
		return err
	}
	if err := o.lists(stPrefix, w.keys); err != nil {
		return err
	}
	return o.packages(names, w)
}

// packages writes the files that say which packages there are.
func (o *output) packages(names []string, w *dictWriter) error {
	return errors.Join(
		o.file(packsName, func(f *bufio.Writer) error {
			for _, name := range names {
				fmt.Fprintln(f, name)
			}
			return nil
		}),
		o.file(fullName, func(f *bufio.Writer) error {
			for _, name := range slices.Sorted(slices.Values(names)) {
				if name != "" {
					fmt.Fprintf(f, "pkg:/%s\n", name)
				}
			}
			return nil
		}),
		o.file(offsetsName, func(f *bufio.Writer) error { return writeShared(f, names, w) }),
		o.file(addName, func(*bufio.Writer) error { return nil }),
		o.file(removeName, func(*bufio.Writer) error { return nil }),
	)
}

// writeShared writes for each list of lines the packages that they mention.
func writeShared(f *bufio.Writer, names []string, w *dictWriter) error {
	sharers := w.sharers()
	for _, id := range w.seen {
		list := &w.packages[id]
		ids := sharers[id]
		if ids == nil {
			continue // another writes it
		}
		for i, id := range ids {
			if i > 0 {
				f.WriteByte(' ')
			}
			f.WriteString(names[id])
		}
		sep := byte('!')
		for delta := range list.all() {
			f.WriteByte(sep)
			f.Write(strconv.AppendInt(f.AvailableBuffer(), delta, 10))
			sep = ' '
		}
		f.WriteByte('\n')
	}
	return nil // f keeps the first error
}

// maxListName bounds the name of a list, in bytes: file systems do.
const maxListName = 255

// sharers returns the packages that are mentioned in the same lines by the first of them.
func (w *dictWriter) sharers() map[uint32][]uint32 {
	seed := maphash.MakeSeed()
	firsts := map[uint64][]uint32{} // by the hash of the list
	shared := map[uint32][]uint32{}
	for _, id := range w.seen {
		list := w.packages[id].deltas
		hash := maphash.Bytes(seed, list)
		i := slices.IndexFunc(firsts[hash], func(first uint32) bool { return bytes.Equal(w.packages[first].deltas, list) })
		if i < 0 {
			firsts[hash] = append(firsts[hash], id)
			shared[id] = []uint32{id}
			continue
		}
		first := firsts[hash][i]
		shared[first] = append(shared[first], id)
	}
	return shared
}

// lists writes the lines that mention each word. A key that is too long for the name of a
// file has no list; the reference cannot index it at all.
func (o *output) lists(prefix string, words map[string]*offsets) error {
	for _, word := range slices.Sorted(maps.Keys(words)) {
		if len(prefix+word) > maxListName {
			continue
		}
		err := o.bare(prefix+word, func(f *bufio.Writer) error {
			line := int64(0)
			for delta := range words[word].all() {
				line += delta
				f.Write(append(strconv.AppendInt(f.AvailableBuffer(), line, 10), '\n'))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// file writes a file that begins with the version.
func (o *output) file(name string, content func(*bufio.Writer) error) error {
	return o.bare(name, func(f *bufio.Writer) error {
		if _, err := f.WriteString(header(o.version)); err != nil {
			return err
		}
		return content(f)
	})
}

func (o *output) bare(name string, content func(*bufio.Writer) error) error {
	f, err := o.files.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err = content(w); err == nil {
		err = w.Flush()
	}
	if err != nil {
		return errors.Join(err, abandon(f))
	}
	return f.Close()
}

// merge calls emit with all records in order, those of one group as one.
func merge(sources []source, emit func(record) error) error {
	heads := make([]record, len(sources))
	for i := range sources {
		if err := advance(&sources[i], &heads[i]); err != nil {
			return err
		}
	}
	var whole record
	for {
		least := -1
		for i, s := range sources {
			if s != nil && (least < 0 || bytes.Compare(heads[i].group, heads[least].group) < 0) {
				least = i
			}
		}
		if least < 0 {
			return nil
		}
		whole.group = append(whole.group[:0], heads[least].group...)
		whole.posts = whole.posts[:0]
		for i := least; i < len(sources); i++ {
			for sources[i] != nil && bytes.Equal(heads[i].group, whole.group) {
				whole.posts = append(whole.posts, heads[i].posts...)
				if err := advance(&sources[i], &heads[i]); err != nil {
					return err
				}
			}
		}
		slices.SortFunc(whole.posts, comparePostings)
		if err := emit(whole); err != nil {
			return err
		}
	}
}

// advance reads the next record of a source. At its end the source becomes nil.
func advance(s *source, head *record) (err error) {
	*head, err = (*s).next()
	if err == io.EOF {
		*s = nil
		return nil
	}
	return err
}
