// Package sat finds selections of numbers under constraints; it knows no
// packages.
//
// Numbers ([ID]) are dense and fall into slots: slot s owns the run of ids
// from Base[s] to Base[s+1]. A selection takes at most one id from each slot;
// that needs no constraint. What else it must observe is
//
//   - [Engine.Require]: if these are selected, one of those must be;
//   - [Engine.Limit]: if this is selected, a slot stays inside a span;
//   - [Engine.AtMost]: of the extra ids no more than k.
//
// Constraints are asked for when they are needed: a [Provider] opens a slot
// (says which of its ids are out of the question) when it first matters, and
// loads an id (states its constraints) when it is first considered. A search
// touches what its decisions reach and nothing else.
//
// # State
//
// The domain of a slot is a window of ids with holes. A constraint narrows the
// window or makes a hole; both are an entry on the trail, with the reason.
// An id that is no longer in its domain is dead; each has exactly one entry
// that killed it. Nothing need be selected, so there are no decisions against
// an id: a search ends when every requirement that is in force is met.
//
// # Learning
//
// Decisions select, and everything else follows. So every contradiction can be
// traced to ids that cannot be selected together: a nogood. Nogoods are watched
// at two ids that are not selected, requirements at two that are alive.
//
// # Order
//
// Goals are decided in the order given, the highest id of a slot first; then
// the requirements in the order in which they came into force. The first
// selection found is the best one in that order: a goal fails only because of
// goals before it.
//
// Where that order meets many contradictions (Engine.FreeAfter) the search first
// finds any selection, guided by recent contradictions and with restarts, or the
// proof that there is none. From there it goes through the goals in order, and
// proves of each that it can, or cannot, be had with those before it.
package sat
