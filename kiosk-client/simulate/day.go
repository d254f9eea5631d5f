package simulate

import (
	_ "embed" // the shape
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"time"
)

//go:embed day.csv
var dayFile string

// Day is the shape of an office's day: how its people spread over the hours it is open.
type Day struct {
	through []float64 // share of the people that has come at the end of each of its equal parts; the last is 1
}

// OfficeDay is the day of real offices, from 8 to 16 o'clock.
func OfficeDay() (Day, error) { return readDay(dayFile) }

func readDay(text string) (Day, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comment, reader.FieldsPerRecord = '#', 2
	rows, err := reader.ReadAll()
	if err != nil {
		return Day{}, fmt.Errorf("shape of a day: %w", err)
	}
	var d Day
	sum := 0.0
	for _, row := range rows[min(1, len(rows)):] {
		share, err := strconv.ParseFloat(row[1], 64)
		if err != nil || share < 0 {
			return Day{}, fmt.Errorf("shape of a day: %q at %s", row[1], row[0])
		}
		sum += share
		d.through = append(d.through, sum)
	}
	if sum <= 0 {
		return Day{}, fmt.Errorf("shape of a day: nobody comes")
	}
	for i := range d.through {
		d.through[i] /= sum // what was rounded away
	}
	return d, nil
}

// Through answers which share of the people has come at a part of the day, 0 to 1.
func (d Day) Through(part float64) float64 {
	at := part * float64(len(d.through))
	i := min(int(at), len(d.through)-1)
	before := d.before(i)
	return before + (d.through[i]-before)*min(at-float64(i), 1)
}

// When is the other way round: the part of the day at which a share of the people, 0 to 1, has come.
func (d Day) When(share float64) float64 {
	i := min(sort.SearchFloat64s(d.through, share), len(d.through)-1)
	before := d.before(i)
	within := 0.0
	if d.through[i] > before {
		within = (share - before) / (d.through[i] - before)
	}
	return (float64(i) + within) / float64(len(d.through))
}

func (d Day) before(i int) float64 {
	if i == 0 {
		return 0
	}
	return d.through[i-1]
}

// arrivals is when people come, one after the other: a Poisson process whose rate follows the day, day after day without a night. One of
// constant rate in "people to be expected" is bent so that as many are to be expected as the day says.
type arrivals struct {
	random *rand.Rand
	day    Day
	perDay float64 // people to be expected
	length time.Duration
	come   float64 // people so far, in days
}

// next is when the next one comes, from the start.
func (a *arrivals) next() time.Duration {
	a.come += a.random.ExpFloat64() / a.perDay
	whole, part := math.Modf(a.come)
	return time.Duration((whole + a.day.When(part)) * float64(a.length))
}
