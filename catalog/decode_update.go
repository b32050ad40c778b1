package catalog

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// An updateDecoder reads the content of an update log.
type updateDecoder struct {
	Update
	s    *scan.Scanner
	pub  string
	name string
	odd  bool // a time or version is not as it would be written
}

func (d *updateDecoder) publisher(name []byte) {
	d.pub = string(name)
	if d.s.Err() == nil {
		if err := fmri.CheckPublisher(d.pub); err != nil {
			d.s.Fail(d.s.Start(), err)
		}
	}
}

func (d *updateDecoder) stem(name []byte) { d.name = string(name) }

func (d *updateDecoder) endStem() {}

// entry reads an operation.
func (d *updateDecoder) entry() {
	at := d.s.Offset()
	op := Op{entry: &entry{}}
	var version string
	var inner []string // versions of the parts' entries
	for d.s.Begin('{'); d.s.More('}'); {
		switch key := string(d.s.Key()); {
		case key == "op-time" && op.Time.IsZero():
			op.Time = d.time()
		case key == "op-type" && op.Type == 0:
			op.Type = d.opType()
		case key == "version" && version == "":
			version = string(d.s.Str())
		case key == "op-time", key == "op-type", key == "version", key == string(Base) && op.entry.base:
			d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
		case plainName(key, "catalog."):
			inner = append(inner, d.part(op.entry, Part(key)))
		default:
			op.extra = d.s.InsertValue(op.extra, key)
		}
	}
	if d.s.Err() == nil {
		d.add(op, version, inner, at)
	}
}

// add checks an operation, which begins at an offset, and keeps it.
func (d *updateDecoder) add(op Op, version string, inner []string, at int64) {
	slices.SortFunc(op.entry.lists, compareLists)
	for i := 1; i < len(op.entry.lists); i++ {
		if part := op.entry.lists[i].part; op.entry.lists[i-1].part == part {
			d.s.Fail(at, scan.DuplicateKey(string(part)))
		}
	}
	if i := slices.IndexFunc(inner, func(v string) bool { return v != version }); i >= 0 {
		d.s.Fail(at, fmt.Errorf("operation on version %.100q with an entry of %.100q", version, inner[i]))
	}
	if version == "" || op.Type == 0 || op.Time.IsZero() {
		d.s.Fail(at, errors.New("operation without op-time, op-type or version"))
	}
	v, err := fmri.ParseVersion(version)
	if err == nil {
		op.FMRI, err = fmri.New(d.pub, d.name, v)
	}
	if err != nil {
		d.s.Fail(at, brief(err, []byte(version+d.name)))
	}
	if v.String() != version {
		d.s.Loosen()
		d.odd = true
	}
	op.entry.fmri = op.FMRI
	d.ops = append(d.ops, op)
}

// time reads a time.
func (d *updateDecoder) time() time.Time {
	t, exact := scanTime(d.s)
	if !exact {
		d.s.Loosen()
		d.odd = true
	}
	return t
}

// opType reads the type of an operation.
func (d *updateDecoder) opType() OpType {
	switch text := d.s.Str(); string(text) {
	case OpAdd.String():
		return OpAdd
	case OpRemove.String():
		return OpRemove
	default:
		d.s.Fail(d.s.Start(), fmt.Errorf("%w %.100q", ErrUpdateType, text))
		return 0
	}
}

// part reads the entry of a part and returns its version.
func (d *updateDecoder) part(e *entry, name Part) (version string) {
	l := list{part: name, oddity: oddity{missing: name != Base}}
	for d.s.Begin('{'); d.s.More('}'); {
		switch key := string(d.s.Key()); {
		case key == "version" && version == "":
			version = string(d.s.Str())
		case key == "actions" && name != Base && l.missing:
			l.missing = false
			l.actions = d.actions()
		case key == digestKey && name == Base && e.row.marks == 0 && d.s.Peek() == '"':
			if text := d.s.Str(); !e.row.setDigest(text) {
				l.extra = d.s.Insert(l.extra, scan.Member{Key: key, JSON: quote(string(text))}, d.s.Start())
			}
		case key == "version", key == "actions" && name != Base, key == digestKey && e.row.marks != 0:
			d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
		default:
			l.extra = d.s.InsertValue(l.extra, key)
		}
	}
	if name == Base {
		e.base, e.extra = true, l.extra
	} else {
		e.lists = append(e.lists, l)
	}
	return version
}

// actions reads a list of actions.
func (d *updateDecoder) actions() []string {
	var actions []string
	for d.s.Begin('['); d.s.More(']'); {
		actions = append(actions, string(d.s.Str()))
	}
	return actions
}
