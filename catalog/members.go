package catalog

import (
	"cmp"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
)

// memberSets gives every distinct list of members an id; the empty list has 0.
type memberSets struct {
	sets [][]scan.Member // by id; nil if there is only the empty list
	ids  map[string]uint32
}

func (m *memberSets) id(set []scan.Member) uint32 {
	if len(set) == 0 {
		return 0
	}
	if m.ids == nil {
		m.ids = map[string]uint32{}
		m.sets = append([][]scan.Member{nil}, m.sets[min(1, len(m.sets)):]...)
		for id, set := range m.sets {
			m.ids[string(scan.AppendMembers(nil, set))] = uint32(id)
		}
	}
	key := string(scan.AppendMembers(nil, set))
	id, ok := m.ids[key]
	if !ok {
		id = uint32(len(m.sets))
		m.ids[key] = id
		m.sets = append(m.sets, set)
	}
	return id
}

// sortMembers sorts members by key.
func sortMembers(members []scan.Member) []scan.Member {
	slices.SortStableFunc(members, func(a, b scan.Member) int { return cmp.Compare(a.Key, b.Key) })
	return members
}

// withMetadata returns sorted members with other metadata, or without any.
func withMetadata(members []scan.Member, metadata string) []scan.Member {
	members = slices.DeleteFunc(slices.Clone(members), func(m scan.Member) bool { return m.Key == metadataKey })
	if metadata == "" {
		return members
	}
	return sortMembers(append(members, scan.Member{Key: metadataKey, JSON: metadata}))
}
