// Package fmri reads, writes, orders and matches the names of packages.
//
// An [FMRI] names a package, or one version of it; a [Version] and its dot
// sequences, [Dots], say which; a [Pattern] is what a user types to select some.
// All four are small immutable values. They compare with ==, serve as map keys,
// and their zero values are invalid and print as the empty string.
//
// # Grammar
//
//	FMRI      = [ prefix ] name [ "@" version ] { white space } .
//	prefix    = ( "pkg://" | "//" ) [ publisher ] "/" | "pkg:/" | "/" .
//	name      = segment { "/" segment } .
//	segment   = ( letter | digit ) { letter | digit | "_" | "-" | "." | "+" } .
//	version   = release [ "," build ] [ "-" branch ] [ ":" timestamp ] .
//	release, build, branch = number { "." number } .
//	number    = "0" | nonzero digit { digit } .
//	timestamp = YYYYMMDD "T" hhmmss "Z" .
//
// Letters and digits are those of ASCII; the white space that may trail is
// ASCII's too. The version begins after the last "@". An example:
//
//	pkg://openindiana.org/system/library@0.5.11,5.11-2024.0.0.1:20240702T164744Z
//
// A publisher is a name made of letters, digits, "-" and "." that does not begin
// with a dot, or an IPv6 address in brackets; see [CheckPublisher].
//
// # Canonical text
//
// Parse accepts every form of the grammar, and String writes one: with the
// scheme, without an empty publisher, and always with a build. A version that
// omits its build has build 5.11, and since the printed form names directories,
// URLs and catalog entries everywhere, parsing makes the implied build explicit.
// Identity (==) of two values is identity of their canonical text. Order is
// another matter: Compare follows pkg(7) and ignores the build, so versions
// that differ only there Compare as equal without being ==.
//
// Parsing does not allocate: the value refers to the text it was parsed from.
// The exception is a version without a build, which costs one allocation.
//
// # What is refused
//
// The reference reads numbers with its language's integer parser and so takes
// "00", "+1", "1_0", " 1" and digits of other scripts; here they are errors, as
// they are in a timestamp. It lets a name end in a newline if a version follows, and
// takes all white space of Unicode for white space that may trail. It does not check
// publishers while parsing; here they are checked. A publisher of old images, written _PRE_name to mark the preferred
// one, is read but not printed, as in the reference; it is the one thing a
// canonical text does not show. A version may be at most 65,535 bytes long.
// Apart from that there is no limit to the length of names and numbers.
package fmri
