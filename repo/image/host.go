package image

import (
	"context"

	"github.com/goips/ips/solver/plan"
)

// A Host is every effect that installing has on a machine beyond files, licenses and
// what the image notes about itself. Both methods are called in the order of the plan,
// and again for the same step if a plan was interrupted: doing something twice must
// be like doing it once.
type Host interface {
	// Change carries out the step of a user, group or driver action.
	Change(ctx context.Context, s plan.Step) error

	// Actuate is told, after all steps, which services and flags the plan names. An
	// image that is not the root of the running system has none to act on.
	Actuate(ctx context.Context, list []plan.Actuator) error
}
