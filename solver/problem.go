package solver

import (
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// A problem is one request to one image over one model: everything that a solve
// works out before it searches, and the memory it searches with.
type problem struct {
	m    *Model
	opts Options
	img  *Image
	req  Request

	slots   []slotInfo
	touched []sat.Slot // whose slotInfo is not zero

	present   []sat.ID // what is installed, ascending
	installed []sat.ID // that of it which counts: nothing for an exact install
	recent    []found  // what was installed the last time, in the order given
	proposals []proposal

	publishers publishers
	tags       []relevance // by tag
	counting   []relevance // by dependency

	held        []sat.ID // installed incorporations that keep their version
	heldLimits  []heldLimit
	permitted   []sat.ID // older versions that may be selected, in no order
	isPermitted []bool   // by id

	parents map[string]fmri.FMRI // what the parent image has
	roots   map[string]fmri.FMRI // what the live root has

	filter *manifest.Filter // of the image's variants and facets

	supposing bool // see [problem.suppose]

	noFacets bool             // all that is usual counts
	varcets  manifest.Varcets // that tags and counting were filled in with

	order   []sat.Slot // see unproposed
	reaches []int32    // by slot, of those in order
	stamp   []int32    // by slot: when it was last seen
	epoch   int32
	scratch []sat.Slot

	ids     arena[sat.ID]
	spans   arena[sat.Span]
	hits    arena[hit]
	found   arena[nameMatch]
	seen    map[fmri.Pattern]bool // patterns of the request
	matches []match
	walks   []downgradeWalk

	closing  closing
	trimming trimming
	groups   map[groupUse]groupState
	classes  map[groupUse]int // of group dependencies that cannot all be met
	unmet    []int            // by class: how many of it may be left unmet
	main     encoding         // for the answer
	probe    encoding         // for questions on the way
	effort   int              // if not 0, a limit of conflicts below that of opts
	failed   *encoding        // the one of them that has shown that there is no answer
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

// newProblem returns the memory for solves over m.
func newProblem(m *Model, opts Options) *problem {
	p := &problem{
		m:           m,
		opts:        opts,
		slots:       make([]slotInfo, len(m.heads)),
		reaches:     make([]int32, len(m.heads)),
		stamp:       make([]int32, len(m.heads)),
		seen:        map[fmri.Pattern]bool{},
		isPermitted: make([]bool, m.Len()),
		groups:      map[groupUse]groupState{},
		classes:     map[groupUse]int{},
	}
	p.main.problem, p.probe.problem = p, p
	p.main.eng = sat.New(m.layout)
	return p
}

// reset forgets the request.
func (p *problem) reset() {
	for _, s := range p.touched {
		p.slots[s] = slotInfo{}
	}
	p.touched = p.touched[:0]
	p.present = p.present[:0]
	p.installed = p.installed[:0]
	p.proposals = p.proposals[:0]
	p.held = p.held[:0]
	p.heldLimits = p.heldLimits[:0]
	p.supposing = false
	p.ids.empty()
	p.spans.empty()
	p.hits.empty()
	p.found.empty()
	clear(p.seen)
	for _, id := range p.permitted {
		p.isPermitted[id] = false
	}
	p.permitted = p.permitted[:0]
	p.parents, p.roots = nil, nil
	clear(p.groups)
	p.forgetClasses()
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
	p.readVarcets()
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
		p.present = append(p.present, id)
		if p.req.Op != ExactInstall {
			st.installed = id + 1
		}
	}
	slices.Sort(p.present)
	p.parents = byName(p.img.Linked, p.img.Parent)
	p.roots = byName(len(p.img.Root) > 0, p.img.Root)
	if p.req.Op == ExactInstall {
		return nil
	}
	p.installed = append(p.installed, p.present...)
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
	if i < len(p.recent) && p.recent[i].fmri == f {
		return p.recent[i].id, true
	}
	id, ok := p.m.lookup(f)
	if ok && i <= len(p.recent) {
		p.recent = append(p.recent[:i], found{f, id})
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
	for _, id := range p.installed {
		if !p.forVariants(id) {
			p.info(p.m.slotAt(id)).removing = true
		}
	}
}

// readVarcets readies the filter for actions. What it has decided holds as
// long as variants and facets are the same.
func (p *problem) readVarcets() {
	v := p.img.Varcets
	p.noFacets = len(v.Facets) == 0 && len(v.Inherited) == 0
	if p.filter != nil && maps.Equal(v.Variants, p.varcets.Variants) &&
		maps.Equal(v.Facets, p.varcets.Facets) && maps.Equal(v.Inherited, p.varcets.Inherited) {
		return
	}
	p.varcets = manifest.Varcets{Variants: maps.Clone(v.Variants),
		Facets: maps.Clone(v.Facets), Inherited: maps.Clone(v.Inherited)}
	p.filter = v.Filter()
	clear(p.tags)
	clear(p.counting)
}

// A relevance says whether dependencies count, or 0 if nobody has asked.
type relevance uint8

const (
	counted relevance = iota + 1
	ignored
)

// counts reports whether dependency i counts under the image's variants and facets.
func (p *problem) counts(i int32) bool {
	if p.noFacets && p.m.info[i].usual {
		return true
	}
	if p.counting == nil {
		p.counting = make([]relevance, len(p.m.info))
	}
	if p.counting[i] == 0 {
		p.counting[i] = p.allows(p.m.dep(i).tag)
	}
	return p.counting[i] == counted
}

// allows finds out whether what has tag t counts.
func (p *problem) allows(t *tag) relevance {
	if t == nil {
		return counted
	}
	if n := t.number + 1 - len(p.tags); n > 0 {
		p.tags = append(p.tags, make([]relevance, n)...)
	}
	known := &p.tags[t.number]
	if *known == 0 {
		*known = ignored
		switch {
		case t.usual && (p.noFacets || p.filter.AllowsFacets(t.action)),
			!t.usual && p.filter.Allows(t.action):
			*known = counted
		}
	}
	return *known
}

// forVariants reports whether version id is for the image's variants.
func (p *problem) forVariants(id sat.ID) bool {
	if !p.m.is(id, variant) {
		return true
	}
	for _, v := range p.m.variants[id] {
		if value, ok := p.img.Varcets.Variants[v.name]; ok && !slices.Contains(v.values, value) {
			return false
		}
	}
	return true
}
