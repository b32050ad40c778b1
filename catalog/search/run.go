package search

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// A posting is a place where a token is: an action line of a package.
type posting struct{ id, off uint32 }

// comparePostings orders postings as the reference has them in a line, where ids
// are sorted as text: 1, 10, 2.
func comparePostings(a, b posting) int {
	if a.id == b.id {
		return cmp.Compare(a.off, b.off)
	}
	return compareDecimal(a.id, b.id)
}

// compareDecimal compares numbers as text.
func compareDecimal(a, b uint32) int {
	x, y := uint64(a), uint64(b)
	for scale := uint64(10); scale <= max(x, y); scale *= 10 {
		if x < scale {
			x *= 10
		}
		if y < scale {
			y *= 10
		}
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
}

// A record is all postings of a group: a token, 0, and kind!key@value as it
// stands in the dictionary. Records are sorted by group, which sorts them by
// token first.
type record struct {
	group []byte
	posts []posting
}

// A run collects postings.
type run struct {
	numbers map[string]uint32 // of groups
	groups  []string
	log     []logged
	size    int // bytes, about
}

type logged struct {
	group uint32
	posting
}

// What a group costs besides its bytes, and a posting, in memory.
const (
	groupCost = 64
	logCost   = 12
)

func (r *run) add(group []byte, p posting) {
	n, ok := r.numbers[string(group)]
	if !ok {
		if r.numbers == nil {
			r.numbers = map[string]uint32{}
		}
		n = uint32(len(r.groups))
		name := string(group)
		r.groups = append(r.groups, name)
		r.numbers[name] = n
		r.size += len(name) + groupCost
	}
	r.log = append(r.log, logged{n, p})
	r.size += logCost
}

// A source yields records in order. It ends with io.EOF.
type source interface {
	next() (record, error)
}

// sorted returns the records of the run.
func (r *run) sorted() *sortedRun {
	s := &sortedRun{run: r, order: make([]uint32, len(r.groups)), starts: make([]uint32, len(r.groups)+1)}
	for i := range s.order {
		s.order[i] = uint32(i)
	}
	slices.SortFunc(s.order, func(a, b uint32) int { return cmp.Compare(r.groups[a], r.groups[b]) })
	for _, e := range r.log {
		s.starts[e.group]++
	}
	sum := uint32(0)
	for i := range s.starts {
		sum += s.starts[i]
		s.starts[i] = sum // its end, until all have taken their place in front of it
	}
	s.posts = make([]posting, len(r.log))
	for _, e := range slices.Backward(r.log) {
		s.starts[e.group]--
		s.posts[s.starts[e.group]] = e.posting
	}
	return s
}

// A sortedRun has the postings of each group one after the other.
type sortedRun struct {
	run    *run
	order  []uint32
	starts []uint32 // of the postings of a group
	posts  []posting
	at     int // in order
	buf    []byte
}

func (s *sortedRun) next() (record, error) {
	if s.at == len(s.order) {
		return record{}, io.EOF
	}
	n := s.order[s.at]
	s.at++
	s.buf = append(s.buf[:0], s.run.groups[n]...)
	return record{s.buf, s.posts[s.starts[n]:s.starts[n+1]]}, nil
}

// writeTo writes the run in a form of its own: for each record the length of the
// group, the group, the number of postings and these, all numbers as varints.
func (r *run) writeTo(out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<16)
	var buf []byte
	for s := r.sorted(); ; {
		rec, err := s.next()
		if err == io.EOF {
			return w.Flush()
		}
		buf = binary.AppendUvarint(buf[:0], uint64(len(rec.group)))
		buf = append(buf, rec.group...)
		buf = binary.AppendUvarint(buf, uint64(len(rec.posts)))
		for _, p := range rec.posts {
			buf = binary.AppendUvarint(buf, uint64(p.id))
			buf = binary.AppendUvarint(buf, uint64(p.off))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
}

// A storedRun is a run that was written.
type storedRun struct {
	r     *bufio.Reader
	group []byte
	posts []posting
}

func (s *storedRun) next() (record, error) {
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		return record{}, err
	}
	if n > maxLine {
		return record{}, errors.New("damaged run")
	}
	s.group = slices.Grow(s.group[:0], int(n))[:n]
	if _, err := io.ReadFull(s.r, s.group); err != nil {
		return record{}, unexpected(err)
	}
	count, err := binary.ReadUvarint(s.r)
	s.posts = s.posts[:0]
	for range count {
		id, err1 := binary.ReadUvarint(s.r)
		off, err2 := binary.ReadUvarint(s.r)
		if err = errors.Join(err1, err2); err != nil {
			break
		}
		s.posts = append(s.posts, posting{uint32(id), uint32(off)})
	}
	return record{s.group, s.posts}, unexpected(err)
}

// unexpected makes an end that comes too early an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
