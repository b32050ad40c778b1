package image

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goips/ips/solver/plan"
)

// A Record is one finished operation.
type Record struct {
	Name       string // what was done: "install", "update", "uninstall" ...
	Client     string // the program that did it
	Args       []string
	User       string
	Start, End time.Time
	Outcome    string // "Succeeded", "Failed", "Canceled" or "Ignored"
	Reason     string // "None", "Constrained", "Conflicting Actions" ...
	Before     string // what was to be done
	After      string // what has been done
	Errors     []string
}

// The XML form of a record.
type (
	historyXML struct {
		XMLName   xml.Name     `xml:"history"`
		Client    clientXML    `xml:"client"`
		Operation operationXML `xml:"operation"`
	}
	clientXML struct {
		Name    string    `xml:"name,attr"`
		Version string    `xml:"version,attr"`
		Args    []textXML `xml:"args>arg"`
	}
	operationXML struct {
		Name   string    `xml:"name,attr"`
		User   string    `xml:"username,attr"`
		UserID string    `xml:"userid,attr"`
		Result string    `xml:"result,attr"`
		Start  string    `xml:"start_time,attr"`
		End    string    `xml:"end_time,attr"`
		Before *textXML  `xml:"start_state"`
		After  *textXML  `xml:"end_state"`
		Errors []textXML `xml:"errors>error"`
	}
	textXML struct {
		Text string `xml:",cdata"`
	}
)

// maxRecords is how many records of one second there can be.
const maxRecords = 99

// History returns the records of past operations, oldest first. A file that is no
// record is an error, and the next one follows.
func (i *Image) History() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		t := i.newTree()
		defer t.forget()
		entries, err := t.readDir(i.meta("history"))
		if err != nil {
			yield(Record{}, wrapped("history", i.path, err))
			return
		}
		for _, e := range entries {
			if path.Ext(e.Name()) != ".xml" {
				continue
			}
			r, err := i.readRecord(t, e.Name())
			if !yield(r, wrapped("history", i.path, err)) {
				return
			}
		}
	}
}

func (i *Image) readRecord(t *tree, name string) (Record, error) {
	src, err := t.readFile(i.meta("history", name), maxConfig)
	if err != nil {
		return Record{}, err
	}
	var h historyXML
	if err := xml.Unmarshal(src, &h); err != nil {
		return Record{}, &FormatError{File: "history/" + name, Msg: err.Error()}
	}
	op := h.Operation
	r := Record{Name: op.Name, Client: h.Client.Name, User: op.User, Args: texts(h.Client.Args), Errors: texts(op.Errors)}
	r.Outcome, r.Reason, _ = strings.Cut(op.Result, ", ")
	r.Before, r.After = op.Before.text(), op.After.text()
	for _, at := range []struct {
		text string
		time *time.Time
	}{{op.Start, &r.Start}, {op.End, &r.End}} {
		if *at.time, err = time.Parse(stampLayout, at.text); err != nil {
			return r, &FormatError{File: "history/" + name, Msg: err.Error()}
		}
	}
	return r, nil
}

func texts(list []textXML) []string {
	var all []string
	for _, t := range list {
		all = append(all, t.Text)
	}
	return all
}

func (t *textXML) text() string {
	if t == nil {
		return ""
	}
	return t.Text
}

// record writes the record of a plan. That a record cannot be written because the
// image is read-only is no error.
func (i *Image) record(p *plan.Plan, start time.Time, failed error) error {
	if p.IsEmpty() {
		return nil
	}
	changes := describeChanges(p)
	r := Record{
		Name: operation(p), Client: i.opts.Client, Start: start, End: i.now(),
		Outcome: "Succeeded", Reason: "None", Before: changes, After: changes,
	}
	if failed != nil {
		r.Outcome, r.Reason = outcome(failed)
		r.After, r.Errors = "", []string{failed.Error()}
	}
	err := i.writeRecord(r)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// operation names what a plan does, by its package changes.
func operation(p *plan.Plan) string {
	install, remove := false, false
	for c := range p.Packages() {
		switch {
		case c.From.IsValid() && c.To.IsValid():
			if c.From == c.To {
				return "change-facet"
			}
			return "update"
		case c.From.IsValid():
			remove = true
		default:
			install = true
		}
	}
	if remove && !install {
		return "uninstall"
	}
	return "install"
}

func describeChanges(p *plan.Plan) string {
	var s strings.Builder
	for c := range p.Packages() {
		from, to := "None", "None"
		if c.From.IsValid() {
			from = c.From.String()
		}
		if c.To.IsValid() {
			to = c.To.String()
		}
		fmt.Fprintf(&s, "%s -> %s\n", from, to)
	}
	return s.String()
}

// writeRecord writes a record to the first free name of its second.
func (i *Image) writeRecord(r Record) error {
	text, err := encodeRecord(r)
	if err != nil {
		return err
	}
	if err := i.tree.mkdirAll(i.meta("history")); err != nil {
		return err
	}
	for n := 1; n <= maxRecords; n++ {
		name := i.meta("history", fmt.Sprintf("%s-%02d.xml", r.Start.Format(stampLayout), n))
		if _, err := i.tree.lstat(name); err == nil {
			continue
		}
		return i.replaceBytes(name, text, time.Time{})
	}
	return fmt.Errorf("history has %d records of %v", maxRecords, r.Start)
}

func encodeRecord(r Record) ([]byte, error) {
	h := historyXML{
		Client: clientXML{Name: r.Client, Version: "1"},
		Operation: operationXML{
			Name: r.Name, User: r.User, Result: r.Outcome + ", " + r.Reason, UserID: strconv.Itoa(max(0, os.Geteuid())),
			Start: r.Start.UTC().Format(stampLayout), End: r.End.UTC().Format(stampLayout),
		},
	}
	if u, err := user.Current(); err == nil {
		h.Operation.User = cmp.Or(r.User, u.Username)
	}
	for _, arg := range r.Args {
		h.Client.Args = append(h.Client.Args, textXML{arg})
	}
	for _, e := range r.Errors {
		h.Operation.Errors = append(h.Operation.Errors, textXML{e})
	}
	if r.Before != "" {
		h.Operation.Before = &textXML{r.Before}
	}
	if r.After != "" {
		h.Operation.After = &textXML{r.After}
	}
	body, err := xml.Marshal(h)
	return slices.Concat([]byte(`<?xml version="1.0" encoding="utf-8"?>`), bytes.TrimSpace(body)), err
}

// outcome returns what the history says about an error.
func outcome(err error) (outcome, reason string) {
	var locked *LockedError
	var origin *OriginError
	var conflict *plan.ConflictError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "Canceled", "None"
	case errors.As(err, &locked):
		return "Failed", "Locked"
	case errors.As(err, &origin):
		return "Failed", "Transport"
	case errors.As(err, &conflict):
		return "Failed", "Conflicting Actions"
	case errors.Is(err, ErrStale):
		return "Failed", "Constrained"
	case errors.Is(err, syscall.ENOSPC):
		return "Failed", "Insufficient Disk Space"
	case errors.Is(err, fs.ErrPermission):
		return "Failed", "Storage"
	}
	return "Failed", "Unknown"
}
