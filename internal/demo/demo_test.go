package demo

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, localday.Zone)

func decode(t *testing.T, sealed *pb.SealedRating) *pb.Rating {
	t.Helper()
	r := &pb.Rating{}
	if err := proto.Unmarshal(sealed.GetRating(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDirectoryHoldsTogether(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	units, names, codes := map[string]Unit{}, map[string]bool{}, map[string]bool{}
	for _, u := range Units() {
		if _, twice := units[u.ID]; twice || names[u.Name] || codes[u.Code] || !id.MatchString(u.ID) || !norm.NFC.IsNormalString(u.Name) {
			t.Errorf("%+v", u)
		}
		if _, ok := units[u.ParentID]; !ok && u.ID != ProvinceID {
			t.Errorf("%s stands before its parent", u.ID)
		}
		units[u.ID], names[u.Name], codes[u.Code] = u, true, true
	}
	if len(units) != 40 || !strings.Contains(units[ProvinceID].Name, "(dữ liệu mẫu)") {
		t.Errorf("%d units, the province is %q", len(units), units[ProvinceID].Name)
	}
	for _, story := range []string{worstUnit, slowUnit, lateUnit, fallingUnit, spotlessUnit, wrongClockUnit} {
		if _, ok := units[story]; !ok {
			t.Errorf("no unit %s", story)
		}
	}
	seen := map[string]bool{}
	for _, c := range Counters() {
		if _, ok := units[c.UnitID]; !ok || seen[c.ID] || c.Code == "" || !norm.NFC.IsNormalString(c.Name) || !id.MatchString(c.ID) {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
	for _, o := range Officials() {
		if _, ok := units[o.UnitID]; !ok || seen[o.ID] || o.Position == "" || !norm.NFC.IsNormalString(o.Name) || !id.MatchString(o.ID) {
			t.Errorf("%+v", o)
		}
		seen[o.ID] = true
	}
	for _, p := range Procedures() {
		if seen[p.Code] || p.Name == "" || p.Field == "" || !norm.NFC.IsNormalString(p.Name) {
			t.Errorf("%+v", p)
		}
		seen[p.Code] = true
	}
	roles := map[pb.Role]bool{}
	for _, a := range Accounts() {
		if _, ok := units[a.UnitID]; !ok && a.UnitID != "" || len(a.Password) < 10 || roles[a.Role] {
			t.Errorf("%+v", a)
		}
		roles[a.Role] = true
	}
	if len(roles) != 6 {
		t.Errorf("%d roles", len(roles))
	}
}

// The figures the demonstration is built to show.
func TestHistory(t *testing.T) {
	built, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]*questionnaire.Questionnaire{}
	for _, q := range built {
		if q.Version == 1 {
			forms[q.ID] = q
		}
	}
	validator, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true}
	for _, u := range Units() {
		known[u.ID] = true
	}
	for _, c := range Counters() {
		known[c.ID] = true
	}
	for _, o := range Officials() {
		known[o.ID] = true
	}
	for _, p := range Procedures() {
		known[p.Code] = true
	}
	var scores [6]int
	byUnit, byChannel, hours, ids := map[string]*[6]int{}, map[pb.Channel]int{}, map[int]int{}, map[string]bool{}
	n, comments, contacts, reasons, flagged, weekend := 0, 0, 0, 0, 0, 0
	different := map[string]bool{}
	for sealed := range Ratings(noon) {
		r := decode(t, sealed)
		n++
		if ids[r.GetId()] {
			t.Fatalf("id %s stands twice", r.GetId())
		}
		ids[r.GetId()] = true
		if !known[r.GetUnitId()] || !known[r.GetCounterId()] || !known[r.GetOfficialId()] || !known[r.GetProcedureCode()] {
			t.Fatalf("names something unknown: %v", r)
		}
		if err := forms[r.GetQuestionnaireId()].Check(r); err != nil {
			t.Fatalf("%v: %v", err, r)
		}
		if n%50 == 0 || sealed.GetPrivate() != nil {
			if err := validator.Validate(r); err != nil {
				t.Fatal(err)
			}
			if err := validator.Validate(sealed.GetPrivate()); sealed.GetPrivate() != nil && err != nil {
				t.Fatal(err)
			}
		}
		if p := sealed.GetPrivate(); p != nil {
			comments++
			different[p.GetComment()] = true
			if commitment, err := rating.Commitment(p); err != nil || string(commitment) != string(r.GetPrivateCommitment()) {
				t.Fatalf("the commitment of %s does not hold: %v", r.GetId(), err)
			}
			if !norm.NFC.IsNormalString(p.GetComment()) || strings.ContainsAny(p.GetComment(), "{}") {
				t.Errorf("%q", p.GetComment())
			}
			if p.GetContact() != nil {
				contacts++
				if phone := p.GetContact().GetPhone(); phone != "" && !strings.HasPrefix(phone, "0000 ") {
					t.Errorf("a number somebody may have: %s", phone)
				}
			}
		}
		counted, flags := rating.Place(r, noon, true)
		if len(flags) > 0 {
			flagged++
		} else if r.GetChannel() == pb.Channel_CHANNEL_KIOSK {
			hours[counted.Hour]++
			if day := counted.Day.Start().Weekday(); day == time.Sunday {
				weekend++
			}
		}
		if len(r.GetAnswers()) == 1 {
			reasons++
		}
		scores[r.GetOverallScore()]++
		if byUnit[r.GetUnitId()] == nil {
			byUnit[r.GetUnitId()] = &[6]int{}
		}
		byUnit[r.GetUnitId()][r.GetOverallScore()]++
		byChannel[r.GetChannel()]++
	}
	within := func(what string, got, low, high int) {
		if got < low || got > high {
			t.Errorf("%s: %d, want %d to %d", what, got, low, high)
		}
	}
	within("ratings", n, 97_000, 103_000)
	within("satisfied in a thousand", 1000*(scores[4]+scores[5])/n, 800, 850)
	within("comments in a thousand", 1000*comments/n, 70, 100)
	within("different comments", len(different), 1000, n)
	within("contacts", contacts, 100, 1000)
	within("reasons", reasons, 5000, 12_000)
	within("flagged", flagged, 5, 60)
	within("kiosk ratings on Sundays", weekend, 0, 10)
	within("kiosk ratings at lunch against nine o'clock, in a hundred", 100*hours[12]/hours[9], 0, 5)
	within("channels", len(byChannel), 4, 4)
	within("units that were rated", len(byUnit), 35, 35)
	for unit, counts := range byUnit {
		all := 0
		for _, count := range counts {
			all += count
		}
		satisfied := 1000 * (counts[4] + counts[5]) / all
		switch unit {
		case worstUnit, slowUnit, lateUnit:
			within(unit, satisfied, 500, 700)
		case spotlessUnit:
			within(unit, satisfied, 1000, 1000)
		default:
			within(unit, satisfied, 740, 930)
		}
		within(unit+", ratings", all, 900, 20_000)
	}
	t.Logf("%d ratings %v, %d comments (%d different), %d contacts, %d flagged, channels %v", n, scores, comments, len(different), contacts, flagged, byChannel)
}

func TestLaterStartMakesTheSameHistory(t *testing.T) {
	collect := func(first localday.Day, now time.Time) map[string]*pb.SealedRating {
		all := map[string]*pb.SealedRating{}
		for sealed := range since(first, now) {
			all[decode(t, sealed).GetId()] = sealed
		}
		return all
	}
	today, nextDay := collect("2026-10-01", noon), collect("2026-10-02", noon.Add(26*time.Hour))
	from := localday.Day("2026-10-02").Start()
	kept := 0
	for id, sealed := range today {
		switch later, ok := nextDay[id]; {
		case ok && !proto.Equal(later, sealed):
			t.Fatalf("%s changed", id)
		case ok:
			kept++
		case decode(t, sealed).GetOccurredAt().AsTime().After(from):
			t.Fatalf("%s is gone", id)
		}
	}
	if len(nextDay) <= kept || kept < len(today)-1000 {
		t.Errorf("%d today, %d of them the next day, %d then", len(today), kept, len(nextDay))
	}
}

func TestHistoryEndsNowAndIsInOrder(t *testing.T) {
	last := time.Time{}
	for sealed := range since("2026-10-01", noon) {
		r := decode(t, sealed)
		at := r.GetOccurredAt().AsTime()
		if r.GetUnitId() == wrongClockUnit {
			continue
		}
		if at.Before(last) || at.After(noon) {
			t.Fatalf("%s after %s, now is %s", at, last, noon)
		}
		last = at
	}
	if noon.Sub(last) > 6*time.Hour {
		t.Errorf("the last rating was given at %s", last)
	}
	for range Ratings(noon) {
		break // stops without a word
	}
}

func TestLive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	channels := map[pb.Channel]int{}
	for range 300 {
		r := decode(t, Live(noon, rng))
		channels[r.GetChannel()]++
		if !r.GetOccurredAt().AsTime().Equal(noon) || r.GetUnitId() == "" || r.GetOverallScore() == 0 {
			t.Fatalf("%v", r)
		}
	}
	if len(channels) != 4 {
		t.Errorf("%v", channels)
	}
}

func BenchmarkRatings(b *testing.B) {
	for b.Loop() {
		n := 0
		for range Ratings(noon) {
			n++
		}
		b.ReportMetric(float64(n), "ratings")
	}
}

// Each counter has somebody who serves there, of its own unit.
func TestDuties(t *testing.T) {
	units := map[string]string{}
	for _, o := range Officials() {
		units[o.ID] = o.UnitID
	}
	served := map[string]bool{}
	for _, d := range Duties() {
		if units[d.OfficialID] != d.UnitID || served[d.CounterID] {
			t.Errorf("%+v does not fit", d)
		}
		served[d.CounterID] = true
	}
	for _, c := range Counters() {
		if !served[c.ID] {
			t.Errorf("nobody serves at %s", c.ID)
		}
	}
}
