package search

import (
	"encoding/binary"
	"iter"
)

// offsets is an ascending list of lines of the dictionary, small in memory: the
// differences as varints. There are as many in all as there are pairs of a token
// and a package.
type offsets struct {
	last   int64
	deltas []byte
}

// add adds a line.
func (o *offsets) add(line int64) {
	o.deltas = binary.AppendUvarint(o.deltas, uint64(line-o.last))
	o.last = line
}

// all yields the differences, of which the first is to zero.
func (o *offsets) all() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for rest := o.deltas; len(rest) > 0; {
			delta, n := binary.Uvarint(rest)
			if rest = rest[n:]; !yield(int64(delta)) {
				return
			}
		}
	}
}
