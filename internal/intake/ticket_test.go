package intake_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	stored    = pb.Outcome_OUTCOME_STORED
	duplicate = pb.Outcome_OUTCOME_DUPLICATE
)

func TestOneRatingATicketCounts(t *testing.T) {
	in := func(unitID string) func(*pb.Rating) { return func(r *pb.Rating) { r.UnitId = unitID } }
	by := func(channel pb.Channel) func(*pb.Rating) { return func(r *pb.Rating) { r.Channel = channel } }
	d := device("d")
	cases := []struct {
		name string
		test func(h *house, ticket string)
	}{
		{"the first counts, later ones are kept and flagged", func(h *house, ticket string) {
			first, second, third := given(ticket), given(ticket), given(ticket)
			h.sent(d, stored, first)
			h.sent(d, stored, second, third)
			h.flagged(false, first)
			h.flagged(true, second, third)
		}},
		{"sent again nothing changes", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			for _, want := range []pb.Outcome{stored, duplicate, duplicate} {
				h.sent(d, want, first)
				h.sent(d, want, second)
				h.flagged(false, first)
				h.flagged(true, second)
			}
		}},
		{"in one call the first of it", func(h *house, ticket string) {
			first, second, other := given(ticket), given(ticket), given(ticket+"x")
			h.sent(d, stored, first, other, second)
			h.flagged(false, first, other)
			h.flagged(true, second)
		}},
		{"twice in one call", func(h *house, ticket string) {
			first := given(ticket)
			outcomes, err := h.send(d, first, first)
			h.check(err)
			if outcomes[0].GetOutcome() != stored || outcomes[1].GetOutcome() != duplicate {
				h.Error(outcomes)
			}
			h.flagged(false, first)
		}},
		{"a new one before one sent again", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			h.sent(d, stored, first)
			_, err := h.send(d, second, first)
			h.check(err)
			h.flagged(false, first)
			h.flagged(true, second)
		}},
		{"a long batch sent again with more", func(h *house, ticket string) {
			var batch, more []*pb.Rating
			for i := range 20 {
				batch = append(batch, given(fmt.Sprint(ticket, i)))
				more = append(more, given(fmt.Sprint(ticket, i)))
			}
			h.sent(d, stored, batch...)
			h.sent(d, duplicate, batch...)
			h.sent(d, stored, more...)
			h.flagged(false, batch...)
			h.flagged(true, more...)
		}},
		{"written otherwise", func(h *house, ticket string) {
			first := given(ticket + " a 12")
			h.sent(d, stored, first)
			var others []*pb.Rating
			for _, code := range []string{" A 12", "  A\u00a0 12 ", " a 12\x00", " \u0007a 12"} {
				others = append(others, given(ticket+code))
			}
			h.sent(d, stored, others...)
			h.flagged(true, others...)
		}},
		{"other tickets", func(h *house, ticket string) {
			ratings := []*pb.Rating{given(ticket + "D1"), given(ticket + "Đ1"), given(ticket + "D-1"), given(ticket+"D1", in("b")), given(ticket+"D1", on(today.Add(-1))),
				given(ticket + "/a"), given(ticket + "\x01a")}
			h.sent(d, stored, ratings...)
			h.flagged(false, ratings...)
		}},
		{"codes of any length and letters", func(h *house, ticket string) {
			for i, code := range []string{ticket + string(make([]byte, 40)), ticket + fmt.Sprintf("%060d", 0), fmt.Sprintf("%s%050s", ticket, "ﷺ"), ticket + "\U0010ffff\U0010ffff"} {
				first, second := given(code), given(code)
				h.sent(d, stored, first)
				h.sent(d, stored, second)
				if i > 0 {
					h.flagged(false, first)
				}
				h.flagged(true, second)
			}
		}},
		{"without a ticket", func(h *house, _ string) {
			ratings := []*pb.Rating{given(""), given(" "), given(" "), given("\x00"), given("\x00")}
			h.sent(d, stored, ratings...)
			h.flagged(false, ratings...)
		}},
		{"on paper and by telephone it does not matter", func(h *house, ticket string) {
			var ratings []*pb.Rating
			for _, channel := range []pb.Channel{pb.Channel_CHANNEL_PAPER, pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_PAPER, pb.Channel_CHANNEL_HOTLINE} {
				ratings = append(ratings, given(ticket, by(channel)))
			}
			h.sent(administrator(), stored, ratings...)
			h.flagged(false, ratings...)
		}},
		{"what is imported was counted elsewhere", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			outcomes, err := h.submit(identity.System(), intake.Batch{Source: "tệp"}, first, second)
			h.check(err)
			if outcomes[0].GetOutcome() != stored || outcomes[1].GetOutcome() != stored {
				h.Error(outcomes)
			}
			h.flagged(false, first, second)
		}},
		{"on the web after the kiosk", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket, by(web))
			h.sent(d, stored, first)
			h.sent(identity.Anonymous(""), stored, second)
			h.flagged(false, first)
			h.flagged(true, second)
		}},
		{"on the web twice", func(h *house, ticket string) {
			first, second := given(ticket, by(web)), given(ticket, by(web))
			h.sent(identity.Anonymous(""), stored, first)
			h.sent(identity.Anonymous(""), stored, second)
			h.flagged(false, first)
			h.flagged(true, second)
		}},
		{"nobody unknown takes a ticket from its holder", func(h *house, ticket string) {
			guessed, first, second := given(ticket, by(web)), given(ticket), given(ticket)
			h.sent(identity.Anonymous(""), stored, guessed)
			h.sent(d, stored, first)
			h.sent(d, stored, second)
			h.sent(identity.Anonymous(""), duplicate, guessed)
			h.sent(d, duplicate, first)
			h.flagged(false, guessed, first)
			h.flagged(true, second)
		}},
		{"corrections", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			h.sent(d, stored, first)
			h.sent(d, stored, second)
			corrected, again := given(ticket, revising(first)), given(ticket, revising(second))
			h.sent(administrator(), stored, corrected, again)
			h.sent(administrator(), duplicate, corrected, again)
			h.flagged(false, corrected)
			h.flagged(true, again)
			chain := given(ticket, revising(corrected))
			third := given(ticket)
			h.sent(administrator(), stored, third, chain) // in the other order too
			h.flagged(false, chain)
			h.flagged(true, third)
		}},
		{"corrections in the call of their originals", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			corrected, again := given(ticket, revising(first)), given(ticket, revising(second))
			h.sent(administrator(), stored, again, corrected, first, second)
			h.flagged(false, first, corrected)
			h.flagged(true, second, again)
		}},
		{"corrections of the number", func(h *house, ticket string) {
			first, second, mistyped := given(ticket+"1"), given(ticket+"1"), given(ticket+"2")
			h.sent(d, stored, first, second, mistyped)
			free, taken, none := given(ticket+"3", revising(second)), given(ticket+"1", revising(mistyped)), given("", revising(second))
			h.sent(administrator(), stored, free)
			h.sent(administrator(), stored, taken)
			h.sent(administrator(), stored, none)
			h.flagged(false, free, none)
			h.flagged(true, taken)
			late := given(ticket + "3")
			h.sent(d, stored, late)
			h.flagged(true, late)
		}},
		{"a power cut between claim and rating", func(h *house, ticket string) {
			first, second := given(ticket), given(ticket)
			h.engine.appends = 1
			if _, err := h.send(d, first); err == nil {
				h.Fatal("the append did not fail")
			}
			h.sent(d, stored, second)
			h.sent(d, stored, first)
			h.flagged(false, first)
			h.flagged(true, second)
		}},
		{"a rating that never came", func(h *house, ticket string) {
			first, soon, second, third := given(ticket), given(ticket), given(ticket), given(ticket)
			h.engine.appends = 1
			if _, err := h.send(d, first); err == nil {
				h.Fatal("the append did not fail")
			}
			before := *h.now
			*h.now = before.Add(59 * time.Minute)
			h.sent(d, stored, soon)
			*h.now = before.Add(61 * time.Minute)
			h.sent(d, stored, second, third)
			h.sent(d, stored, first) // it came after all
			*h.now = before
			h.flagged(false, second)
			h.flagged(true, soon, third, first)
		}},
		{"a rating that never came, and one that was flagged for it is sent again", func(h *house, ticket string) {
			first, soon, second := given(ticket), given(ticket), given(ticket)
			h.engine.appends = 1
			if _, err := h.send(d, first); err == nil {
				h.Fatal("the append did not fail")
			}
			before := *h.now
			h.sent(d, stored, soon)
			*h.now = before.Add(61 * time.Minute)
			h.sent(d, duplicate, soon)
			_, err := h.send(d, soon, second)
			h.check(err)
			*h.now = before
			h.flagged(true, soon)
			h.flagged(false, second)
		}},
		{"a conflict claims nothing", func(h *house, ticket string) {
			first := given(ticket + "1")
			h.sent(d, stored, first)
			forged := given(ticket+"2", func(r *pb.Rating) { r.Id = first.GetId() })
			h.sent(d, pb.Outcome_OUTCOME_CONFLICT, forged)
			second, third := given(ticket+"2"), given(ticket+"2")
			h.sent(d, stored, second, third)
			h.sent(d, duplicate, first)
			h.flagged(false, first, second)
			h.flagged(true, third)
		}},
		{"a refused one claims nothing, released it is judged by then", func(h *house, ticket string) {
			release := func(id string) {
				h.Helper()
				outcome, err := h.intake.Release(h.Context(), administrator(), id, true, language.English)
				h.check(err)
				if outcome.GetOutcome() != stored {
					h.Fatal(outcome)
				}
			}
			early, late := given(ticket), given(ticket+"2")
			refused := h.sent(device("stranger"), pb.Outcome_OUTCOME_REJECTED, early, late)
			first, second := given(ticket), given(ticket+"2")
			h.sent(d, stored, first)
			release(refused[0].GetQuarantineId())
			release(refused[1].GetQuarantineId())
			h.sent(d, stored, second)
			h.flagged(false, first, late)
			h.flagged(true, early, second)
		}},
	}
	onEngines(t, func(t *testing.T, h *house) {
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) { c.test(h.at(t), fmt.Sprintf("K%d-", i)) })
		}
		h.at(t).counted(today)
	})
}

func on(day localday.Day) func(*pb.Rating) {
	return func(r *pb.Rating) { r.OccurredAt = timestamppb.New(day.Start().Add(9 * time.Hour)) }
}

func TestTicketsClaimedAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		const callers, count = 16, 5
		ratings := make([][]*pb.Rating, callers)
		var all sync.WaitGroup
		for i := range ratings {
			for n := range count {
				ratings[i] = append(ratings[i], given(fmt.Sprint("A", n)))
			}
			all.Go(func() {
				caller := device(fmt.Sprint("d", i))
				for range 2 { // the second time all are there already
					if _, err := h.send(caller, ratings[i]...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if counts, seen := h.counted(today); counts != count || seen != callers*count {
			t.Errorf("%d count of %d", counts, seen)
		}
	})
}

// TestTicketsInAnyOrder sends ratings in any order, in batches, again and again, while the store fails and time passes: in the
// end all are stored, one counts for each ticket, and the fold and the engine's own count agree.
func TestTicketsInAnyOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		check := 0
		rapid.Check(t, func(r *rapid.T) {
			check++
			day := today.Add(-check % 390)
			var ratings []*pb.Rating
			tickets := map[string]bool{}
			none := 0
			for range rapid.IntRange(1, 12).Draw(r, "ratings") {
				ticket := ""
				if n := rapid.IntRange(0, 4).Draw(r, "ticket"); n > 0 {
					ticket = fmt.Sprintf("P%d-%d", check, n)
					tickets[ticket] = true
				} else {
					none++
				}
				ratings = append(ratings, given(ticket, on(day)))
			}
			start := *h.now
			for range rapid.IntRange(0, 6).Draw(r, "calls") {
				h.engine.appends = rapid.SampledFrom([]int{0, 0, 1}).Draw(r, "fails")
				*h.now = h.now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, 2 * time.Hour}).Draw(r, "later"))
				batch := rapid.SliceOfN(rapid.SampledFrom(ratings), 1, 6).Draw(r, "batch")
				_, err := h.send(device("d"), batch...)
				if err != nil && h.engine.appends > 0 {
					r.Fatal(err)
				}
			}
			h.engine.appends = 0
			for _, one := range rapid.Permutation(ratings).Draw(r, "at last") {
				outcomes, err := h.send(device("d"), one)
				if err != nil || outcomes[0].GetOutcome() != stored && outcomes[0].GetOutcome() != duplicate {
					r.Fatal(outcomes, err)
				}
			}
			*h.now = start
			if counts, seen := h.counted(day); counts != uint32(len(tickets)+none) || seen != uint32(len(ratings)) {
				r.Fatalf("%d count of %d, for %d tickets and %d without", counts, seen, len(tickets), none)
			}
		})
	})
}

// BenchmarkTickets is a device's batch of 100 with and without tickets, and the one with tickets sent again.
func BenchmarkTickets(b *testing.B) {
	engine, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	benchmarkTickets(b, newHouse(b, engine))
	if engine, err := mongodb.Open(b.Context(), testengine.WithDatabase(testengine.MongoDB(b)), mongodb.Options{}); err != nil {
		b.Fatal(err)
	} else {
		benchmarkTickets(b, newHouse(b, engine))
	}
}

func benchmarkTickets(b *testing.B, h *house) {
	number := 0
	for _, c := range []struct{ name, letter string }{{"without", ""}, {"with", "A"}, {"again", "A"}} {
		b.Run(h.engine.Name()+"/"+c.name, func(b *testing.B) {
			h := h.at(b)
			batch := func() []*pb.Rating {
				ratings := make([]*pb.Rating, 100)
				for i := range ratings {
					number++
					if ratings[i] = given(""); c.letter != "" {
						ratings[i].TicketCode = fmt.Sprint(c.letter, number)
					}
				}
				return ratings
			}
			same := batch()
			if c.name == "again" {
				h.sent(device("d"), stored, same...)
			}
			for b.Loop() {
				if c.name == "again" {
					h.sent(device("d"), duplicate, same...)
				} else {
					h.sent(device("d"), stored, batch()...)
				}
			}
		})
	}
}
