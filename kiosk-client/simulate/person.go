package simulate

import (
	"bufio"
	_ "embed" // the words
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

//go:embed comments.txt
var commentsFile string

// readComments answers the sentences that go with each score from 1 to 5.
func readComments(text string) (by [6][]string, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		var low, high int
		scores, sentence, ok := strings.Cut(line, " ")
		if _, err := fmt.Sscanf(scores, "%d-%d", &low, &high); !ok || err != nil || low < 1 || high > 5 {
			return by, fmt.Errorf("comments: %q", line)
		}
		for score := low; score <= high; score++ {
			by[score] = append(by[score], sentence)
		}
	}
	return by, lines.Err()
}

// person is somebody who was served, and what they do at the kiosk of the counter. Everything is drawn when they come, so that the same
// seed gives the same people; draws that need the device's form to mean something stay numbers from 0 to 1.
type person struct {
	at      time.Duration // from the start
	device  int
	ticket  int
	score   int32
	first   int32     // the face touched first, where they change their mind; 0 = the one that stands
	reasons []float64 // each is one of the reasons the form has
	comment string
	again   bool // the device sends what was acknowledged once more after them
	copied  bool // and does so by starting from an older copy of its journal
}

// crowd draws the people.
type crowd struct {
	arrivals arrivals
	random   *rand.Rand
	options  *Options
	comments [6][]string
	tickets  int
}

func newCrowd(o *Options, seed uint64) (*crowd, error) {
	day, err := OfficeDay()
	if err != nil {
		return nil, err
	}
	comments, err := readComments(commentsFile)
	if err != nil {
		return nil, err
	}
	return &crowd{options: o, comments: comments, random: rand.New(rand.NewPCG(seed, 2)), //nolint:gosec // people of a play
		arrivals: arrivals{random: rand.New(rand.NewPCG(seed, 1)), day: day, length: o.DayLength, //nolint:gosec // of a play
			perDay: o.Rate / o.Share * o.DayLength.Seconds()}}, nil
}

// next is the next person who rates; the tickets of those who did not are left out.
func (c *crowd) next() person {
	for {
		at := c.arrivals.next()
		c.tickets++
		if c.chance(c.options.Share) {
			p := c.draw()
			p.at = at
			return p
		}
	}
}

func (c *crowd) chance(p float64) bool { return c.random.Float64() < p }

// draw is a person without a time.
func (c *crowd) draw() person {
	o := c.options
	p := person{device: c.random.IntN(o.Devices), ticket: c.tickets, score: c.drawScore()}
	if c.chance(o.Changes) {
		if p.first = c.drawScore(); p.first == p.score {
			p.first = p.score%5 + 1
		}
	}
	if p.score <= 3 && c.chance(o.Reasons) {
		for range 1 + c.random.IntN(2) {
			p.reasons = append(p.reasons, c.random.Float64())
		}
	}
	if words := c.comments[p.score]; c.chance(o.Comments) && len(words) > 0 {
		p.comment = words[c.random.IntN(len(words))]
	}
	p.again = c.chance(o.Duplicates)
	p.copied = c.chance(0.25)
	return p
}

func (c *crowd) drawScore() int32 {
	at := c.random.Float64() * (c.options.Scores[0] + c.options.Scores[1] + c.options.Scores[2] + c.options.Scores[3] + c.options.Scores[4])
	for i, weight := range c.options.Scores {
		if at -= weight; at < 0 {
			return int32(i + 1) //nolint:gosec // 1 to 5
		}
	}
	return 5
}
