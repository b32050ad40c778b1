// Package solver chooses package versions: it turns what is known, what is
// installed and what is asked for into the exact set of packages an image shall
// contain, or into the reason why there is no such set.
//
// A [Model] holds what is known, from catalogs or any other [Source]; it is made
// once, and works out what dependencies mean when a solve comes upon them. A
// [Solver] answers requests over it. An [Image] and a [Request] are
// plain data, and so are the answers: a [Solution], or an error such as
// [*ConflictError].
//
// # What an answer observes
//
// All dependency types count (require, require-any, optional, incorporate,
// exclude, conditional, group, group-any, origin, parent), as far as variants and
// facets of the image admit them; so do installed incorporations with an
// install-hold, freezes, rejected names, obsolete and renamed packages, publishers
// with their ranks, and explicit-install. A name has at most one version. What
// is requested, and what is installed and not removed, is present, in an
// obsolete version if need be, which means its removal; nothing installed is ever
// dropped silently. Installed packages do not become older unless just older
// versions of them are requested, or an incorporation asks for it that is
// requested itself or, in an update of everything, may be chosen.
//
// A member of a group is left out if it is avoided or rejected, or if nothing
// that holds the group's package could contain it, whatever is in its way. Of
// the others as few are left out as possible. A conditional dependency counts
// if its predicate is there at the version named or newer.
//
// # The order of preference
//
// Of all selections that observe this the answer is one to which no other is
// preferred. Two selections are compared level by level; the first level at
// which they differ decides:
//
//   - A. For a request of some packages: these in the order of the request, each
//     the newer the better. For an update of everything: the installed packages in
//     groups of equal reach (how many names can be reached from them over
//     incorporate dependencies), the widest first, so that incorporations decide
//     before what they incorporate; within a group all at least as new, and one newer.
//   - B. Not for an update of everything: fewer (a subset) of the other installed
//     packages change.
//   - C. Those that change are at least as new, and one newer.
//   - D. Of the packages that are neither installed nor requested none is there
//     that nothing needs, and those there are at least as new, and one newer.
//
// The search decides names in that order, the best version first, and learns from
// contradictions; then it drops what nothing needs, and goes on as long as it finds a
// selection that is preferred at level D. That last step gives up, with a valid
// answer, after a thousand vain attempts. Equal inputs have equal answers, in
// whatever order they are given.
//
// # Limits
//
// A search ends with its context, within milliseconds, or with the limit of
// [Options]. So does the explanation of a conflict: what is known by then is in the
// [ConflictError], which says if its facts may not be the fewest. Conflicts of
// hundreds of facts are not looked through to the end either.
//
// Options.Machine is asked about firmware and processors; without it they are taken to
// be there.
package solver
