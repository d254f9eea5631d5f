package analysis

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// tallied counts the readings of strips; it may not know their version.
type tallied struct {
	store.Rollups
	readings  int
	unknowing bool
}

func (c *tallied) Strips(ctx context.Context, year int, units []string) iter.Seq2[tally.Strip, error] {
	c.readings++
	return c.Rollups.Strips(ctx, year, units)
}

func (c *tallied) Version(ctx context.Context) (string, error) {
	if c.unknowing {
		return "", nil
	}
	return c.Rollups.Version(ctx)
}

type through struct{ rollups store.Rollups }

func (t through) Rollups() store.Rollups { return t.rollups }

// TestKeptStripsAreThoseThatStand: whatever is written in between, by this process or another, a question reads what stands; and where
// nothing was written, only the first reads.
func TestKeptStripsAreThoseThatStand(t *testing.T) {
	for name, unknowing := range map[string]bool{"a store that knows its version": false, "one that does not": true} {
		t.Run(name, func(t *testing.T) {
			engine := open(t)
			counted := &tallied{Rollups: engine.Rollups(), unknowing: unknowing}
			a := New(Config{Engine: through{counted}, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01")})
			r := newRatings(t, engine)
			rapid.Check(t, func(t *rapid.T) {
				written, asked := false, map[string]bool{} // in this run
				for range rapid.IntRange(1, 20).Draw(t, "steps") {
					unit := rapid.SampledFrom([]string{"A", "B", "C", "D", "O"}).Draw(t, "unit")
					if rapid.Bool().Draw(t, "write") {
						r.add(unit, "2025-08-10", kiosk, "short", 0, 0, 0, 0, 1)
						written, asked = true, map[string]bool{}
						continue
					}
					var stands []tally.Strip
					for strip, err := range engine.Rollups().Strips(context.Background(), 2025, []string{unit}) {
						if err != nil {
							t.Fatal(err)
						}
						stands = append(stands, strip)
					}
					before := counted.readings
					got, err := a.stripsOf(context.Background(), 2025, []string{unit})
					if err != nil || !slices.EqualFunc(got, stands, tally.Strip.Equal) {
						t.Fatalf("%v are read as %v: %v", stands, got, err)
					}
					switch read := counted.readings > before; {
					case !unknowing && asked[unit] && read:
						t.Fatal("nothing was written, and it was read again")
					case (unknowing || written && !asked[unit]) && !read:
						t.Fatal("it was not read")
					}
					asked[unit] = true
				}
			})
		})
	}
}

func TestKeptStripsAreBounded(t *testing.T) {
	var kept keptStrips
	for _, key := range []string{"a", "b", "a", "c", "d", "e"} {
		kept.put(keptReading{key, "1", make([]tally.Strip, stripsKept/3)})
		if kept.count > stripsKept+1 {
			t.Fatalf("%d strips are kept", kept.count)
		}
	}
	kept.put(keptReading{"too many", "1", make([]tally.Strip, stripsKept+1)})
	for key, version := range map[string]string{"a": "1", "b": "1", "too many": "1", "e": "2"} {
		if _, ok := kept.get(key, version); ok {
			t.Errorf("%s of version %s is still there", key, version)
		}
	}
	for _, key := range []string{"d", "e"} {
		if strips, ok := kept.get(key, "1"); !ok || len(strips) != stripsKept/3 {
			t.Errorf("%s is not there", key)
		}
	}
	for i := range 2 * stripsKept { // of nobody
		kept.put(keptReading{key: strconv.Itoa(i), version: "1"})
	}
	if len(kept.all) > stripsKept+1 {
		t.Errorf("%d readings are kept", len(kept.all))
	}
}
