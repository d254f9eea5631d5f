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
	var found []slipMark
	away := map[string]bool{} // ratings that were met before they moved to another number, perhaps
	query := store.Query{Index: "batch", Equal: []any{batchID}}
	for mark, err := range d.marks.Find(ctx, query) {
		if err != nil {
			return t, typed("count slips", err)
		}
		switch m := mark.Value; {
		case m.Pending != nil || m.Leaving != nil:
			unfinished = append(unfinished, m.ID)
		case m.Current != nil:
			found = append(found, m)
			if m.Current.From != nil {
				away[m.Current.From.RatingID] = true
			}
		}
	}
	for _, id := range unfinished {
		doc, ok, err := d.settle(ctx, id)
		if err != nil {
			return t, err
		}
		if ok && doc.Current != nil && doc.Batch == batchID {
			t.add(doc.Current.Score)
			if doc.Current.From != nil {
				away[doc.Current.From.RatingID] = true
			}
		}
	}
	for _, m := range found {
		if !away[m.Current.RatingID] {
			t.add(m.Current.Score)
		}
	}
	return t, nil
}

func (t *totals) add(score int32) {
	t.Typed++
	t.Scores[min(max(score, 0), 5)]++
}
