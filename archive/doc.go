// Package archive reads and writes p5p package archives and p5i publisher
// information.
//
// # Archives
//
// A p5p archive is a repository in one file: an uncompressed tar archive in the pax
// format of POSIX.1-2001 that holds manifests and payloads of one or more publishers.
// Its members, in the order in which they are written:
//
//	pkg5.index.0.gz                                  the index
//	publisher/
//	publisher/<publisher>/                           before its first package
//	publisher/<publisher>/pkg/
//	publisher/<publisher>/pkg/<name>/                before its first version
//	publisher/<publisher>/pkg/<name>/<version>       a manifest, as it was published
//	publisher/<publisher>/file/                      before its first payload
//	publisher/<publisher>/file/<hh>/                 before the first of this directory
//	publisher/<publisher>/file/<hh>/<hash>           a payload, as it is stored: gzip
//	…
//	pkg5.repository                                  marks the tree as a repository
//	publisher/<publisher>/pub.p5i                    what is known of a publisher, if so
//
// Packages are in the order in which they were added, and behind each manifest are
// its payloads in the order of its actions, without those that the archive has
// already for the same publisher. Names and versions are escaped as [fmri.Escape]
// does, and a payload has the name [manifest.Payload] gives it, in the directory of
// its first two digits.
//
// Directories have mode 0755 and their names a final slash, files have mode 0644;
// everything belongs to root and group root with the numbers 0. A pax header, named
// ././@PaxHeader, precedes a member where the plain one does not suffice: with a path
// of more than 100 bytes or not in ASCII, and with a size of 8 GiB or more. Two
// blocks of zeros and more, up to a multiple of 10,240 bytes, end the archive.
//
// # The index
//
// The index is the first member, has a pax record comment=pkg5.archive.version.0, and
// is compressed with gzip. It has a record for each other member, in order:
//
//	record = name NUL offset NUL entry NUL size NUL type NUL LF .
//
// The name is that of the member without a final slash. The others are decimal
// numbers: the offset of the member's first header from the end of the index, the
// size of the member with headers and padding, the size of its content, and its type,
// which is 0 for a file and 5 for a directory. An example of a record for a manifest
// of 603 bytes:
//
//	publisher/example.org/pkg/web%2Fserver/2.4%2C5.11-1%3A20240702T164744Z|6144|1536|603|0|
//
// The reference writes b'0' and b'5' for the types and ignores them when it reads;
// here 0 and 5 are written, and what is there is ignored, too.
//
// # What is read
//
// With an index, [NewReader] reads only that, and a member when it is asked for.
// Without one, such as in an archive made by tar, it goes through the headers of all
// members. All tar formats that package archive/tar knows are read. An archive
// may lack pkg5.repository, and it may have a catalog/ for a publisher; if
// it has none, the catalog is generated from the manifests, and was last
// modified when the newest package was published.
//
// # What is refused
//
// An archive that is compressed as a whole, or is cut off, be it in a header, the
// index, a member or the final blocks; an index of another version, with a name
// twice, with members beyond the end, or larger than an archive of this size can
// have; members other than files and directories, such as links and devices; names
// that are absolute or lead upwards; names of publishers that are none. A member is
// refused when it is read if its header is not what the index says. Errors of this
// kind are of type [*Error] and name the member and its offset. What an archive does
// not have is reported as [fs.ErrNotExist].
//
// # Publisher information
//
// A p5i file describes publishers and packages of theirs; see [Info].
package archive
