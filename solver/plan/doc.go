// Package plan turns package changes into an ordered list of changes to a machine.
//
// It is the second half of deciding: the solver says which packages change, a plan says
// what follows for files, directories, links, users and the rest. It is a pure function of
// its [Input], which gives it manifests, and it touches nothing. A [Plan] is data: it
// prints, and it marshals to JSON and back, so that one program can show it, another one
// compare it and a third one carry it out.
//
// # From manifests to steps
//
//  1. The manifests of each package, before and after, are filtered by the variants and
//     facets before and after, and compared. What the administrator excludes is left out of
//     both. What is only in the old one is removed, what
//     is only in the new one is installed, and what differs is updated. Directories that
//     no action names but paths imply belong to a package like any others. Actions that
//     do nothing to a machine, such as set and depend, give no steps.
//  2. What packages add in places that are reserved for the image is refused: [ErrReserved].
//  3. Things that cannot be there together are refused: [*ConflictError]. Everything at one path
//     is of one type; only one package delivers a file, user, group or driver, unless one
//     file is an overlay of the other; several packages may deliver the same directory,
//     link or legacy action if they agree about it. Implied directories of packages that
//     stay count, too. A conflict that was there before and does not get worse is no reason
//     to refuse, and one that ends is repaired.
//  4. Of mediated links, those stay and come that belong to what the image settles on.
//  5. Removals of what another package still delivers are dropped. A thing that goes from
//     one package to another is updated. A file with the attribute original_name takes the
//     content of the file that it was. Hardlinks of updated files are made anew.
//
// Licenses are the one thing that belongs to its package alone, also where the name of
// the license is the same; the reference lets packages share them, and loses texts.
//
// # Order
//
// All removals come first, then what is installed, then what is updated. Within a phase
// the order is that of the kinds (group, user, dir, file, hardlink, link, driver, license,
// legacy), then that of paths; a hardlink comes after the hardlink that it is made to.
// Removals are the other way round.
//
// # Edited files
//
// What becomes of a file that somebody has edited depends on what is on disk when the step
// is carried out. [Step.Decide] says it, given these facts.
//
// # Not yet
//
// Release notes, package actuators (pkg.additional-*) and the space that a plan takes are
// not worked out. A file that is overlaid and moves elsewhere at the same time does not
// take its content along.
package plan
