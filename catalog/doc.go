// Package catalog reads, writes, compares and updates catalogs: what package versions
// a repository has, and what a client needs to know of them to list, search and
// choose packages without their manifests.
//
// # Files
//
// A catalog is a directory of JSON files.
//
//	catalog.attrs              what files there are, and in which state
//	catalog.base.C             every version, with the digest of its manifest
//	catalog.dependency.C       depend actions, and set actions that matter for choosing
//	catalog.summary.LOCALE     all other set actions, by language; C is the default
//	update.YYYYMMDDTHHZ.LOCALE what happened in that hour of UTC
//
// The locale of a file is what follows the second dot of its name. The attributes
// have these members and may have others:
//
//	{"created":"20260301T090000.610382Z",
//	 "last-modified":"20260301T123504.950217Z",
//	 "package-count":8,
//	 "package-version-count":8,
//	 "parts":{"catalog.base.C":{"last-modified":TIME,"signature-sha-1":HEX}, ...},
//	 "updates":{"update.20260301T12Z.C":{"last-modified":TIME,"signature-sha-1":HEX}, ...},
//	 "version":1,
//	 "_SIGNATURE":{"sha-1":HEX}}
//
// The time of creation is the identity of a catalog. Packages are counted per
// publisher. A time is YYYYMMDDTHHMMSS, then a dot and six digits of fraction, or neither
// if the fraction is zero, and Z. A file's modification time is that of its last change
// in whole seconds.
//
// A part has for each publisher and package a list of entries in ascending order of
// versions, as package fmri compares them:
//
//	{"example.org":{"web/server":[ENTRY, ...], ...}, "_SIGNATURE":{"sha-1":HEX}}
//
// Keys of the outer object that begin with "_" are no publishers. Of them, _FEATURE is
// known to occur; it is kept. An entry of the base part is
//
//	{"metadata":{...},"signature-sha-1":HEX,"version":"1.0,5.11-1:20260301T092503Z"}
//
// where the digest is that of the manifest's text as it is stored and served, and metadata
// is what an image notes with it. Both may be missing. An entry of another part is
//
//	{"actions":["depend fmri=lib/ssl@1 type=require", ...],"version":"1.0,5.11-1:20260301T092503Z"}
//
// with the canonical text of actions in the order of the manifest, depend before set. A
// part has an entry only for versions of which it has actions. What goes where:
//
//	depend                                                  dependency
//	set variant*, facet*, pkg.depend.*, pkg.obsolete,
//	    pkg.renamed, pkg.legacy                             dependency
//	set fmri, pkg.fmri                                      nowhere
//	set publisher, info.source-url*, pkg.debug*,            nowhere, or, at Oracle and
//	    pkg.linted*                                         OpenIndiana, summary
//	set NAME:LOCALE...                                      summary of the locale
//	other set                                               summary of C
//
// An update log has for each publisher and package a list of operations in the order in
// which they were performed. One that replaces an entry is a remove and an add.
//
//	{"catalog.base.C":ENTRY,"catalog.dependency.C":ENTRY,"catalog.summary.C":ENTRY,
//	 "op-time":TIME,"op-type":"add" or "remove","version":"1.0,5.11-1:20260301T092503Z"}
//
// The log of a locale has the entries of parts of that locale.
//
// # Canonical form and signatures
//
// In canonical form there is no white space but one newline at the end; keys are sorted
// by code point; \b, \t, \n, \f, \r, \" and \\ are written so, other control
// characters as \u00xx and all beyond ASCII as \uxxxx or two of these, in lower-case
// hexadecimal; and U+007F stands for itself. The signature of a file is the SHA-1 of its
// canonical form without _SIGNATURE. To sign it, _SIGNATURE is added as the last member,
// out of order, and the same digest is listed in the attributes. Thus the signature
// of an empty part is the digest of "{}\n".
//
// This is what is written, byte for byte as the reference does it. What is read may have
// other white space, another order of keys and entries, further members and unescaped
// characters. It agrees with a signature if its bytes up to _SIGNATURE do, or if its
// canonical form does, which is all that the reference looks at. Servers that escape in
// upper case sign other bytes than the reference does; theirs are accepted by the
// first rule. A file that was read and is not canonical is canonical when written, with
// a new signature.
//
// Refused, with the offset of the byte, are text that is not JSON or not UTF-8, half
// surrogate pairs, equal keys in one object, versions or names that package fmri
// refuses, a version that occurs twice, a part with a version that the base part does not
// have, counts in the attributes that are not those of the base part, and whatever
// exceeds the [Limits]. A _SIGNATURE with further digests than SHA-1 is no valid one.
//
// # In memory
//
// A [Catalog] is immutable. Its versions are numbered in the order of publisher, name and
// version; a row of 32 bytes refers to the text of the version and holds its state
// and the digest of its manifest. Each part is a table of its distinct actions and of
// numbers that say which version has which. The text of a file is scanned once while it
// streams by, and not kept: the 111 MB of dependencies of a distribution with 76,629
// versions become 13 MB. Hashing it, and finding its actions among the distinct ones, is
// done beside that by two more goroutines. Nothing in the columns is a pointer, so that
// the garbage collector has nothing to do with them.
//
// Text lies in chunks, which a catalog that is derived from another shares.
//
// # Index
//
// [Catalog.WriteIndex] writes the columns as they are in memory, with a checksum for
// each block of 8 KiB, and the attributes, which are the key: [Read] takes an index for
// the catalog only if these are those of the directory, or of an earlier state from which
// the update logs there lead to it. An index that is damaged, of another version or of
// another catalog is passed over, and the parts are read. It guards against accidents,
// not against somebody who can write it. The file begins with a head and ends
// with a directory of its sections; numbers are little-endian:
//
//	head       "IPSINDEX", version (4 bytes), 0 (4)
//	sections   each at a multiple of 32 bytes
//	directory  for each section its kind (4), part (4), offset (8) and length (8),
//	           then for each block of what is before the directory its CRC-32C (4)
//	tail       offset of the directory (8), number of sections (4),
//	           CRC-32C of the directory (4), 0 (8), "IPSINDEX"
//
//	kind  section
//	0     the attributes as text; part is 0 up to kind 8
//	1     of a part: {"meta":{...},"name":NAME,"skipped":BOOL}, where meta has the members that
//	      are no publishers; part, here and below, is the place in the attributes
//	2     of each publisher: its stems from (4) to (4), length of its name (4), name
//	3     names and versions, one after another
//	4     of each stem: offset and length of its name in section 3 (4, 4)
//	5     of each stem, and one more: its first version (4)
//	6     of each version: offset (4) and length (2) in section 3, 1 if it is obsolete plus
//	      2 if renamed plus 8 if it has a digest (1), 0 (1), stem (4), digest (20)
//	7     of each version: which set of further members its base entry has (4); may be missing
//	8     of each set: offset and length in section 9 (4, 4)
//	9     sets of members as JSON objects
//	10    stem, count, and that many versions in the order of the file (4 each), for stems
//	      whose versions are not in ascending order there; may be missing
//	11    distinct actions, one after another
//	12    of each action: offset and length in section 11 (4, 4)
//	13    of each action: 1 if it marks its package obsolete, plus 2 renamed, plus 4 if it
//	      needs escapes in JSON (1)
//	14    of each version, and one more: where its actions begin in section 15 (4)
//	15    actions of all versions (4)
//	16    of entries without actions, or with further members: version, 1 if it has no list,
//	      offset and length of the members in section 17 (4, 4, 4, 4)
//	17    members as JSON objects
//
// # What costs what
//
// Reading a catalog, and so a full refresh, costs a pass over all bytes; memory is that of
// the columns. Opening an index costs nothing, one package of it some blocks, all names and
// versions their columns.
//
// Applying update logs costs what the logs have, and a copy of the columns, which are a
// tenth of the files. But the signatures in the new attributes are those of whole parts: to
// compare them, which [Apply] and [Refresh] do unless [ReadOptions.TrustLogs] is set,
// every part that changed is brought into canonical form and hashed, without being
// written. A client that keeps an index need not write parts at all.
//
// Adding to a catalog with [Builder] costs what is added and that copy of the columns. A
// repository must then write every part that changed as a whole, since entries are
// sorted and the signature is at the end: this is one pass of copying and hashing. The
// update log of the current hour is written as a whole, too; those of other hours are
// not touched.
//
// Comparing two catalogs passes over both lists of versions, and looks at the actions only
// of those that have no digests.
//
// # Writing a directory
//
// [Catalog.Files] yields the files in the order in which they must become visible: logs,
// parts, attributes. The attributes are the commit point. Who reads while they are
// being replaced may find parts of one state with attributes of another; the
// error is a [*SignatureError] or a [*FormatError], and the remedy is to read again. After
// a crash [ReadOptions.Salvage] reads what is there.
//
// This package opens files through [fs.FS] and writes to an [io.Writer]. Making
// files durable and locking are the business of who owns the directory.
package catalog
