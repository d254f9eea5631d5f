package demo

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	seed      = 0x4d696e68486f61 // "MinhHoa"
	ratingDay = 299              // ratings of an ordinary working day
)

// channels and how they share the ratings of an ordinary day.
var channels = [...]struct {
	channel pb.Channel
	share   float64
}{
	{pb.Channel_CHANNEL_KIOSK, 0.62}, {pb.Channel_CHANNEL_WEB, 0.20}, {pb.Channel_CHANNEL_HOTLINE, 0.07}, {pb.Channel_CHANNEL_PAPER, 0.11},
}

// items are the scored questions of the long form but the overall one.
var items = [...]string{
	"access_information", "access_signs", "access_premises", "access_equipment",
	"procedure_posting", "procedure_papers", "procedure_fees", "procedure_duration",
	"staff_courtesy", "staff_answers", "staff_guidance", "staff_rules", "staff_dedication",
	"result_punctual", "result_accurate", "result_fair",
	"feedback_channels", "feedback_handling", "feedback_notice",
}

// Ratings makes the history up to now, in the order in which it was given. A day's ratings depend on the day alone.
func Ratings(now time.Time) iter.Seq[*pb.SealedRating] {
	first, _ := localday.Of(now.In(localday.Zone).AddDate(0, -Months, 0))
	return since(first, now)
}

// since makes the ratings from a day on up to now.
func since(first localday.Day, now time.Time) iter.Seq[*pb.SealedRating] {
	return func(yield func(*pb.SealedRating) bool) {
		p := newProvince()
		last, _ := localday.Of(now)
		for day := first; day <= last; day = day.Add(1) {
			for _, g := range p.day(day) {
				if g.at.After(now) || !yield(g.seal()) {
					return
				}
			}
		}
	}
}

// Live makes one plausible rating given now.
func Live(now time.Time, rng *rand.Rand) *pb.SealedRating {
	p := newProvince()
	want := rng.Float64()
	channel := channels[0].channel
	for _, c := range channels {
		if want -= c.share; want < 0 {
			channel = c.channel
			break
		}
	}
	want = rng.Float64() * p.weight
	for i := range p.places {
		if want -= p.places[i].weight; want < 0 {
			return p.give(rng, i, channel, now).seal()
		}
	}
	return p.give(rng, 1, channel, now).seal()
}

// province is everything a rating is made from.
type province struct {
	places     []place
	weight     float64 // of all places
	procedures map[string][]Procedure
	clock      clock
}

func newProvince() *province {
	p := &province{places: places(), procedures: map[string][]Procedure{}, clock: newClock()}
	for _, place := range p.places {
		p.weight += place.weight
	}
	for _, procedure := range Procedures() {
		p.procedures[procedure.Field] = append(p.procedures[procedure.Field], procedure)
	}
	return p
}

// given is a rating on its way out.
type given struct {
	at      time.Time // when it was given, whatever its own clock says
	rating  *pb.Rating
	private *pb.Private
}

// day makes all ratings of a day, in order.
func (p *province) day(day localday.Day) []given {
	start := day.Start()
	rng := rand.New(rand.NewPCG(seed, uint64(start.Unix()))) //nolint:gosec // not a secret
	counters, web, hotline := busyness(day)
	saturday := start.Weekday() == time.Saturday
	var all []given
	for i := range p.places {
		place := &p.places[i]
		for _, c := range channels {
			busy := counters
			switch c.channel {
			case pb.Channel_CHANNEL_WEB:
				busy = web
			case pb.Channel_CHANNEL_HOTLINE:
				busy = hotline
			}
			for range poisson(rng, ratingDay*busy*c.share*place.weight/p.weight) {
				at := start.Add(p.clock.of(c.channel, saturday).at(rng))
				all = append(all, p.give(rng, i, c.channel, at))
			}
		}
		all = append(all, p.odd(rng, i, start, counters)...)
	}
	slices.SortStableFunc(all, func(a, b given) int { return a.at.Compare(b.at) })
	return all
}

// odd makes what should catch an inspector's eye: perfect ratings seconds apart at closing time, and a kiosk that is a year
// ahead.
func (p *province) odd(rng *rand.Rand, i int, start time.Time, busy float64) []given {
	var odd []given
	switch p.places[i].ID {
	case spotlessUnit:
		if busy < 0.5 || rng.IntN(3) > 0 {
			return nil
		}
		at := start.Add(16*time.Hour + 50*time.Minute)
		for range 6 + rng.IntN(8) {
			at = at.Add(time.Duration(2000+rng.IntN(4000)) * time.Millisecond)
			odd = append(odd, p.give(rng, i, pb.Channel_CHANNEL_KIOSK, at))
		}
	case wrongClockUnit:
		if busy < 0.5 || rng.IntN(8) > 0 {
			return nil
		}
		at := start.Add(9*time.Hour + time.Duration(rng.IntN(3600_000))*time.Millisecond)
		g := p.give(rng, i, pb.Channel_CHANNEL_KIOSK, at.AddDate(1, 0, 0))
		g.at = at
		odd = append(odd, g)
	}
	return odd
}

// give makes one rating.
func (p *province) give(rng *rand.Rand, i int, channel pb.Channel, at time.Time) given {
	place := &p.places[i]
	counter := rng.IntN(place.counters)
	fields := fieldsOf(*place, counter)
	procedures := p.procedures[fields[rng.IntN(len(fields))]]
	procedure := procedures[rng.IntN(len(procedures))]
	r := &pb.Rating{
		Id: newID(rng, at), UnitId: place.ID, Channel: channel, QuestionnaireId: "kiosk", QuestionnaireVersion: 1,
		OccurredAt: timestamppb.New(at.Truncate(time.Millisecond)), Language: "vi",
		OverallScore: score(rng, place, channel, at),
	}
	if channel == pb.Channel_CHANNEL_KIOSK || channel == pb.Channel_CHANNEL_PAPER || rng.IntN(2) == 0 {
		r.CounterId = counterID(place.ID, counter)
		if rng.IntN(10) > 0 {
			r.OfficialId = officialID(place.ID, counter)
		}
	}
	if rng.IntN(10) < 7 {
		r.ProcedureCode = procedure.Code
	}
	number := rng.IntN(10_000)
	switch channel {
	case pb.Channel_CHANNEL_KIOSK:
		r.TicketCode = string(rune('A'+counter)) + strconv.Itoa(100+number%200)
	case pb.Channel_CHANNEL_PAPER:
		r.QuestionnaireId = "sipas"
		r.SlipNumber = fmt.Sprintf("MH-%s-%04d", at.In(localday.Zone).Format("060102"), number)
	case pb.Channel_CHANNEL_WEB:
		r.DossierCode = fmt.Sprintf("MH-%s-%04d", at.In(localday.Zone).Format("060102"), number)
		if rng.IntN(25) == 0 {
			r.Language = "en"
		}
	}
	reason := p.answers(rng, r, place)
	return given{at: at, rating: r, private: words(rng, r, reason, procedure.Name, strconv.Itoa(counter+1))}
}

// answers fills in reasons or the items of the long form and answers the first reason's place, or less than 0.
func (p *province) answers(rng *rand.Rand, r *pb.Rating, place *place) (reason int) {
	reason = drawReason(rng, place)
	if r.QuestionnaireId == "sipas" {
		r.Answers = append(make([]*pb.Answer, 0, len(items)+1), &pb.Answer{QuestionId: "overall", Score: r.OverallScore})
		for _, item := range items {
			if rng.IntN(16) == 0 {
				continue // left blank
			}
			level := r.OverallScore + [...]int32{-1, 0, 0, 0, 0, 0, 1}[rng.IntN(7)]
			if weak(place, item) && place.satisfied < 0.7 {
				level--
			}
			r.Answers = append(r.Answers, &pb.Answer{QuestionId: item, Score: min(max(level, 1), 5)})
		}
		return reason
	}
	if r.OverallScore >= 4 || r.OverallScore == 3 && rng.IntN(4) > 0 || rng.IntN(8) == 0 {
		return reason
	}
	choices := []string{reasonIDs[reason]}
	if second := drawReason(rng, place); second != reason && rng.IntN(3) == 0 {
		choices = append(choices, reasonIDs[second])
	}
	r.Answers = []*pb.Answer{{QuestionId: "reasons", ChoiceIds: choices}}
	return reason
}

func drawReason(rng *rand.Rand, place *place) int {
	sum := 0
	for _, n := range place.blame {
		sum += n
	}
	want := rng.IntN(sum)
	for reason, n := range place.blame {
		if want -= n; want < 0 {
			return reason
		}
	}
	return 0
}

// weak tells whether a question is about what the place is mostly blamed for.
func weak(place *place, item string) bool {
	switch slices.Index(place.blame[:], slices.Max(place.blame[:])) {
	case 0:
		return strings.HasPrefix(item, "staff_")
	case 1:
		return item == "procedure_duration" || item == "access_equipment"
	case 3:
		return item == "result_punctual"
	}
	return false
}

// score draws an overall score.
func score(rng *rand.Rand, place *place, channel pb.Channel, at time.Time) int32 {
	satisfied, five := place.satisfied, 0.5
	switch channel {
	case pb.Channel_CHANNEL_KIOSK:
		satisfied, five = satisfied+0.01, 0.56
	case pb.Channel_CHANNEL_WEB:
		satisfied -= 0.02
	case pb.Channel_CHANNEL_HOTLINE: // who calls has a reason to
		satisfied -= 0.12
	}
	if month := at.In(localday.Zone).Month(); place.ID == fallingUnit && month >= time.September && month <= time.November {
		satisfied -= 0.27
	}
	unhappy := 0.45 // of those who are not satisfied
	if satisfied < 0.7 {
		unhappy = 0.6
	}
	draw := rng.Float64()
	switch {
	case place.satisfied == 1:
		return 5
	case draw < satisfied:
		if rng.Float64() < five {
			return 5
		}
		return 4
	case draw < 1-(1-satisfied)*unhappy:
		return 3
	case rng.IntN(3) > 0:
		return 2
	}
	return 1
}

// words makes what the person wrote, nil where nothing.
func words(rng *rand.Rand, r *pb.Rating, reason int, procedure, counter string) *pb.Private {
	often := [...]int{0, 30, 26, 10, 5, 5}[r.OverallScore] // in a hundred
	switch r.Channel {
	case pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_WEB:
		often = often * 3 / 2
	}
	if rng.IntN(100) >= often {
		return nil
	}
	private := &pb.Private{Comment: comment(rng, r.OverallScore, reason, procedure, counter), Salt: make([]byte, 16)}
	binary.BigEndian.PutUint64(private.Salt, rng.Uint64())
	binary.BigEndian.PutUint64(private.Salt[8:], rng.Uint64())
	if r.OverallScore <= 2 && rng.IntN(8) == 0 {
		private.Contact, private.ConsentVersion = contact(rng), ConsentVersion
	}
	return private
}

// seal encodes a rating. Nothing that is made here can fail to be encoded; a test holds every one against the contract.
func (g given) seal() *pb.SealedRating {
	if g.private != nil {
		commitment, err := rating.Commitment(g.private)
		if err != nil {
			panic(err)
		}
		g.rating.PrivateCommitment = commitment
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(g.rating)
	if err != nil {
		panic(err)
	}
	return &pb.SealedRating{Rating: encoded, Private: g.private}
}

// newID is a UUIDv7 of that time whose random bits come from the seed.
func newID(rng *rand.Rand, at time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|rng.Uint64()&0xfff) //nolint:gosec // after 1970
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	id[6] |= 0x70
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:], id[0:4])
	hex.Encode(text[9:], id[4:6])
	hex.Encode(text[14:], id[6:8])
	hex.Encode(text[19:], id[8:10])
	hex.Encode(text[24:], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// poisson draws how many come where so many are expected.
func poisson(rng *rand.Rand, expected float64) int {
	limit, product := math.Exp(-expected), rng.Float64()
	n := 0
	for product > limit {
		product *= rng.Float64()
		n++
	}
	return n
}
