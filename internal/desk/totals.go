package desk

import (
	"context"

	"github.com/hailong-vn/hailong/internal/store"
)

// counted is a batch with totals counted from its slips. Those kept of a closed batch are mended where a slip was corrected since.
func (d *Desk) counted(ctx context.Context, doc batchDoc) (Batch, error) {
	counted, err := d.count(ctx, doc.ID)
	if err != nil {
		return Batch{}, err
	}
	if !doc.Open && doc.Totals != counted {
		doc, err = d.batches.Update(ctx, doc.ID, func(doc *batchDoc) (bool, error) {
			// Counted within the compare-and-swap: of two who count, the later write saw the later slips.
			counted, err = d.count(ctx, doc.ID)
			if err != nil || doc.Open || doc.Totals == counted {
				return false, err
			}
			doc.Totals = counted
			return true, nil
		})
		if err != nil {
			return Batch{}, typed("keep totals", err)
		}
	}
	return batchOf(doc, counted), nil
}

// count counts a batch's slips. An attempt somebody left unfinished is finished first, so that the totals are those of the
// ratings that count.
func (d *Desk) count(ctx context.Context, batchID string) (totals, error) {
	var t totals
	var unfinished []string
	query := store.Query{Index: "batch", Equal: []any{batchID}}
	for mark, err := range d.marks.Find(ctx, query) {
		if err != nil {
			return t, typed("count slips", err)
		}
		if mark.Value.Pending != nil {
			unfinished = append(unfinished, mark.Value.ID)
		} else if mark.Value.Current != nil {
			t.add(mark.Value.Current.Score)
		}
	}
	for _, id := range unfinished {
		doc, ok, err := d.settle(ctx, id)
		if err != nil {
			return t, err
		}
		if ok && doc.Current != nil {
			t.add(doc.Current.Score)
		}
	}
	return t, nil
}

func (t *totals) add(score int32) {
	t.Typed++
	t.Scores[min(max(score, 0), 5)]++
}
