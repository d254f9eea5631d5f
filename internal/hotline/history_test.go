package hotline_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/store"
)

// Whatever is pressed in whatever order, no line vanishes, none is opened again, what was corrected stays in the history, and nothing is written over
// what the operator did not see.
func TestNoLineIsLost(t *testing.T) {
	h := newHouse(t)
	rapid.Check(t, func(t *rapid.T) {
		draft := begun()
		var before hotline.Call
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			draft.Kind = rapid.SampledFrom(append(hotline.CallKinds(), "")).Draw(t, "kind")
			draft.Summary = rapid.SampledFrom([]string{"", "Chờ lâu", "Thu thừa"}).Draw(t, "summary")
			seen := before.Version - store.Version(rapid.IntRange(0, 1).Draw(t, "behind"))
			var now hotline.Call
			var err error
			do := rapid.SampledFrom([]string{"save", "finish", "correct"}).Draw(t, "do")
			switch do {
			case "save":
				now, err = h.Save(h.t.Context(), lan, draft, seen)
			case "finish":
				now, err = h.Finish(h.t.Context(), lan, draft, seen, hotline.Finished{})
			case "correct":
				now, err = h.Correct(h.t.Context(), ba, draft.ID, seen, draft.Written, nil, "vì sao")
			}
			stands, getErr := h.Get(h.t.Context(), draft.ID)
			if fault.Is(getErr, fault.NotFound) && before.ID == "" {
				continue
			}
			switch {
			case getErr != nil:
				t.Fatal(getErr)
			case err == nil && (now.Version != stands.Version || now.Written != stands.Written):
				t.Fatalf("%s answered %+v, there stands %+v", do, now, stands)
			case err != nil && before.ID != "" && stands.Version != before.Version:
				t.Fatalf("%s was refused with %v and wrote %+v", do, err, stands)
			case before.ID != "" && !before.Open && stands.Open:
				t.Fatal("a finished call goes on")
			case len(stands.History) < len(before.History) || !slices.Equal(stands.History[:len(before.History)], before.History):
				t.Fatalf("history was %+v, is %+v", before.History, stands.History)
			case before.ID != "" && !before.Open && stands.Written != before.Written && len(stands.History) == len(before.History):
				t.Fatalf("%s changed %+v without a word", do, before)
			}
			before = stands
		}
	})
}
