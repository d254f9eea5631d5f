package backlog

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestCellsIsAQueueOfDistinctCells compares with the plainest thing that could work.
func TestCellsIsAQueueOfDistinctCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(1, 6).Draw(t, "bound")
		cells := New(bound)
		var model []string
		name := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "cell")) })
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				cell := name.Draw(t, "add")
				want := false
				if !slices.Contains(model, cell) {
					model = append(model, cell)
					if want = len(model) > bound; want {
						model = model[1:]
					}
				}
				if got := cells.Add(cell); got != want {
					t.Fatalf("adding dropped: %v, want %v", got, want)
				}
			},
			"take": func(t *rapid.T) {
				n := rapid.IntRange(-1, 4).Draw(t, "n")
				want := model[:max(min(n, len(model)), 0)]
				if got := cells.Take(n); !slices.Equal(got, want) {
					t.Fatalf("took %v, want %v", got, want)
				}
				model = slices.Clone(model[len(want):])
			},
			"return": func(t *rapid.T) {
				back := rapid.SliceOfN(name, 0, 4).Draw(t, "back")
				want := 0
				for _, cell := range back {
					switch {
					case slices.Contains(model, cell):
					case len(model) < bound:
						model = append(model, cell)
					default:
						want++
					}
				}
				if got := cells.Return(back); got != want {
					t.Fatalf("returning dropped %d, want %d", got, want)
				}
			},
			"": func(t *rapid.T) {
				if cells.Len() != len(model) || len(cells.waiting) != len(model) {
					t.Fatalf("%d wait (%d known), want %d", cells.Len(), len(cells.waiting), len(model))
				}
				if cap(cells.queue) > 8*bound+16 {
					t.Fatalf("room for %d under a bound of %d", cap(cells.queue), bound)
				}
			},
		})
	})
}
