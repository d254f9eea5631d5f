package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func theDay(t *testing.T) Day {
	t.Helper()
	d, err := OfficeDay()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheShapeOfADay(t *testing.T) {
	d := theDay(t)
	if len(d.through) != 32 || math.Abs(d.through[31]-1) > 1e-12 {
		t.Fatalf("%d parts that sum to %v", len(d.through), d.through[len(d.through)-1])
	}
	for i := range d.through {
		share := d.through[i] - d.before(i)
		if share < 0.005 || share > 0.05 {
			t.Errorf("part %d has %v of the people", i, share)
		}
	}
	// Late morning is busier than the first and the last hour.
	if first, late, last := d.Through(1./8), d.Through(4./8)-d.Through(3./8), 1-d.Through(7./8); late < 1.5*first || late < 1.5*last {
		t.Errorf("hours %v, %v and %v", first, late, last)
	}
}

func TestWhenIsTheOtherWayRound(t *testing.T) {
	d := theDay(t)
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Float64Range(0, 1).Draw(t, "share")
		part := d.When(share)
		if part < 0 || part > 1 || math.Abs(d.Through(part)-share) > 1e-9 {
			t.Fatalf("%v of the people at %v of the day, by when %v have come", share, part, d.Through(part))
		}
		if later := d.When(share + (1-share)/2); later < part {
			t.Fatalf("%v comes after %v", part, later)
		}
	})
}

func TestShapesThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no rows": "from,share\n", "nobody": "from,share\n08:00,0\n", "less than nobody": "from,share\n08:00,-1\n",
		"words": "from,share\n08:00,viele\n", "one column": "from\n08:00\n",
	} {
		if _, err := readDay(text); err == nil {
			t.Errorf("%s is taken for a day", name)
		}
	}
}

// The number of people in a part of the day is of Poisson's law: beyond 6.5 standard deviations it is by chance less than once in 10 thousand
// million (about 8e-11 both ways for the normal law; means of thousands are near it). Ten tries, all of one seed.
func TestPeopleComeAsTheDaySays(t *testing.T) {
	const days, perDay = 25, 4000
	d := theDay(t)
	a := arrivals{random: rand.New(rand.NewPCG(5, 5)), day: d, perDay: perDay, length: time.Minute} //nolint:gosec // dice
	var hours [8]float64
	n, last := 0.0, time.Duration(0)
	for {
		at := a.next()
		if at < last {
			t.Fatalf("%v after %v", at, last)
		}
		if last = at; at >= days*time.Minute {
			break
		}
		n++
		hours[at%time.Minute*8/time.Minute]++
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 6.5*math.Sqrt(want) {
			t.Errorf("%s: %v people, expected %v", what, got, want)
		}
	}
	near("in all", n, days*perDay)
	for i, got := range hours {
		near("hour "+string(rune('1'+i)), got, days*perDay*(d.Through(float64(i+1)/8)-d.Through(float64(i)/8)))
	}
}

func TestPeopleAreDrawnAsAskedAndTheSameForASeed(t *testing.T) {
	const people = 40_000
	o := Defaults()
	o.Rate, o.Duplicates = 100, 0.05
	draw := func(seed uint64) []person {
		c, err := newCrowd(&o, seed)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]person, people)
		for i := range all {
			all[i] = c.next()
		}
		return all
	}
	all := draw(1)
	var scores [6]float64
	var changed, again, written, unhappy, reasons float64
	for i, p := range all {
		scores[p.score]++
		if p.first != 0 {
			changed++
			if p.first == p.score || p.first < 1 || p.first > 5 {
				t.Fatalf("changes their mind from %d to %d", p.first, p.score)
			}
		}
		if p.again {
			again++
		}
		if p.comment != "" {
			written++
		}
		if p.score <= 3 {
			unhappy++
			if len(p.reasons) > 0 {
				reasons++
			}
		} else if len(p.reasons) > 0 {
			t.Fatal("who is content gives no reasons")
		}
		if i > 0 && p.ticket <= all[i-1].ticket {
			t.Fatalf("ticket %d after %d", p.ticket, all[i-1].ticket)
		}
	}
	near := func(what string, got, of, share float64) {
		if math.Abs(got-of*share) > 6.5*math.Sqrt(of*share*(1-share)) {
			t.Errorf("%s: %v of %v, expected a share of %v", what, got, of, share)
		}
	}
	for i, weight := range o.Scores {
		near("score "+string(rune('1'+i)), scores[i+1], people, weight/100)
	}
	near("changes", changed, people, o.Changes)
	near("again", again, people, o.Duplicates)
	near("comments", written, people, o.Comments)
	near("reasons", reasons, unhappy, o.Reasons)
	near("who rate", people, float64(all[people-1].ticket), o.Share)
	// The last of them comes when so many are to be expected, at the rate of ratings asked for.
	days := all[people-1].at.Seconds() / o.DayLength.Seconds()
	if expected := (math.Floor(days) + theDay(t).Through(days-math.Floor(days))) * o.Rate * o.DayLength.Seconds(); math.Abs(expected-people) > 6.5*math.Sqrt(people) {
		t.Errorf("%d ratings where %v are expected", people, expected)
	}
	same := draw(1)
	for i := range all {
		if all[i].at != same[i].at || all[i].score != same[i].score || all[i].device != same[i].device || all[i].comment != same[i].comment {
			t.Fatalf("person %d is another one: %+v and %+v", i, all[i], same[i])
		}
	}
	if other := draw(2); other[0].at == all[0].at {
		t.Error("another seed has the same people")
	}
}

func TestWords(t *testing.T) {
	by, err := readComments(commentsFile)
	if err != nil {
		t.Fatal(err)
	}
	for score := 1; score <= 5; score++ {
		if len(by[score]) == 0 {
			t.Errorf("nothing is said with a %d", score)
		}
	}
	for _, wrong := range []string{"Cảm ơn", "0-3 Cảm ơn", "1-6 Cảm ơn", "1-2"} {
		if _, err := readComments(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
