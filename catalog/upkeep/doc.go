// Package upkeep is for those who keep catalogs over years: how large one is and what
// makes it so ([Measure]), which versions are worth keeping ([Retention], [Thin]), and
// whether a catalog that was fetched is a later state of the one known ([State.Check]).
//
// It computes and changes nothing. What is to be removed, a [catalog.Builder] removes
// from a catalog, and package repo from a repository, payloads included.
package upkeep
