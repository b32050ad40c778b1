// Package image installs packages into a directory tree and keeps account of them.
//
// An image is a directory with packages installed in it: the root of a system, that of a
// zone, or a place of a user's own. [Create] makes one, [Open] opens it. What publishers
// offer is read by [Image.Refresh]; [Image.Plan] solves a request into a [Proposal]: a plan,
// which is data to look at, and the reasons for it. [Image.Execute] carries the plan out.
// [Image.Verify] compares what is installed with what is there. Uninstalling and updating
// are requests like any other.
//
// # Asking
//
// [Image.Installed] and [Image.Known] are catalogs. [Image.Manifest], [Image.Contents] and
// [Image.Licenses] tell what a package is made of, [Image.Owners] which packages deliver a
// path, [Image.Why] why a package is there or held back.
//
// Whoever may read the files of an image can open it, ask all this, and plan; none of it
// waits for the lock. While another process changes the image, a reader sees it as it was
// before or as it is afterwards. [Options.ReadOnly] also keeps in memory what Refresh reads.
//
// # On disk
//
// The package reads images of the formats 4 and 5 and writes format 4. All that an image
// knows of itself is below one directory: ".org.opensolaris,pkg" in a [User] image and
// "var/pkg" in a [Full] one. There is an image if that holds a file pkg5.image.
//
//	pkg5.image                           configuration, see below
//	lock                                 locked while the image is being changed
//	modified                             its time is that of the last change
//	publisher/NAME/catalog/              catalog of a publisher, as it was received
//	publisher/NAME/pkg/STEM/VERSION      manifests, as they were received
//	publisher/NAME/last_refreshed        its time is that of the last refresh
//	state/known/, state/installed/       the catalogs of the image, see below
//	state/avoid_set, state/frozen_dict   JSON: [1, {"STEM": ...}]
//	license/STEM/license.NAME            texts of licenses
//	lost+found/PATH-TIME                 what was in the way and nobody had delivered
//	history/TIME-NN.xml                  a record of each operation
//	cache/                               what can be made again
//	cache/tmp/ips-*                      stage and journal of a plan being carried out
//
// STEM, VERSION and NAME are escaped as by [fmri.Escape]. Unknown files and properties are
// kept. No package may deliver into these places.
//
// The configuration consists of sections of properties "name = value", where lists look
// like ['a', 'b'], booleans are True and False, and an indented line continues a value:
//
//	[image]
//	version = 4
//
//	[property]
//	publisher-search-order = ['example.org']
//
//	[authority_example.org]
//	prefix = example.org
//	origins = ['http://pkg.example.org/']
//
//	[variant]
//	variant.arch = i386
//
// Further sections are facet, inherited_facet and mediators. Of the properties,
// exclude-patterns (regular expressions of paths that are left out) and key-files (what
// must be there) are honoured. One that asks for what is not done here, such as
// use-system-repo, is refused: when it is set, and when the image is to be changed. A
// version below 4 or above 5 is refused with an error that matches [errors.ErrUnsupported].
//
// The catalogs of the image are those of package catalog, without signatures. Each version
// has a JSON object with its states, numbers that [StatusOf] reads, and when it was
// installed: {"last-install":"20261121T120000Z","states":[0,2,7]}. An image that has the
// file state/catalog.db instead, an SQLite database, is read and never changed: the
// error then matches [errors.ErrUnsupported]. Beside the catalogs of an image of version 4
// such a file is a copy of them; it goes when they change, and who wants it makes it anew.
//
// # Carrying out a plan
//
// Nothing is changed before everything is known to be there: the plan is checked against
// the disk, owners are looked up, and all payloads are fetched, decompressed and verified
// into the stage. Then the plan is written down as the journal, and flushed with the
// stage. From that moment it will be finished: its steps are carried out; the new state is
// written beside the old one, flushed with the files of the packages, and put in its
// place; and the journal is removed. Whoever finds a journal, because a process was
// stopped or the machine was, first carries out the plan once more. Each step does nothing
// where it was done before, so that the outcome is the same.
//
// If a step fails, because of something that has changed since the check, the plan is given
// up: the image notes what it had noted before, while some files are new already, as in
// the reference. The same plan made again carries on where it stopped.
//
// A file gets its content, owner, mode and name in one moment. Every path is taken from
// the root element by element, and none of them may be a symbolic link, for installing as
// well as for removing: see [*LinkError]. What is done to a path is done relative to its
// directory as it was opened then, and not by its name once more; so it does not help to
// put a link into the path in between. Nothing is ever changed outside of the root.
//
// Owners are set and verified only by the superuser; for anybody else files belong to
// whoever installs them. Names that a Full image does not have are the host's. What
// administrators may edit is kept as [plan.Step.Decide] says. A directory that no package
// had claimed and that is not empty stays where it is, while the reference moves it to
// lost+found.
//
// # Not yet
//
// Users, groups and drivers need a [Host]: without one, a plan with such actions is refused
// before anything is changed. Actuators are only handed to the Host. There are neither
// boot environments nor snapshots, linked images, a system repository, checks of signatures
// and certificates, repairs (fix) and reverting, freezing and avoiding by request, a search
// index, dehydration, or extended attributes (sysattr). Fetching does not estimate the
// space it takes. On systems other than Linux, what is flushed at a commit are the
// directories that have changed; on Windows an image can be read only.
package image
