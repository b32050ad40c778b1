package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// The files of the state directory besides the catalogs. Both hold a JSON array of
// the number 1 and an object with one member for each package name.
const (
	avoidFile  = "avoid_set"
	frozenFile = "frozen_dict"
)

// readPair reads [1, object] from a file in the directory of the state into object; a
// missing file leaves it empty.
func readPair(files *tree, name string, object any) error {
	src, err := files.readFile(name, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var version int
	var pair []json.RawMessage
	if err := json.Unmarshal(src, &pair); err != nil || len(pair) != 2 {
		return &FormatError{File: stateDir + "/" + name, Msg: "not an array of version and object"}
	}
	if json.Unmarshal(pair[0], &version) != nil || version != 1 {
		return &FormatError{File: stateDir + "/" + name, Msg: "not of version 1"}
	}
	if err := json.Unmarshal(pair[1], object); err != nil {
		return &FormatError{File: stateDir + "/" + name, Msg: err.Error()}
	}
	return nil
}

// readAvoid reads the packages that groups do not bring in.
func readAvoid(files *tree) (set solver.AvoidSet, err error) {
	kinds := map[string]string{}
	if err := readPair(files, avoidFile, &kinds); err != nil {
		return set, err
	}
	for name, kind := range kinds {
		switch kind {
		case "avoid":
			set.Avoided = append(set.Avoided, name)
		case "implicit-avoid":
			set.Implicit = append(set.Implicit, name)
		case "obsolete":
			set.Obsolete = append(set.Obsolete, name)
		default:
			return solver.AvoidSet{}, &FormatError{
				File: stateDir + "/" + avoidFile, Msg: fmt.Sprintf("%s is avoided as %q", name, kind),
			}
		}
	}
	slices.Sort(set.Avoided)
	slices.Sort(set.Implicit)
	slices.Sort(set.Obsolete)
	return set, nil
}

// avoidText is what readAvoid reads.
func avoidText(set solver.AvoidSet) []byte {
	kinds := map[string]string{}
	for _, l := range []struct {
		kind  string
		names []string
	}{{"obsolete", set.Obsolete}, {"implicit-avoid", set.Implicit}, {"avoid", set.Avoided}} {
		for _, name := range l.names {
			kinds[name] = l.kind
		}
	}
	text, _ := json.Marshal([]any{1, kinds}) // strings marshal
	return text
}

// readFrozen reads the packages that are held to a version: the version as an FMRI, a
// comment or null, and the time.
func readFrozen(files *tree) ([]solver.Freeze, error) {
	entries := map[string][]any{}
	if err := readPair(files, frozenFile, &entries); err != nil {
		return nil, err
	}
	var list []solver.Freeze
	for name, e := range entries {
		var text, comment string
		if len(e) == 3 {
			text, _ = e[0].(string)
			comment, _ = e[1].(string)
		}
		f, err := fmri.Parse(text)
		if err != nil || !f.Version().IsValid() {
			return nil, &FormatError{File: stateDir + "/" + frozenFile, Msg: name + " is frozen at no version"}
		}
		list = append(list, solver.Freeze{Package: f, Comment: comment})
	}
	slices.SortFunc(list, func(a, b solver.Freeze) int { return a.Package.Compare(b.Package) })
	return list, nil
}
