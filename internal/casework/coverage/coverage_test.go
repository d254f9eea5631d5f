package coverage

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/store"
)

// What was folded is kept: a process that is started again reads digests and folds nothing.
func TestDigestsAreKept(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newOffice(t, t.Context(), engine, "k")
		first := o.give(opinion{unit: "d", day: "2026-11-08", hour: 8, score: 2, official: "an", reasons: []string{"waiting"}})
		o.give(opinion{unit: "d", day: "2026-11-08", hour: 9, score: 1, revises: ""})
		o.give(opinion{unit: "d", day: "2026-11-08", hour: 9, score: 5})
		o.fold("2026-11-08", "2026-11-08")
		o.cases.put(casework.Case{Opening: casework.Opening{ID: "one"}, State: casework.Explained, Attached: []string{first}}, "kd")
		want := casework.Coverage{All: 2, InHand: 1, Untouched: 1}
		if got := o.of("p", "2026-11-01", today); got != want {
			t.Errorf("%+v", got)
		}
		o.coverage = o.another()
		if got := o.of("p", "2026-11-01", today); got != want {
			t.Errorf("started again: %+v", got)
		}
		digests, err := o.coverage.stored.Find, error(nil)
		_ = digests
		o.check(err)
		for doc, err := range o.coverage.stored.Find(t.Context(), store.Query{}) {
			o.check(err)
			t.Logf("%+v", doc.Value)
		}
	})
}
