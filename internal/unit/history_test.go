package unit_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// history plays random events day by day; what the draft refuses does not happen.
func history(t *rapid.T, today localday.Day) *unit.Tree {
	tree, err := unit.Build(nil, today)
	if err != nil {
		t.Fatal(err)
	}
	draft := tree.Draft()
	var names []string
	var units []unit.Unit
	some := func(what string) string {
		return rapid.SampledFrom(append([]string{""}, names...)).Draw(t, what)
	}
	day := localday.Day("2020-01-01")
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		day = day.Add(rapid.IntRange(0, 60).Draw(t, "days"))
		var u unit.Unit
		kind := rapid.SampledFrom([]string{"create", "create", "create", "move", "rename", "recode", "close"}).Draw(t, "kind")
		if kind != "create" {
			if len(names) == 0 {
				continue
			}
			u, _ = draft.Get(rapid.SampledFrom(names).Draw(t, "which"))
		}
		var err error
		switch kind {
		case "create":
			from := rapid.SampledFrom([]localday.Day{"", day}).Draw(t, "from")
			id := fmt.Sprintf("u%d", len(names))
			u = unit.New(id, "p", from, unit.Words{Code: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "code"), Name: id, Level: "commune", ParentID: some("parent")})
		case "move":
			u, err = u.Move(day, some("parent"))
		case "rename":
			u, err = u.Rename(day, rapid.SampledFrom([]string{"Xã A", "Xã B"}).Draw(t, "name"))
		case "recode":
			u, err = u.Recode(day, rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "code"))
		case "close":
			var successors []string
			for range rapid.IntRange(0, 3).Draw(t, "successors") {
				if id := some("successor"); id != "" && !slices.Contains(successors, id) {
					successors = append(successors, id)
				}
			}
			u, err = u.Close(day, successors...)
		}
		if err != nil || draft.Put(u) != nil {
			continue
		}
		if kind == "create" {
			names = append(names, u.ID)
		}
	}
	for _, id := range names {
		u, _ := draft.Get(id)
		units = append(units, u)
	}
	drafted, err := draft.Tree(today)
	if err != nil {
		t.Fatalf("the draft took what its tree refuses: %v", err)
	}
	built, err := unit.Build(units, today)
	if err != nil {
		t.Fatalf("the draft took what Build refuses: %v", err)
	}
	if diff := cmp.Diff(built.ListToday(""), drafted.ListToday("")); diff != "" {
		t.Fatalf("draft and Build differ: %s", diff)
	}
	return built
}

func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		today := localday.Day("2020-01-01").Add(rapid.IntRange(0, 3000).Draw(t, "today"))
		tree := history(t, today)
		forestOnEveryDay(t, tree)
		everyUnitCountsOnce(t, tree)
	})
}

// forestOnEveryDay: on each day, climbing from any unit that is there ends at a top, by units that are there, and
// subtrees are what climbing says they are.
func forestOnEveryDay(t *rapid.T, tree *unit.Tree) {
	days := map[localday.Day]bool{"1990-01-01": true, tree.Today(): true}
	for _, id := range tree.IDs() {
		u, _ := tree.Get(id)
		for _, era := range u.Eras {
			for _, day := range []localday.Day{era.ValidFrom, era.ValidTo} {
				if day != "" {
					days[day], days[day.Add(-1)] = true, true
				}
			}
		}
	}
	for day := range days {
		subtrees := map[string]map[string]bool{}
		there := map[string]bool{}
		for _, id := range tree.IDs() {
			u, _ := tree.Get(id)
			era, ok := u.At(day)
			if !ok {
				continue
			}
			there[id] = true
			for at, steps := id, 0; ; steps++ {
				if steps > tree.Len() {
					t.Fatalf("%s: %s is above itself", day, id)
				}
				if subtrees[at] == nil {
					subtrees[at] = map[string]bool{}
				}
				subtrees[at][id] = true
				if day <= tree.Today() && !tree.Within(id, at) {
					t.Fatalf("%s is not within %s, below which it was on %s", id, at, day)
				}
				if era.ParentID == "" {
					break
				}
				at = era.ParentID
				above, _ := tree.Get(at)
				if era, ok = above.At(day); !ok {
					t.Fatalf("%s: %s hangs from %s, which is not there", day, id, at)
				}
			}
		}
		for _, id := range tree.IDs() {
			if diff := cmp.Diff(subtrees[id], tree.SubtreeOn(id, day)); diff != "" {
				t.Fatalf("subtree of %s on %s: %s", id, day, diff)
			}
		}
		if got := tree.SubtreeOn("", day); !maps.Equal(got, there) {
			t.Fatalf("all on %s: %v, want %v", day, got, there)
		}
	}
}

func everyUnitCountsOnce(t *rapid.T, tree *unit.Tree) {
	times := map[string]int{}
	for _, top := range tree.TopsToday() {
		for id := range tree.SubtreeToday(top) {
			times[id]++
		}
	}
	for _, id := range tree.IDs() {
		if times[id] != 1 {
			t.Fatalf("%s counts %d times as today", id, times[id])
		}
		if at := tree.PlaceToday(id); !tree.SubtreeToday(at)[id] || !tree.Within(id, at) {
			t.Fatalf("%s counts at %s but not in its subtree", id, at)
		}
		u, _ := tree.Get(id)
		if _, there := u.At(tree.Today()); there {
			continue
		}
		if len(u.SuccessorIDs) == 1 && u.End() <= tree.Today() {
			if a, b := tree.PlaceToday(id), tree.PlaceToday(u.SuccessorIDs[0]); a != b {
				t.Fatalf("%s counts at %s, its successor at %s", id, a, b)
			}
		}
	}
	if len(times) != tree.Len() {
		t.Fatalf("%d of %d units counted", len(times), tree.Len())
	}
}
