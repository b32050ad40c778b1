// Package repo reads, publishes to, copies between and checks package
// repositories.
//
// A [Source] is anything packages can be read from, a [Sink] anything they can be
// published to. A [Repository] is both, in a store: a directory, memory or
// whatever else satisfies package store. [Copy], [Clone], [Verify], [Diff],
// [Join] and [Selection] work on sources; [Publish] makes a package of a source
// manifest and files. Package bundle, below this one, makes such a manifest of a
// directory or an archive.
//
// What a program reads from and publishes to is named by a [Location], a path or a URI,
// and opened by a table of [Openers]. The table begins with [Local], and the program adds
// the schemes that it links in. What was opened has a Close.
//
// Beyond their contract sinks and transactions may have methods that make them faster, or
// more exact. Each is an interface of its own, with a function of the same name that does
// without where it can: [Batcher], [Placer], [Holder], [Taker], [Unlister], [Enlister],
// [Appender], [Cloner]. Publish, Copy and Clone know no more of a sink than that. Package
// repotest proves sources and sinks, and has wrappers.
//
// # Layout
//
// A Repository has the layout that the reference calls version 4:
//
//	pkg5.repository                         configuration: sections of properties
//	publisher/<name>/pub.p5i                what is known about the publisher
//	publisher/<name>/catalog/               see package catalog
//	publisher/<name>/pkg/<stem>/<version>   manifests, names escaped by fmri.Escape
//	publisher/<name>/file/<hh>/<hash>       payloads, compressed with gzip, by the SHA-1 of their content
//	publisher/<name>/index/                 search index, see package catalog/search
//	publisher/<name>/trans/<id>/            transactions that are suspended
//	publisher/<name>/tmp/lock               who writes: process, host and time, a line each
//	publisher/<name>/tmp/ips.journal        what is being written; see below
//	publisher/<name>/tmp/ips.index          a copy of a large catalog that opens fast
//	publisher/<name>/pkg5-quarantine/       what Fix has put aside
//
// It may be used together with the programs of the reference, which pay no
// attention to the journal and respect the lock. Version 3 is for one publisher,
// without the first two levels of names, and with cfg_cache for its configuration.
// It belongs to the publisher that it is first written for; there is no Fix of it.
// Payloads that old programs named file/<hh>/<6 digits>/<hash> are found there, and
// get the names above from whoever writes next.
//
// # Invariants
//
// Writers of one publisher exclude each other. What is written is durable before
// what refers to it is written:
//
//  1. payloads;
//  2. the journal, which names the packages concerned;
//  3. manifests;
//  4. update logs and parts of the catalog;
//  5. catalog.attrs, the commit point;
//  6. then only what nothing refers to any more is removed: manifests first, and
//     the payloads that no manifest of the publisher names;
//  7. the journal.
//
// Hence at any time:
//
//   - Every package that a catalog lists has its manifest, and that all of its
//     payloads.
//   - A catalog whose files agree with each other is one that some writer meant.
//     Readers take no other: they read catalog.attrs first, then the parts, and
//     begin again if these do not belong together.
//   - A journal that is there while nobody holds the lock was left by a process
//     that is dead. If the catalog is whole, it decides: packages of the journal
//     that it does not list are removed. If it is not, step 4 had begun, so all
//     before it is there, and a new catalog is made in which the operation is
//     complete. Clients notice a new catalog by its time of creation, and fetch it
//     whole. [Open] does this, and every writer before it writes. A journal that
//     nobody can follow keeps no one from reading; Fix and RebuildCatalog begin anew.
//
// The search index is apart from that: nothing depends on it. It is made by Rebuild
// and Refresh, of packages that are listed, and purged before a manifest is removed or
// replaced. While it is replaced, and if that is interrupted, there is none, and Search
// reads the manifests. What was published since it was made is found as well. It is
// written with its own lock, which depots of the reference respect, index/lock.
//
// An interruption may leave payloads that nothing refers to, and so may a transaction that
// was suspended and is aborted. They do no harm, and are found and used when they are
// stored again.
//
// # Stored forms
//
// A payload is stored in one form for all packages that have it, and manifests
// say which: its size and digests. Two publishers who compress differently make
// two forms of one content.
//
// So it is best to compress as the reference does, byte for byte, where the reference
// publishes too: [PackExact]. That takes ten times as long as [PackFast] for 4 percent fewer
// bytes. New repositories are packed fast, unless [Config] says otherwise, and say so in a
// comment of their configuration; what has no such comment is packed exactly. The reference
// makes configurations without it, and drops it when it first opens a repository to write.
// What was packed until then stays as it is: who means to share a repository with the
// reference creates it exact (pkgrepo create --exact).
//
//   - [Publish] and [Transaction.Add] leave a payload as it is stored, and say so
//     in the new manifest.
//   - [Copy] and [Clone] never change a manifest: under one name all repositories
//     have the same bytes, with the digest that their catalogs tell, and signatures
//     go on to fit. So a manifest may come to name a form that is not the stored
//     one.
//   - Copy and [Transaction.Store] leave the stored form as it is while some manifest of the publisher
//     names it, and else, if it is not the one that the new manifest names, stores
//     what the source has. Clone always does the latter.
//   - [Verify] takes a stored form for right if any manifest of the publisher names
//     it, or names none. The content must be what every manifest says. [Repository.Fix]
//     restores the first form that fits any manifest.
//
// Clients of the reference compare the stored bytes with the form that the
// manifest at hand names, and refuse others, though the content be right. Whoever
// copies to one repository from several that compress differently, for such
// clients, changes the manifests on the way by Transform, under names of their own.
//
// # Not yet
//
// Whether a depot's user may read everything is not asked: a store does not know. The
// program pkgrepo looks at the modes of files.
package repo
