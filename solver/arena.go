package solver

// An arena hands out lists that are good until it is emptied, at the end of a
// solve. The next one has their memory.
type arena[T any] struct {
	block []T
	used  int
}

// list returns an empty list with room for n.
func (a *arena[T]) list(n int) []T {
	if a.used+n > len(a.block) {
		a.block, a.used = make([]T, max(n, 2*len(a.block), 64)), 0
	}
	l := a.block[a.used : a.used : a.used+n]
	a.used += n
	return l
}

// clone returns a copy of a list.
func (a *arena[T]) clone(list []T) []T { return append(a.list(len(list)), list...) }

// empty takes back all lists.
func (a *arena[T]) empty() { a.used = 0 }
