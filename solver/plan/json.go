package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// formatVersion is the version of the JSON form; others are refused.
const formatVersion = 1

// The JSON form of a plan. Actions are in their canonical text.
type (
	planJSON struct {
		Version   int            `json:"version"`
		Token     string         `json:"token,omitempty"`
		Old       varcetsJSON    `json:"old"`
		New       varcetsJSON    `json:"new"`
		Settings  bool           `json:"settings,omitempty"`
		Mediators []choiceJSON   `json:"mediators,omitempty"`
		Avoid     avoidJSON      `json:"avoid"`
		Requested []string       `json:"requested,omitempty"`
		Packages  []changeJSON   `json:"packages"`
		Steps     []stepJSON     `json:"steps"`
		Actuators []actuatorJSON `json:"actuators,omitempty"`
	}
	varcetsJSON struct {
		Variants  map[string]string `json:"variants,omitempty"`
		Facets    map[string]bool   `json:"facets,omitempty"`
		Inherited map[string]bool   `json:"inherited,omitempty"`
	}
	choiceJSON struct {
		Mediator              string `json:"mediator"`
		Version               string `json:"version,omitempty"`
		VersionSource         string `json:"version-source,omitempty"`
		Implementation        string `json:"implementation,omitempty"`
		ImplementationSource  string `json:"implementation-source,omitempty"`
		ImplementationVersion string `json:"implementation-version,omitempty"`
	}
	avoidJSON struct {
		Avoided  []string `json:"avoided,omitempty"`
		Implicit []string `json:"implicit,omitempty"`
		Obsolete []string `json:"obsolete,omitempty"`
	}
	changeJSON struct {
		From string `json:"from,omitempty"`
		To   string `json:"to,omitempty"`
	}
	stepJSON struct {
		Phase string `json:"phase"`
		changeJSON
		Old  string `json:"old,omitempty"`
		New  string `json:"new,omitempty"`
		Keep bool   `json:"keep,omitempty"`
	}
	actuatorJSON struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// MarshalJSON returns the plan as one JSON object with the members version (1), token,
// old and new (variants and facets), avoid (what groups do not bring in), mediators,
// requested (names), packages (from, to), steps (phase, from, to, the texts of the old and
// the new action, keep) and actuators (name, value). Equal plans give equal bytes.
func (p *Plan) MarshalJSON() ([]byte, error) {
	j := planJSON{
		Version: formatVersion, Token: p.token,
		Old: varcetsJSON(p.old), New: varcetsJSON(p.new),
		Settings: p.settings, Avoid: avoidJSON(p.avoid), Requested: p.requested,
		Packages: make([]changeJSON, 0, len(p.changes)), Steps: make([]stepJSON, 0, len(p.steps)),
	}
	for _, c := range p.mediators {
		j.Mediators = append(j.Mediators, choiceJSON(c))
	}
	for _, c := range p.changes {
		j.Packages = append(j.Packages, encodeChange(c))
	}
	for _, s := range p.steps {
		step, err := encodeStep(s)
		if err != nil {
			return nil, err
		}
		j.Steps = append(j.Steps, step)
	}
	for _, a := range p.actuators {
		j.Actuators = append(j.Actuators, actuatorJSON(a))
	}
	return json.Marshal(j)
}

func encodeChange(c solver.Change) (j changeJSON) {
	if c.From.IsValid() {
		j.From = c.From.String()
	}
	if c.To.IsValid() {
		j.To = c.To.String()
	}
	return j
}

func encodeStep(s Step) (stepJSON, error) {
	j := stepJSON{Phase: s.Phase.String(), changeJSON: encodeChange(s.Package), Keep: s.Keep}
	for _, side := range []struct {
		a    *manifest.Action
		text *string
	}{{s.Old, &j.Old}, {s.New, &j.New}} {
		if side.a == nil {
			continue
		}
		text, err := side.a.AppendText(nil)
		if err != nil {
			return j, fmt.Errorf("plan: %w", err)
		}
		*side.text = string(text)
	}
	return j, nil
}

// UnmarshalJSON reads what MarshalJSON writes. It refuses other versions, steps that
// lack the actions of their phase, and paths that leave the image.
func (p *Plan) UnmarshalJSON(src []byte) error {
	var j planJSON
	if err := json.Unmarshal(src, &j); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if j.Version != formatVersion {
		return fmt.Errorf("plan: version %d instead of %d", j.Version, formatVersion)
	}
	q := Plan{token: j.Token, settings: j.Settings, avoid: solver.AvoidSet(j.Avoid), requested: j.Requested}
	for _, c := range j.Mediators {
		q.mediators = append(q.mediators, manifest.Choice(c))
	}
	q.old, q.new = manifest.Varcets(j.Old), manifest.Varcets(j.New)
	for _, c := range j.Packages {
		change, err := decodeChange(c)
		if err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		q.changes = append(q.changes, change)
	}
	for i, s := range j.Steps {
		step, err := decodeStep(s)
		if err != nil {
			return fmt.Errorf("plan: step %d: %w", i, err)
		}
		q.steps = append(q.steps, step)
	}
	for _, a := range j.Actuators {
		q.actuators = append(q.actuators, Actuator(a))
	}
	*p = q
	return nil
}

func decodeChange(j changeJSON) (c solver.Change, err error) {
	if j.From != "" {
		if c.From, err = fmri.Parse(j.From); err != nil {
			return c, err
		}
	}
	if j.To != "" {
		c.To, err = fmri.Parse(j.To)
	}
	return c, err
}

func decodeStep(j stepJSON) (s Step, err error) {
	s.Phase = Phase(max(slices.Index(phaseNames[:], j.Phase), 0))
	s.Keep = j.Keep
	if s.Package, err = decodeChange(j.changeJSON); err != nil {
		return s, err
	}
	if s.Old, err = decodeAction(j.Old); err != nil {
		return s, err
	}
	if s.New, err = decodeAction(j.New); err != nil {
		return s, err
	}
	return s, s.check()
}

func decodeAction(text string) (*manifest.Action, error) {
	if text == "" {
		return nil, nil
	}
	a, err := manifest.ParseAction(text)
	if err != nil {
		return nil, err
	}
	_, _, err = objectOf(&a, fmri.FMRI{})
	return &a, err
}

// check refuses a step that does not have the actions of its phase.
func (s Step) check() error {
	ok := false
	switch s.Phase {
	case Remove:
		ok = s.Old != nil && s.New == nil
	case Install:
		ok = s.New != nil
	case Update:
		ok = s.Old != nil && s.New != nil
	}
	if !ok {
		return fmt.Errorf("phase %v does not have its actions", s.Phase)
	}
	return nil
}
