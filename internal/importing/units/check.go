package unitimport

import (
	"io"

	"github.com/hailong-vn/hailong/internal/directory"
)

// Check says what Import would do with a list, and changes nothing.
func Check(d *directory.Directory, list io.Reader, options Options) (Summary, error) {
	return bring(list, d, options, func(rows []directory.UnitRow, _ func(done, total int)) ([]directory.RowResult, error) {
		return d.PlanUnits(rows)
	})
}
