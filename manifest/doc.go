// Package manifest reads, edits and writes package manifests, the texts in which IPS,
// the package system of Solaris and illumos, says what a package is.
//
// There are two layers. The syntax is this comment: [Parse] makes a [Manifest] of
// [Action] values, each a [Kind] with a payload and attributes, and a manifest prints
// back byte for byte. The meaning is on top: [Action.Decode] makes a [File], a
// [Depend] and so on of an action, [Action.Validate] finds what publishing it would
// find, each with errors of its own.
//
// # Grammar
//
// A manifest is UTF-8 text. It is a list of actions, one to a line:
//
//	set name=pkg.fmri value=pkg://example.org/editor@1.2,5.11-1:20240101T000000Z
//	depend fmri=pkg:/library/c@1.0 type=require
//	dir group=sys mode=0755 owner=root path=usr
//	# The editor itself.
//	file 2b5c2b... group=bin mode=0555 owner=root path=usr/bin/editor \
//	    pkg.size=1048
//
// Lines end in LF or CR LF. Spaces and tabs before a line are removed. A line that then
// ends in a backslash continues: the backslash goes, and the next line follows with
// nothing between. What comes of this is ignored if it is empty or begins with "#", and
// is an action otherwise:
//
//	action  = type WS [ payload WS ] *( attr WS )  ; the last WS may be missing behind a value
//	type    = "set" | "depend" | "group" | "user" | "dir" | "file" | "hardlink" | "link"
//	        | "driver" | "unknown" | "license" | "legacy" | "signature"
//	payload = 1*( any character but WS, "=" and quotes )
//	attr    = name "=" value
//	name    = 1*( any character but WS, "=" and quotes )
//	value   = bare | quoted *( *WS quoted )
//	bare    = a character but WS and quotes, then any characters up to WS
//	quoted  = `"` *char `"` | "'" *char "'"
//	WS      = 1*( space | tab | newline )
//
// Newlines can only stand in an action that [ParseAction] reads, not in a manifest.
//
// A bare value is literal: quotes, "=" and backslashes in it mean nothing. In quotes, a
// backslash before a backslash or before the same quote stands for the latter; before
// anything else it stands for itself. Quoted strings that follow each other, with or
// without blanks between, are one value. An attribute may follow a closing quote
// directly. A name that repeats has a list of values.
//
// The payload is a hash in a published manifest and a path before that. Only file,
// license and signature can have one. It can also be given as hash=, which is then no
// attribute but the payload; the last hash= counts, and of several quoted strings the last.
// If both forms are there they must agree. A file or license with neither has the
// payload NOHASH.
//
// # Accepted
//
// An action is kept in one form, to which [ParseAction], [NewAction] and
// [Manifest.Add] bring it:
//
//   - "set a=b" is "set name=a value=b".
//   - Slashes before a path are removed. Otherwise paths are kept, even those that lead
//     out of an image; [Action.Path] refuses these.
//   - clone_perms of a driver gets the name of the driver as its first of four words if
//     it has three.
//   - A signature has value= and version=0 if these are missing.
//
// In a manifest, the historic "set name=authority" is read as publisher, and an action
// with opensolaris.zone gets variant.opensolaris.zone. Actions are never merged or
// dropped; of several set actions for a name the last counts ([Manifest.Attribute]).
//
// # Refused
//
// Each fault is a [SyntaxError] with a [Fault] and its [Class], and in a manifest an
// [Error] with its place; Parse finds all of them. Refused are types that are not
// listed and all that the grammar does not have; the name data; an action without its
// key attribute ([Kind.KeyAttr]) or with two, except for fmri in a depend with one
// type=; a set without name or value; a signature without algorithm; a path that is
// empty or repeats.
//
// The reference is pkg(7) as Solaris and OmniOS have it. This package is stricter where
// the reference is lenient by accident:
//
//   - A quote as the first character of a name or payload is refused, if nothing else
//     is wrong with the action.
//   - Control characters other than blanks are refused, in comments too. The reference
//     ends lines at CR, VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, and so would find
//     actions where we see none. The last two may stand in an action outside a manifest.
//   - A manifest that ends in a continued action is refused, if nothing else is wrong
//     with it. The reference drops the action.
//   - The size, the length of lines and the number of attributes have limits
//     ([Options]).
//
// # Written
//
// [Manifest.Text] is the text that was read, byte for byte, and a canonical line for
// each action that was added. The canonical text of an action is its type; its payload;
// its attributes sorted by name as bytes, the values of a name in their order. A value
// has quotes if it is empty, or has a space or a quote, or is the only one of its name and
// has "$(": double ones if there are none in it, else single ones if there are none
// of those, else double ones with a backslash before each in it. The only mode of an
// action is written 0755 if it is 0o755. This is what the reference writes on OmniOS
// (Solaris does not mind "$("), as long as that reads back as the same action. Where it
// does not, ours does:
//
//   - A value with a tab or newline has quotes, even without a space.
//   - In quotes, a backslash is doubled before a backslash, the quote or the end.
//   - A payload with an apostrophe or tab is written as hash=.
//   - The empty payload of hash="" is written NOHASH.
//   - In a manifest, a last value that ends in a backslash has quotes, lest the line
//     continue.
//   - A mode that begins with 0oo is kept.
//   - An unknown action without attributes has a blank behind it.
//
// What cannot be written, such as a name with a blank, is refused by [NewAction].
// [Manifest.Sorted] has the actions in the order of [Action.Compare].
//
// # Meaning
//
// [Decoded] lists the types that name the attributes of each kind; [Action.Decode] and
// their Action methods go both ways. An attribute without a field is kept in Extra.
// Reading is tolerant: Decode refuses what would be misunderstood, and
// [Action.Validate] finds all that must not be published.
//
// Paths. [Action.Path] and [Action.Target] return paths that lie below the root of an
// image whatever the text says, or refuse it. The paths of decoded values are such paths.
//
// Payloads. An action says what its payload is with these values, which
// [Action.Payload] reads, [Action.WithPayload] writes, and [Packer] computes:
//
//	the payload           SHA-1 of the content, the name in repositories
//	pkg.size              bytes of content
//	pkg.csize             bytes of the stored form, which is the content in gzip
//	chash                 SHA-1 of the stored form
//	pkg.content-hash      file:ALGORITHM:HEX of the content,
//	                      gzip:ALGORITHM:HEX of the stored form,
//	                      gelf:ALGORITHM:HEX of the sections of an ELF file,
//	                      gelf.unsigned:ALGORITHM:HEX without its signature
//	elfhash               SHA-1 of the sections of an ELF file
//	elfarch, elfbits      what it runs on
//	pkg.hash.ALGORITHM    content; read but no longer written
//	chain, chain.*,       the same for the certificates of a signature, each a list
//	pkg.chain.*           with blanks between
//
// Algorithms are sha512t_256, sha256 and sha1, the most preferred first; others do not
// count. Bytes come in through a [PayloadReader], which compares all that is known.
//
// Variants and facets. Tags variant.NAME and facet.NAME say for which images an action is;
// a [Filter] decides. Unlike in the reference, a variant that an image has not set is
// "false", but not "falsey".
//
// Mediated links. [Mediate] settles which of the links at one path an image has.
//
// Differences. [Diff] compares manifests as an update does, and [Action.Different] two
// actions for one thing. [Merge] makes one manifest of those for several values of a
// variant, and refuses what the reference calls blending.
// [Manifest.SigningText] is the text that a signature covers.
package manifest
