// Package manifest reads, edits and writes package manifests, the texts in which
// IPS, the package system of Solaris and illumos, says what a package is.
//
// There are two layers. The syntax is this comment: [Parse] makes a [Manifest] of
// [Action] values, a [Kind] with a payload and attributes, and any text that obeys it
// prints back byte for byte. The meaning is on top: [Action.Decode] makes a
// [File], a [Depend] and so on of an action, with errors of their own.
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
// Lines end in LF or CR LF. Blanks, which are spaces and tabs, before a line are
// removed. A line that then ends in a backslash continues: the backslash goes and the
// next line follows without anything between. What remains is a comment if
// it begins with "#", nothing if it is empty, or else an action:
//
//	action  = type WS [ payload WS ] *( attr WS )   the last WS may lack behind an attr
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
// A newline can only stand in an action that [ParseAction] reads, not in a manifest.
//
// A bare value is literal; quotes, "=" and backslashes within mean nothing. In quotes a
// backslash before a backslash or the same quote stands for the latter, and
// before anything else for itself. Quoted strings that follow each other, with
// blanks between or none, are one value. An attribute may follow a closing quote directly.
// A name that repeats has a list of values.
//
// The payload is a hash in a published manifest and a path before. Only file, license
// and signature have one. It may also be given as hash=, which then is no attribute
// but the payload; of several the last counts, and of quoted strings the last string; both
// must agree. A file or license without has the payload NOHASH.
//
// # Accepted
//
// An action is kept in one form. [ParseAction], [NewAction] and [Manifest.Add]
// bring it there:
//
//   - "set a=b" is "set name=a value=b".
//   - Slashes before a path are removed. Otherwise paths are kept, even those that
//     lead out of the image; it is the typed actions that refuse them.
//   - clone_perms of a driver, of three words, gets the name of the driver before them.
//   - A signature has value= and version=0 if these are missing.
//
// In a manifest, the historic "set name=authority" is read as publisher, and an action
// with opensolaris.zone gets variant.opensolaris.zone. Actions are never
// merged or dropped; of several set actions for a name the last counts ([Manifest.Set]).
//
// # Refused
//
// Every fault is a [SyntaxError] with a [Fault] and a [Class], and in a manifest an
// [Error] with its place; Parse finds all of them. Refused are types that are not listed
// and what the grammar does not have; the name data; an action without its
// key attribute ([Kind.KeyAttr]) or with two, except fmri in a depend with one type=;
// a set without name or value; a signature without algorithm; a path that
// is empty or repeats.
//
// The reference is pkg(7) as Solaris and OmniOS have it. This package is stricter where
// the reference is lenient by accident:
//
//   - A quote as the first character of a name or payload is refused.
//   - Control characters other than blanks are refused, in comments too: the reference
//     ends lines at CR, VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, so that it would find actions
//     where we see none. (The last two may stand in an action outside a manifest.)
//   - A manifest that ends in a continuation is refused, rather than losing its last
//     action. This fault is reported where there is no other.
//   - Size, length of lines and number of attributes have limits ([Options]).
//
// # Written
//
// [Manifest.Text] is the text that was read, byte for byte, and a canonical line for each
// action that was added. The canonical text of an action is its type; its payload; then its
// attributes sorted by name as bytes, the values of a name in their order. A value is quoted
// if it is empty, has a space or a quote, or, being the only one of its name, "$(":
// in double quotes if it has none, else in single quotes if it has none of those,
// else in double quotes with backslashes before those within. A mode of 0o755 is
// written 0755. This is the text that the reference writes, on OmniOS (Solaris does not quote
// "$("), as long as that reads back as the same action. Where it does not, ours does:
//
//   - A value with a tab or newline is quoted, even without a space.
//   - In quotes, a backslash before a backslash, a quote or the end is doubled.
//   - A payload with an apostrophe or tab is written as hash=.
//   - The empty payload of hash="" is written NOHASH, as which it reads back.
//   - In a manifest, a last value that ends in a backslash is quoted, lest the
//     line continue.
//   - An unknown action without attributes is written with a blank behind it.
//
// What cannot be written, such as a name with a blank, is refused by [NewAction].
// A manifest with actions in the order of [Action.Compare] is a sorted one ([Manifest.Sorted]).
package manifest
