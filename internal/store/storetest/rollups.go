package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func leafKey(unit string, day localday.Day, channel pb.Channel) tally.LeafKey {
	return tally.LeafKey{Unit: unit, Day: day, Channel: channel, Questionnaire: "kiosk", QVersion: 3}
}

// hourCell is a cell whose counts tell its version, so that a mix of two is found out.
func hourCell(key tally.LeafKey, hour int, epoch, seen uint32) tally.HourCell {
	return tally.HourCell{Leaf: key, Hour: hour, Cell: tally.Cell{
		Version: tally.Version{Epoch: epoch, Seen: seen}, Overall: tally.Counts{epoch, seen, 0, 0, 0, 1}, Flagged: tally.Counts{1: seen},
		Questions: map[string]tally.Counts{"wait": {5: seen}}, Choices: map[string]uint32{"wait/long": seen},
	}}
}

func (s suite) rollups() []subtest {
	const day = localday.Day("2026-11-22")
	return []subtest{
		{"a cell rises and never falls", func(t *testing.T) {
			rollups, key := s.fresh(t).Rollups(), leafKey("u", day, 1)
			for _, step := range []struct{ epoch, seen, wantEpoch, wantSeen uint32 }{
				{0, 5, 0, 5}, {0, 4, 0, 5}, {0, 6, 0, 6}, {0, 6, 0, 6}, {1, 2, 1, 2}, {0, 9, 1, 2}, {1, 1, 1, 2}, {1, 3, 1, 3}, {2, 1 << 31, 2, 1 << 31}, {2, 1, 2, 1 << 31},
			} {
				must(t, rollups.Raise(t.Context(), []tally.HourCell{hourCell(key, 14, step.epoch, step.seen)}))
				got := leaves(t, rollups, "u", day, day)
				wanted := []tally.Leaf{{Key: key, Hours: map[int]tally.Cell{14: hourCell(key, 14, step.wantEpoch, step.wantSeen).Cell}}}
				if diff := cmp.Diff(wanted, got); diff != "" {
					t.Fatalf("after %+v: %s", step, diff)
				}
			}
		}},
		{"equal versions do not write", func(t *testing.T) {
			rollups, key := s.fresh(t).Rollups(), leafKey("u", day, 1)
			first, second := hourCell(key, 14, 1, 5), hourCell(key, 14, 1, 5)
			second.Cell.Overall = tally.Counts{5: 99}
			must(t, rollups.Raise(t.Context(), []tally.HourCell{first}))
			must(t, rollups.Raise(t.Context(), []tally.HourCell{second}))
			if got := leaves(t, rollups, "u", day, day); got[0].Hours[14].Overall != first.Cell.Overall {
				t.Errorf("%v", got)
			}
		}},
		{"cells are guarded each for itself", func(t *testing.T) {
			rollups, key := s.fresh(t).Rollups(), leafKey("u", day, 1)
			must(t, rollups.Raise(t.Context(), []tally.HourCell{hourCell(key, 0, 0, 5), hourCell(key, 9, 0, 5), hourCell(key, 23, 0, 5)}))
			must(t, rollups.Raise(t.Context(), []tally.HourCell{hourCell(key, 0, 0, 4), hourCell(key, 9, 0, 6), hourCell(key, 10, 0, 1)}))
			wanted := map[int]tally.Cell{}
			for hour, seen := range map[int]uint32{0: 5, 9: 6, 10: 1, 23: 5} {
				wanted[hour] = hourCell(key, hour, 0, seen).Cell
			}
			if diff := cmp.Diff(wanted, leaves(t, rollups, "u", day, day)[0].Hours); diff != "" {
				t.Error(diff)
			}
		}},
		{"the same cell twice in a call", func(t *testing.T) {
			rollups, key := s.fresh(t).Rollups(), leafKey("u", day, 1)
			must(t, rollups.Raise(t.Context(), []tally.HourCell{hourCell(key, 9, 0, 5), hourCell(key, 9, 0, 7), hourCell(key, 9, 0, 6)}))
			if got := leaves(t, rollups, "u", day, day)[0].Hours[9].Seen; got != 7 {
				t.Errorf("seen %d", got)
			}
		}},
		{"leaves of a unit and period", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			var cells []tally.HourCell
			for _, unit := range []string{"u", "u1", "u-", "t", "v"} {
				for _, day := range []localday.Day{"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2027-01-01"} {
					for _, channel := range []pb.Channel{1, 4} {
						cells = append(cells, hourCell(leafKey(unit, day, channel), 9, 0, 1))
					}
				}
			}
			must(t, rollups.Raise(t.Context(), cells))
			var found []string
			for _, leaf := range leaves(t, rollups, "u", "2026-11-21", "2026-11-22") {
				found = append(found, leaf.Key.ID())
			}
			wanted := []string{"u/2026-11-21/1/kiosk@3", "u/2026-11-21/4/kiosk@3", "u/2026-11-22/1/kiosk@3", "u/2026-11-22/4/kiosk@3"}
			if diff := cmp.Diff(wanted, found); diff != "" {
				t.Error(diff)
			}
			if got := leaves(t, rollups, "nobody", "2026-01-01", "2026-12-31"); len(got) != 0 {
				t.Error(got)
			}
		}},
		{"what was seen, of all units", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			must(t, rollups.Raise(t.Context(), []tally.HourCell{
				hourCell(leafKey("u", "2026-11-21", 1), 9, 0, 1), hourCell(leafKey("u", "2026-11-22", 1), 9, 1, 2), hourCell(leafKey("u", "2026-11-22", 1), 10, 0, 3),
				hourCell(leafKey("v", "2026-11-22", 4), 9, 0, 4), hourCell(leafKey("v", "2026-11-23", 4), 9, 0, 5), hourCell(leafKey("v", "2026-11-24", 4), 9, 0, 6),
			}))
			found := map[string]tally.Version{}
			for cell, err := range rollups.Seen(t.Context(), "2026-11-22", "2026-11-23") {
				must(t, err)
				found[cell.Cell] = cell.Version
			}
			wanted := map[string]tally.Version{
				"2026-11-22/u/1/kiosk@3/09": {Epoch: 1, Seen: 2}, "2026-11-22/u/1/kiosk@3/10": {Seen: 3}, "2026-11-22/v/4/kiosk@3/09": {Seen: 4}, "2026-11-23/v/4/kiosk@3/09": {Seen: 5},
			}
			if diff := cmp.Diff(wanted, found); diff != "" {
				t.Error(diff)
			}
		}},
		{"many cells at once", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			var cells []tally.HourCell
			for unit := range 30 {
				for hour := range 24 {
					cells = append(cells, hourCell(leafKey(name("u%02d", unit), day, 1), hour, 0, 1))
				}
			}
			must(t, rollups.Raise(t.Context(), cells))
			count := 0
			for _, err := range rollups.Seen(t.Context(), string(day), string(day)) {
				must(t, err)
				count++
			}
			if count != len(cells) {
				t.Errorf("%d of %d", count, len(cells))
			}
		}},
		{"strips join", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			key := tally.StripKey{Year: 2026, Unit: "u", Questionnaire: "kiosk", QVersion: 3}
			slot := func(seen uint32) tally.Slot {
				return tally.Slot{Version: tally.Version{Seen: seen}, Overall: tally.Counts{5: seen}, Flagged: seen % 3}
			}
			at := func(day int, channel pb.Channel) tally.SlotKey { return tally.SlotKey{Day: day, Channel: channel} }
			must(t, rollups.RaiseStrips(t.Context(), []tally.Strip{strip(t, key, map[tally.SlotKey]tally.Slot{at(0, 1): slot(3), at(5, 1): slot(1)})}))
			must(t, rollups.RaiseStrips(t.Context(), []tally.Strip{
				strip(t, key, map[tally.SlotKey]tally.Slot{at(0, 1): slot(2), at(5, 1): slot(2)}), strip(t, key, map[tally.SlotKey]tally.Slot{at(5, 2): slot(9), at(364, 4): slot(7)}),
			}))
			wanted := strip(t, key, map[tally.SlotKey]tally.Slot{at(0, 1): slot(3), at(5, 1): slot(2), at(5, 2): slot(9), at(364, 4): slot(7)})
			if got := strips(t, rollups, 2026, nil); len(got) != 1 || !got[0].Equal(wanted) {
				t.Errorf("%v", got)
			}
		}},
		{"strips of a year and of units", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			var all []tally.Strip
			for _, year := range []int{2025, 2026} {
				for _, unit := range []string{"u", "u1", "v"} {
					for version := range int32(2) {
						key := tally.StripKey{Year: year, Unit: unit, Questionnaire: "kiosk", QVersion: version + 1}
						all = append(all, strip(t, key, map[tally.SlotKey]tally.Slot{{Day: 1, Channel: 1}: {Version: tally.Version{Seen: 1}}}))
					}
				}
			}
			must(t, rollups.RaiseStrips(t.Context(), all))
			for _, c := range []struct {
				units  []string
				wanted []string
			}{
				{nil, []string{"2026/u/kiosk@1", "2026/u/kiosk@2", "2026/u1/kiosk@1", "2026/u1/kiosk@2", "2026/v/kiosk@1", "2026/v/kiosk@2"}},
				{[]string{"u", "nobody"}, []string{"2026/u/kiosk@1", "2026/u/kiosk@2"}}, {[]string{}, nil},
				{[]string{"v", "u1"}, []string{"2026/u1/kiosk@1", "2026/u1/kiosk@2", "2026/v/kiosk@1", "2026/v/kiosk@2"}},
			} {
				var found []string
				for _, strip := range strips(t, rollups, 2026, c.units) {
					found = append(found, strip.Key.ID())
				}
				slices.Sort(found)
				if diff := cmp.Diff(c.wanted, found); diff != "" {
					t.Errorf("%v: %s", c.units, diff)
				}
			}
		}},
		{"the version changes with what is written, by whomever", func(t *testing.T) {
			data := s.open(t)
			engine := start(t, data)
			other := engine
			if !data.OneAtATime {
				other = start(t, data)
			}
			seen := map[string]bool{}
			for day := range 20 {
				before, err := engine.Rollups().Version(t.Context())
				must(t, err)
				if before == "" {
					t.Skip("this engine does not know a version")
				}
				if seen[before] {
					t.Fatalf("version %s comes again after a write", before)
				}
				seen[before] = true
				by := engine
				if day%2 == 1 {
					by = other
				}
				key := tally.StripKey{Year: 2026, Unit: "u", Questionnaire: "kiosk", QVersion: 3}
				must(t, by.Rollups().RaiseStrips(t.Context(), []tally.Strip{strip(t, key, map[tally.SlotKey]tally.Slot{{Day: day, Channel: 1}: {Version: tally.Version{Seen: 1}}})}))
			}
			must(t, together(8, func(int) error {
				_, err := engine.Rollups().Version(context.Background())
				return err
			}))
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := engine.Rollups().Version(gone); err == nil {
				t.Error("a caller that left was answered")
			}
			if _, err := engine.Rollups().Version(t.Context()); err != nil {
				t.Errorf("after a caller that left: %v", err)
			}
		}},
		{"strips joined concurrently", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			key := tally.StripKey{Year: 2026, Unit: "u", Questionnaire: "kiosk", QVersion: 3}
			must(t, together(16, func(worker int) error {
				for day := range 20 {
					part, err := tally.NewStrip(key, map[tally.SlotKey]tally.Slot{
						{Day: day, Channel: 1}: {Version: tally.Version{Seen: uint32(worker + 1)}, Overall: tally.Counts{1: uint32(worker + 1)}}, {Day: 100 + worker, Channel: 1}: {Version: tally.Version{Seen: 1}},
					})
					if err != nil {
						return err
					}
					if err := rollups.RaiseStrips(context.Background(), []tally.Strip{part}); err != nil {
						return err
					}
				}
				return nil
			}))
			got := strips(t, rollups, 2026, []string{"u"})[0]
			count := 0
			for at, slot := range got.Slots() {
				if count++; at.Day < 20 && (slot.Seen != 16 || slot.Overall[1] != 16) {
					t.Errorf("day %d stands at %+v", at.Day, slot)
				}
			}
			if count != 36 {
				t.Errorf("%d slots of 36", count)
			}
			must(t, got.Check())
		}},
		{"facets rise and never fall", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			facet := func(unit, month string, epoch, seen uint32) tally.Facet {
				return tally.Facet{
					Key: tally.FacetKey{Unit: unit, Month: month}, Version: tally.Version{Epoch: epoch, Seen: seen},
					Procedures: map[string]tally.Counts{"1.004194.000.00.00.H26": {5: seen}}, Officials: map[string]tally.Counts{"o": {1: seen}}, Questions: map[string]tally.Counts{"kiosk@3/wait": {2: seen}},
				}
			}
			for _, step := range []struct{ epoch, seen uint32 }{{0, 3}, {0, 2}, {0, 5}, {1, 1}, {0, 9}} {
				must(t, rollups.RaiseFacets(t.Context(), []tally.Facet{facet("u", "2026-11", step.epoch, step.seen), facet("u", "2026-10", 0, 1), facet("u", "2026-12", 0, 1), facet("u1", "2026-11", 0, 1)}))
			}
			var found []tally.Facet
			for got, err := range rollups.Facets(t.Context(), "u", "2026-10", "2026-11") {
				must(t, err)
				found = append(found, got)
			}
			if diff := cmp.Diff([]tally.Facet{facet("u", "2026-10", 0, 1), facet("u", "2026-11", 1, 1)}, found, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		}},
		{"workers race and no figure goes backwards", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			keys := []tally.LeafKey{leafKey("u", day, 1), leafKey("u", day, 2)}
			var done atomic.Int32
			const workers, most = 4, 60
			must(t, together(workers+2, func(i int) error {
				if i >= workers {
					last := map[string]tally.Version{}
					for done.Load() < workers {
						if err := watch(rollups, "u", day, last); err != nil {
							return err
						}
					}
					return nil
				}
				defer done.Add(1)
				random := rand.New(rand.NewPCG(uint64(i), 3))
				for _, n := range random.Perm(most) { // every worker writes every version, in an order of its own
					var cells []tally.HourCell
					for _, key := range keys {
						cells = append(cells, hourCell(key, n%3, uint32(n/30), uint32(n+1)))
					}
					if err := rollups.Raise(context.Background(), cells); err != nil {
						return err
					}
				}
				return nil
			}))
			for _, leaf := range leaves(t, rollups, "u", day, day) {
				for hour := range 3 {
					if diff := cmp.Diff(hourCell(leaf.Key, hour, 1, uint32(most-2+hour)).Cell, leaf.Hours[hour]); diff != "" {
						t.Errorf("%s hour %d: %s", leaf.Key.ID(), hour, diff)
					}
				}
			}
		}},
		{"raise nothing", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			must(t, rollups.Raise(t.Context(), nil))
			must(t, rollups.RaiseStrips(t.Context(), nil))
			must(t, rollups.RaiseFacets(t.Context(), nil))
		}},
		{"a cancelled context raises nothing", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			want(t, rollups.Raise(ctx, []tally.HourCell{hourCell(leafKey("u", day, 1), 9, 0, 1)}), context.Canceled)
			if got := leaves(t, rollups, "u", day, day); len(got) != 0 {
				t.Error(got)
			}
		}},
	}
}

// watch reads a unit's leaves and tells where a cell stands lower than last, or holds counts of another version.
func watch(rollups store.Rollups, unit string, day localday.Day, last map[string]tally.Version) error {
	for leaf, err := range rollups.Leaves(context.Background(), unit, string(day), string(day)) {
		if err != nil {
			return err
		}
		for hour, cell := range leaf.Hours {
			at := name("%s/%d", leaf.Key.ID(), hour)
			if cell.Less(last[at]) {
				return fmt.Errorf("%s went back from %+v to %+v", at, last[at], cell.Version)
			}
			if diff := cmp.Diff(hourCell(leaf.Key, hour, cell.Epoch, cell.Seen).Cell, cell); diff != "" {
				return fmt.Errorf("%s is a mix: %s", at, diff)
			}
			last[at] = cell.Version
		}
	}
	return nil
}

func leaves(t tester, rollups store.Rollups, unit string, from, to localday.Day) (all []tally.Leaf) {
	t.Helper()
	for leaf, err := range rollups.Leaves(context.Background(), unit, string(from), string(to)) {
		must(t, err)
		all = append(all, leaf)
	}
	return all
}

func strip(t tester, key tally.StripKey, slots map[tally.SlotKey]tally.Slot) tally.Strip {
	t.Helper()
	packed, err := tally.NewStrip(key, slots)
	must(t, err)
	return packed
}

func strips(t tester, rollups store.Rollups, year int, units []string) (all []tally.Strip) {
	t.Helper()
	for strip, err := range rollups.Strips(context.Background(), year, units) {
		must(t, err)
		all = append(all, strip)
	}
	return all
}
