// Package search finds actions by words: it builds and reads the search index of
// repositories and images, in the form of the reference, and has the language of
// queries.
//
//	q, err := search.ParseQuery("file:basename:libssl.so*")
//	for hit, err := range index.Search(ctx, q, manifests, nil) { ... }
//
// A [Builder] makes the index of manifests, [Open] reads it, [Index.Search] finds with
// it what a query asks for, and [Walk] finds the same without one.
//
// # Tokens
//
// A token is a word by which an action is found, under a key that says what it is. A
// hit shows a value, which is the key if nothing else is said.
//
//	kind        key                 token
//	dir, file,  basename            last element of the path
//	link,       path                / and the path
//	hardlink
//	file        content             payload; the value is the payload, too
//	            hash                payload
//	            pkg.content-hash    all values; so pkg.hash.sha256, pkg.hash.sha512t_256
//	link,       mediator...         each attribute whose name begins so, if there
//	hardlink                        is a mediator
//	license     license             name, blanks included
//	            hash, content       payload
//	            pkg.content-hash    as above; without it the action has no tokens at all
//	signature   certificate         payload; value is the token
//	            algorithm           value is the token
//	            signature           attribute value; value is the token
//	            pkg.content-hash    as above
//	depend      its type            each FMRI without scheme and publisher; and the same
//	                                without version, if it has one
//	user, group name                username, groupname
//	driver      driver_name         name
//	            alias               each alias
//	legacy      legacy_pkg, pkg     pkg
//	set         its name            each value, or the words of one that has a space;
//	                                value is the whole value
//
// Two sets are different. Of info.classification the scheme is removed, up to the
// colon; tokens are the rest, and the words of each of its parts between slashes; the
// value is the rest. If there is another colon it is a set as any other. Of fmri and
// pkg.fmri the tokens are publisher/name, build release, release, timestamp, and the
// name with as many of its first elements removed as you like; the value is
// publisher/name.
//
// Words are what is between white space. Nothing else divides them, and their case is
// kept. A word that occurs twice in an action is two tokens, and found twice.
//
// Only actions that stand on one line are indexed. Comments, blank lines and what is
// no action are passed over; see Builder.Skipped.
//
// # Files
//
// An index is a directory. Its files begin with the line "VERSION: N", with the same N
// in all of them, but for those named __.
//
//	main_dict.ascii.v2     for each token, in the order of bytes, where it is
//	token_byte_offset.v1   the same tokens, and where their lines begin in main_dict
//	manf_list.v1           packages as name@version; the one in line i has the id i, from
//	                       zero, and an empty line is an id that is free
//	full_fmri_list         the set of packages, as pkg:/name@version
//	fmri_offsets.v1        for each package which lines of main_dict mention it
//	fast_add.v1            in images: packages that are installed and not in main_dict
//	fast_remove.v1         in images: packages in main_dict that are not installed
//	__at_KIND              which lines of main_dict mention a kind of action, and
//	__st_KEY               a key, once for each kind: decimal offsets, one to a line
//	full_fmri_list.hash    in images: SHA-1 of the sorted list
//	lock                   of who writes
//
// The last two are neither written nor read here. A line of main_dict is
//
//	line    = TOKEN 1*( " " KIND 1*( "!" KEY 1*( "@" VALUE 1*( "#" id 1*( "," offset ) ) ) ) ) .
//
// for example
//
//	hello file!basename@basename#2,237#3,721 set!pkg.summary@A%20program#3,184
//
// Offsets are those of bytes in the manifest of the package, where the line with
// the action begins. Tokens and values are percent-encoded but for letters, digits and
// "_.-~/". In a line groups are sorted as text, so id 10 comes before 2, and offsets as
// numbers. A key with one of the characters that divide a line, or a slash, has these
// percent-encoded; the reference writes lines then that it cannot read. One that makes
// a name of a file longer than 255 bytes has no file.
//
// A line of token_byte_offset is a flag, the token, a space, and the offset of its line
// in main_dict from the beginning of that file. The flag is 1 if the token is
// percent-encoded, because it has a space in it, and 0 if it is as it is.
//
// A line of fmri_offsets is name@version of all packages that are mentioned in the same
// lines, with spaces between, "!", and the offsets of these lines, ascending, each as
// the difference to the one before. The packages are in the order in which
// main_dict mentions them first.
//
// The first index has version 2, and one that adds to it the next. Where the reference
// gives ids in no particular order, a Builder gives them in the order of Add; for ids
// in the same order all files are the same to the byte, but for the order of the set.
//
// # Replacing an index
//
// Files of different indexes do not fit together, and the version shows it only if they
// are of one line of updates. Whoever replaces an index removes main_dict.ascii.v2
// first and stores the new one last, so that in between there is none. Builder.Write
// writes it so, and Open relies on it.
//
// # Queries
//
// A query is terms. Each is a pattern for a whole token: "*" is any text, "?" any
// character, and [...] one of a set or range, [!...] one that is not. A pattern of nothing
// but "*" and "?" finds every token. Restrictions stand before it, with colons:
//
//	package:action:key:token
//
// from the right, so that "path:/usr/bin/ls" restricts the key; an empty one, or "*", is
// none. The package is a pattern for the beginning of name@version, the others are exact.
// A colon in a token is written "\:". Restrictions alone find every token, and
// followed by a space they restrict what follows.
//
//	query       = terms [ ( "AND" | "OR" ) query ] .     both bind to the right
//	terms       = base { base } .                        AND
//	base        = token | restricted | phrase | "(" query ")" | "<" query ">" .
//	restricted  = { restriction ":" } [ token ] [ token | phrase | restricted ] .
//	phrase      = "'" token { token } "'" | `"` token { token } `"` .
//
// Tokens end at white space, and a token does not end in ")", ">" or a quote, nor
// begins with a quote or "("; in it they are as other characters. There is
// no NOT. "<" may have p, pk, pkg or pkgs before it, in any case.
//
// Terms and phrases find actions; <query> finds the packages that have them. AND and OR
// want the same on both sides. AND of actions keeps those hits of the left side whose
// action has a token, any of its tokens, that the right side wants; a restriction on the
// right side applies to the hit. A phrase finds actions with its first word as a token,
// or the beginning of one, whose line has all of the phrase in it; so paths in
// a phrase have no slash at the beginning.
//
// By default case does not matter.
//
// # Limits
//
// A query has at most 64 KiB and 200 words. The tokens of an action have at most 64 MiB
// with their values, which is far beyond what a description has; one with more is not
// indexed. A line of an index has at most 256 MiB, and
// so have the lists of packages. An index that is being made takes 12 bytes for each
// token of each action, and the different ones once, up to Builder.Memory if there is
// Scratch; and about two bytes for each pair of a package and a token, which is what
// fmri_offsets is made of.
package search
