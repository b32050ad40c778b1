package solver

import (
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// A problem is one request to one image over one model: what is asked, and what is
// known before anything is searched.
type problem struct {
	m   *Model
	img *Image
	req Request

	slots       []slotInfo
	touched     []sat.Slot // whose slotInfo is not zero
	proposals   []proposal
	image       contents
	publishers  publishers
	relevant    relevant
	holding     holding
	downgrading downgrading
	ranking     ranking
	supposing   bool // see [work.suppose]
	machine     func(depend manifest.Action) error

	mem memory
}

// Contents are what an image contains.
type contents struct {
	present   []sat.ID // what is installed, ascending
	installed []sat.ID // that of it which counts: nothing for an exact install
	recent    []found  // what was installed the last time, in the order given

	parents map[string]fmri.FMRI // what the parent image has
	roots   map[string]fmri.FMRI // what the live root has
}

// reset forgets the image, but not where its packages were found.
func (c *contents) reset() {
	c.present, c.installed = c.present[:0], c.installed[:0]
	c.parents, c.roots = nil, nil
}

// A memory is what solves need for a while, kept for the next one.
type memory struct {
	ids     arena[sat.ID]
	spans   arena[sat.Span]
	hits    arena[hit]
	found   arena[nameMatch]
	seen    map[fmri.Pattern]bool // patterns of the request
	matches []match
	scratch []sat.Slot
}

// empty takes everything back.
func (mem *memory) empty() {
	mem.ids.empty()
	mem.spans.empty()
	mem.hits.empty()
	mem.found.empty()
	clear(mem.seen)
}

// A slotInfo is what is known about one name for one request.
type slotInfo struct {
	installed sat.ID // plus one; 0 if not installed, or if that does not count
	present   sat.ID // plus one; what is really installed
	proposal  int32  // index into proposals plus one, or 0
	freeze    int32  // index into Image.Frozen plus one, or 0
	held      int32  // see [problem.heldOn]; -1 for none, 0 if nobody has asked
	decided   sat.ID // plus one; what it is supposed to be, or 0
	wish      int32  // like proposal: what is supposed to be asked for, or 0
	rejected  bool
	removing  bool // the installed version goes
	avoided   bool
	named     bool // an installed package names it with a version
	holding   bool // it is installed with a hold that is not relaxed
	permits   bool // some older versions are permitted
}

// A found is what an installed package was found to be.
type found struct {
	fmri fmri.FMRI
	id   sat.ID
}

// A proposal is what the request wants of one name.
type proposal struct {
	slot       sat.Slot
	candidates []sat.ID // ascending
	older      bool     // all are older than what is installed
	hits       []hit    // the patterns that count
	text       string   // what is asked for, if that is not what they say
}

// asked returns which proposal is made of the name, really or supposedly: the
// index plus one, or 0.
func (st *slotInfo) asked() int32 {
	if st.wish != 0 {
		return st.wish
	}
	return st.proposal
}

func (pr *proposal) has(id sat.ID) bool {
	_, found := slices.BinarySearch(pr.candidates, id)
	return found
}

// newProblem returns the memory for problems over m.
func newProblem(m *Model) *problem {
	return &problem{
		m:           m,
		slots:       make([]slotInfo, len(m.heads)),
		relevant:    relevant{m: m},
		downgrading: downgrading{isPermitted: make([]bool, m.Len())},
		ranking:     newRanking(len(m.heads)),
		mem:         memory{seen: map[fmri.Pattern]bool{}},
	}
}

// reset forgets the request.
func (p *problem) reset() {
	for _, s := range p.touched {
		p.slots[s] = slotInfo{}
	}
	p.touched = p.touched[:0]
	p.proposals = p.proposals[:0]
	p.image.reset()
	p.holding.held, p.holding.heldLimits = p.holding.held[:0], p.holding.heldLimits[:0]
	p.downgrading.reset()
	p.supposing = false
	p.mem.empty()
	p.img, p.req = nil, Request{}
}

// info returns what is known about slot s, to be changed.
func (p *problem) info(s sat.Slot) *slotInfo {
	st := &p.slots[s]
	if *st == (slotInfo{}) {
		p.touched = append(p.touched, s)
	}
	return st
}

// installedIn returns the installed version of slot s that counts, or sat.None.
func (p *problem) installedIn(s sat.Slot) sat.ID { return p.slots[s].installed - 1 }

// staysIn returns the installed version of slot s if it is not being removed.
func (p *problem) staysIn(s sat.Slot) sat.ID {
	if st := &p.slots[s]; !st.removing && !st.rejected {
		return st.installed - 1
	}
	return sat.None
}

// prepare works out everything that does not need a search.
func (p *problem) prepare(img *Image, req Request) error {
	p.img, p.req = img, req
	if err := p.readImage(); err != nil {
		return err
	}
	if err := p.readPatterns(); err != nil {
		return err
	}
	p.markMisfits()
	if req.Op == Uninstall {
		p.addUnneededRenames()
		if err := p.checkLeaves(); err != nil {
			return err
		}
	}
	p.permitDowngrades()
	p.holdIncorporations()
	return nil
}

// readImage enters the state of the image.
func (p *problem) readImage() error {
	p.publishers.rank(p.m, p.img)
	p.relevant.read(p.img.Varcets)
	for i, f := range p.img.Installed {
		id, ok := p.recall(i, f)
		if !ok {
			return &ImageError{f, "installed, but not known"}
		}
		st := p.info(p.m.slotAt(id))
		if st.present != 0 {
			return &ImageError{f, "installed twice"}
		}
		st.present = id + 1
		p.image.present = append(p.image.present, id)
		if p.req.Op != ExactInstall {
			st.installed = id + 1
		}
	}
	slices.Sort(p.image.present)
	p.image.parents = byName(p.img.Linked, p.img.Parent)
	p.image.roots = byName(len(p.img.Root) > 0, p.img.Root)
	if p.req.Op == ExactInstall {
		return nil
	}
	p.image.installed = append(p.image.installed, p.image.present...)
	for _, name := range p.img.Avoid.Avoided {
		if s, ok := p.m.slot(name); ok {
			p.info(s).avoided = true
		}
	}
	for i, f := range p.img.Frozen {
		if s, ok := p.m.slot(f.Package.Name()); ok {
			p.info(s).freeze = int32(i + 1)
		}
	}
	return nil
}

// recall returns the id of f, which is number i of the installed packages. It
// is usually what it was the last time.
func (p *problem) recall(i int, f fmri.FMRI) (sat.ID, bool) {
	if i < len(p.image.recent) && p.image.recent[i].fmri == f {
		return p.image.recent[i].id, true
	}
	id, ok := p.m.lookup(f)
	if ok && i <= len(p.image.recent) {
		p.image.recent = append(p.image.recent[:i], found{f, id})
	}
	return id, ok
}

// byName returns a map of packages by name, nil if there is no need for it.
func byName(need bool, packages []fmri.FMRI) map[string]fmri.FMRI {
	if !need {
		return nil
	}
	m := make(map[string]fmri.FMRI, len(packages))
	for _, f := range packages {
		m[f.Name()] = f
	}
	return m
}

// markMisfits notes that installed packages go which are not for the image's
// variants.
func (p *problem) markMisfits() {
	for _, id := range p.image.installed {
		if !p.relevant.forVariants(id) {
			p.info(p.m.slotAt(id)).removing = true
		}
	}
}
