package analysis

import (
	"context"

	"github.com/hailong-vn/hailong/internal/tally"
)

// Strips answers a year's strips, of the units named, in order, or of all (nil): from memory while nothing was written since they were
// read, and shared with the questions that need the same. They must not be changed.
func (a *Analysis) Strips(ctx context.Context, year int, units []string) ([]tally.Strip, error) {
	return a.stripsOf(ctx, year, units)
}
