// Package solver chooses package versions: it turns what is known, what is
// installed and what is asked for into the exact set of packages an image shall
// contain, or into the reason why there is no such set.
package solver
