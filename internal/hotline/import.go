package hotline

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Imported is a call as another log has it.
type Imported struct {
	Unit      string // whose hotline it was
	Operator  string // as the log names who answered: a name, an extension
	Direction Direction
	StartedAt time.Time
	EndedAt   time.Time // zero = StartedAt
	Number    string    // as written; "" = not known
	Again     int       // 0 = the first such line of its file, 1 = the second with the same time, number and operator, and so on
	Written
}

// Import adds calls of another log, each once: the same line again, from whatever file, is the same call. The answer has one entry a call: nil
// where it was added, store.ErrExists where it was there. Faults are those of what cannot be kept.
func (h *Hotline) Import(ctx context.Context, rows []Imported) ([]error, error) {
	answers := make([]error, len(rows))
	var calls []Call
	var at []int
	for i, row := range rows {
		call, err := h.importedCall(row)
		if err != nil {
			answers[i] = err
			continue
		}
		calls, at = append(calls, call), append(at, i)
	}
	errs, err := h.calls.InsertAll(ctx, calls)
	if err != nil {
		return nil, told("import calls", "hotline_call_unknown", err)
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, store.ErrExists) {
			err = told("import call", "hotline_call_unknown", err)
		}
		answers[at[i]] = err
	}
	return answers, nil
}

func (h *Hotline) importedCall(row Imported) (Call, error) {
	if err := h.check(&row.Written); err != nil {
		return Call{}, err
	}
	if row.Kind == "" {
		row.Kind = Other
	}
	if row.EndedAt.IsZero() {
		row.EndedAt = row.StartedAt
	}
	now := store.Milliseconds(h.now())
	if row.EndedAt.Before(row.StartedAt) || row.StartedAt.After(now) {
		return Call{}, fault.New(fault.Invalid, "hotline_import_turned")
	}
	name := store.Clip(strings.TrimSpace(row.Operator), MaxName)
	c := Call{
		Unit: row.Unit, Operator: imported + name, OperatorName: name, Direction: cmp.Or(row.Direction, In),
		StartedAt: store.Milliseconds(row.StartedAt), EndedAt: store.Milliseconds(row.EndedAt), Written: row.Written,
		Above: h.above(row.Unit), ChangedAt: now, Imported: true,
	}
	c.ID = h.importedID(c, row)
	if err := h.know(&c, Caller{Phone: row.Number}); err != nil {
		return Call{}, err
	}
	h.list(&c)
	return c, nil
}

// imported begins the operator of an imported call, who is no account.
const imported = "import:"

// importedID is the id of a line of another log: a UUIDv7 of the call's time whose other bits follow from the line under a key, because
// without one the number could be tried out from it.
func (h *Hotline) importedID(c Call, row Imported) string {
	parts := []string{c.Unit, c.StartedAt.Format(time.RFC3339Nano), numberOf(row.Number), c.Operator, string(c.Direction), strconv.Itoa(row.Again)}
	made := uuid.UUID(h.imported.Sum([]byte(strings.Join(parts, "\x00")))[:16])
	ms := c.StartedAt.UnixMilli()
	for i := range 6 {
		made[i] = byte(ms >> (8 * (5 - i))) //nolint:gosec // one byte after the other
	}
	made[6], made[8] = 0x70|made[6]&0x0f, 0x80|made[8]&0x3f
	return made.String()
}
