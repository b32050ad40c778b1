package image

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/goips/ips/manifest"
)

// owners resolves the names of users and groups to numbers. A full image has its own
// databases; a user image uses the host's, as does a full one for names that it lacks: its
// first package may be the one that brings the databases.
type owners struct {
	kind     Type
	tree     *tree
	enforced bool // the process may give files away
	users    map[string]int
	groups   map[string]int
}

// newOwners returns a resolver that has read nothing yet. Only the superuser can give
// files to others: for anybody else, owners are neither looked up, set nor verified.
func (i *Image) newOwners() *owners {
	return &owners{kind: i.kind, tree: i.tree, enforced: os.Geteuid() == 0}
}

// An OwnerError says that an image does not know a user or group.
type OwnerError struct {
	Kind manifest.Kind // KindUser or KindGroup
	Name string
}

func (e *OwnerError) Error() string {
	return e.Kind.String() + " " + strconv.Quote(e.Name) + " is not known"
}

// Unwrap returns [fs.ErrNotExist].
func (e *OwnerError) Unwrap() error { return fs.ErrNotExist }

// lookup returns the numbers of an owner and a group.
func (o *owners) lookup(owner, group string) (uid, gid int, err error) {
	if !o.enforced {
		return -1, -1, nil
	}
	if uid, err = o.uid(owner); err != nil {
		return 0, 0, err
	}
	gid, err = o.gid(group)
	return uid, gid, err
}

func (o *owners) uid(name string) (int, error) {
	return o.number(manifest.KindUser, name, &o.users, "etc/passwd")
}

func (o *owners) gid(name string) (int, error) {
	return o.number(manifest.KindGroup, name, &o.groups, "etc/group")
}

// number looks a name up. The superuser and its group are known everywhere.
func (o *owners) number(kind manifest.Kind, name string, table *map[string]int, file string) (int, error) {
	if name == "root" {
		return 0, nil
	}
	if o.kind == User {
		return o.hostNumber(kind, name, table)
	}
	if *table == nil {
		read, err := o.read(file)
		if err != nil {
			return 0, err
		}
		*table = read
	}
	if id, ok := (*table)[name]; ok {
		return id, nil
	}
	return o.hostNumber(kind, name, table)
}

// hostNumber asks the host and remembers the answer.
func (o *owners) hostNumber(kind manifest.Kind, name string, table *map[string]int) (int, error) {
	if id, ok := (*table)[name]; ok {
		return id, nil
	}
	text := ""
	if kind == manifest.KindUser {
		if u, err := user.Lookup(name); err == nil {
			text = u.Uid
		}
	} else if g, err := user.LookupGroup(name); err == nil {
		text = g.Gid
	}
	id, err := strconv.Atoi(text)
	if err != nil {
		return 0, &OwnerError{Kind: kind, Name: name}
	}
	if *table == nil {
		*table = map[string]int{}
	}
	(*table)[name] = id
	return id, nil
}

// read reads the names and numbers of a database of the image: lines of fields
// separated by colons, the first the name and the third the number.
func (o *owners) read(file string) (map[string]int, error) {
	table := map[string]int{}
	src, err := o.tree.readFile(file, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return table, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up owners: %w", err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(src)))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) < 3 {
			continue
		}
		if id, err := strconv.Atoi(fields[2]); err == nil {
			if _, ok := table[fields[0]]; !ok {
				table[fields[0]] = id
			}
		}
	}
	return table, lines.Err()
}
