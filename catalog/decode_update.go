package catalog

import (
	"errors"
	"fmt"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// An updateDecoder reads the content of an update log.
type updateDecoder struct {
	Update
	s    *scan.Scanner
	pub  string
	name string
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

func (d *updateDecoder) entry() {
	at := d.s.Offset()
	op := Op{entry: &entry{}}
	version := ""
	for d.s.Begin('{'); d.s.More('}'); {
		switch key := string(d.s.Key()); {
		case key == "op-time" && op.Time.IsZero():
			op.Time = readTime(d.s)
		case key == "op-type" && op.Type == 0:
			op.Type = d.opType()
		case key == "version" && version == "":
			version = string(d.s.Str())
		case plainName(key, "catalog."):
			d.part(op.entry, Part(key))
		default:
			op.extra = d.s.InsertValue(op.extra, key)
		}
	}
	if d.s.Err() != nil {
		return
	}
	if version == "" || op.Type == 0 || op.Time.IsZero() {
		d.s.Fail(at, errors.New("operation without op-time, op-type or version"))
		return
	}
	v, err := fmri.ParseVersion(version)
	if err == nil {
		op.FMRI, err = fmri.New(d.pub, d.name, v)
	}
	if err != nil {
		d.s.Fail(at, err)
	}
	op.entry.fmri = op.FMRI
	d.ops = append(d.ops, op)
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

// part reads the entry of a part.
func (d *updateDecoder) part(e *entry, name Part) {
	l := list{part: name, oddity: oddity{missing: name != Base}}
	version := ""
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
		default:
			l.extra = d.s.InsertValue(l.extra, key)
		}
	}
	if name == Base {
		e.base, e.extra = true, l.extra
		return
	}
	e.lists = append(e.lists, l)
}

// actions reads a list of actions.
func (d *updateDecoder) actions() []string {
	var actions []string
	for d.s.Begin('['); d.s.More(']'); {
		actions = append(actions, string(d.s.Str()))
	}
	return actions
}
