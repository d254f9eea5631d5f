package webtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Province is what the program knows after Start: ids of units, counters, officials and procedures, and every rating given.
type Province struct {
	Top           string // "Tỉnh Thử Nghiệm", code TN
	Ward          string // "Phường Sông Xanh", code TN-01: satisfied people
	WardOffice    string // "Bộ phận Một cửa phường Sông Xanh", code TN-01-1
	Commune       string // "Xã Đồi Nắng", code TN-02: dissatisfied beyond chance
	CommuneOffice string // "Bộ phận Một cửa xã Đồi Nắng", code TN-02-1
	Quiet         string // "Xã Vắng Khách", code TN-03: a single rating, which no figure may show
	Empty         string // "Xã Mới Lập", code TN-04: no rating

	WardCounters     []string // "1" and "2" of WardOffice; the second's name has markup in it
	CommuneCounters  []string // "1" and "2" of CommuneOffice
	WardOfficials    []string // two
	CommuneOfficials []string // one
	Device           string   // a kiosk at the first of WardCounters

	Given []Given // all that was given, in no order
}

// Given is one rating of the province.
type Given struct {
	*pb.Rating
	Comment string
}

// Procedure is the code of every procedure of the province's ratings.
const Procedure = "1.004222"

// Days is over how many days before today the ratings of the province were given; some were given today.
const Days = 60

// Markup is a comment that does harm on a page that does not escape it.
const Markup = `Chờ lâu <script>document.title = "hỏng"</script><img src=x onerror=alert(1)> & "hết"`

// Composed and Decomposed are comments with the same look, in Unicode's two ways of writing.
const Composed = "Cán bộ hướng dẫn rõ ràng, thủ tục nhanh gọn ở quầy Hộ tịch."

// Decomposed is what Apple's systems write.
func Decomposed() string {
	return norm.NFD.String("Đợi hơn hai tiếng mới được gọi, trễ hẹn trả kết quả.")
}

// Count is how many ratings were given for a unit and those below it.
func (p *Province) Count(unit string) int {
	below := map[string][]string{
		p.Top: {p.Ward, p.WardOffice, p.Commune, p.CommuneOffice, p.Quiet, p.Empty}, p.Ward: {p.WardOffice}, p.Commune: {p.CommuneOffice},
	}
	n := 0
	for _, given := range p.Given {
		if given.GetUnitId() == unit {
			n++
		}
		for _, other := range below[unit] {
			if given.GetUnitId() == other {
				n++
			}
		}
	}
	return n
}

// Figures waits until the figures of a unit and those below it hold n ratings in all.
func (p *Program) Figures(t testing.TB, unit string, n int) {
	t.Helper()
	if err := p.figures(t.Context(), unit, n); err != nil {
		t.Fatal(err)
	}
}

func (p *Program) figures(ctx context.Context, unit string, n int) error {
	conn, err := p.conn(ctx, Administrator)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	today, _ := localday.Of(time.Now())
	for {
		summary, err := pb.NewAnalyticsServiceClient(conn).GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit, From: string(today.Add(-400)), To: string(today)})
		if err != nil {
			return fmt.Errorf("the figures of %s: %w", unit, err)
		}
		if summary.GetFreshThrough() != nil && int(summary.GetPooled().GetN()) == n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the figures of %s hold %d ratings, not %d, fresh through %v", unit, summary.GetPooled().GetN(), n, summary.GetFreshThrough().AsTime())
		case <-tick.C:
		}
	}
}

// fill makes the province through the contract, as administrators, kiosks and clerks would.
func (p *Program) fill(ctx context.Context) error {
	conn, err := p.conn(ctx, Administrator)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, maker) error{p.makeUnits, p.makePlaces, p.makePeople, p.makeDevice, p.give} {
		if err := step(ctx, maker{pb.NewDirectoryServiceClient(conn), pb.NewIdentityServiceClient(conn), pb.NewRatingServiceClient(conn)}); err != nil {
			return err
		}
	}
	return p.figures(ctx, p.Top, len(p.Given))
}

type maker struct {
	directory pb.DirectoryServiceClient
	identity  pb.IdentityServiceClient
	ratings   pb.RatingServiceClient
}

func (p *Program) makeUnits(ctx context.Context, m maker) error {
	for _, u := range []struct {
		id, parent        *string
		code, name, level string
	}{
		{&p.Top, new(string), "TN", "Tỉnh Thử Nghiệm", "province"},
		{&p.Ward, &p.Top, "TN-01", "Phường Sông Xanh", "commune"},
		{&p.WardOffice, &p.Ward, "TN-01-1", "Bộ phận Một cửa phường Sông Xanh", "office"},
		{&p.Commune, &p.Top, "TN-02", "Xã Đồi Nắng", "commune"},
		{&p.CommuneOffice, &p.Commune, "TN-02-1", "Bộ phận Một cửa xã Đồi Nắng", "office"},
		{&p.Quiet, &p.Top, "TN-03", "Xã Vắng Khách", "commune"},
		{&p.Empty, &p.Top, "TN-04", "Xã Mới Lập", "commune"},
	} {
		made, err := m.directory.CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: *u.parent, Code: u.code, Name: u.name, Level: u.level}})
		if err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
		*u.id = made.GetId()
	}
	return nil
}

func (p *Program) makePlaces(ctx context.Context, m maker) error {
	for _, c := range []struct {
		ids              *[]string
		unit, code, name string
	}{
		{&p.WardCounters, p.WardOffice, "1", "Quầy 1: Hộ tịch, chứng thực"},
		{&p.WardCounters, p.WardOffice, "2", `Quầy 2: Đất đai & <b>"Xây dựng"</b>`},
		{&p.CommuneCounters, p.CommuneOffice, "1", "Quầy 1: Tiếp nhận hồ sơ"},
		{&p.CommuneCounters, p.CommuneOffice, "2", "Quầy 2: Trả kết quả"},
	} {
		made, err := m.directory.CreateCounter(ctx, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: c.unit, Code: c.code, Name: c.name}})
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		*c.ids = append(*c.ids, made.GetId())
	}
	for _, o := range []struct {
		ids            *[]string
		unit, name, is string
	}{
		{&p.WardOfficials, p.WardOffice, "Nguyễn Thị Mẫu", "Công chức tư pháp - hộ tịch"},
		{&p.WardOfficials, p.WardOffice, "Trần Văn Thử", "Công chức địa chính"},
		{&p.CommuneOfficials, p.CommuneOffice, "Lê Minh Hoạ", "Công chức văn phòng - thống kê"},
	} {
		made, err := m.directory.CreateOfficial(ctx, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: o.unit, Name: o.name, Position: o.is}})
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		*o.ids = append(*o.ids, made.GetId())
	}
	_, err := m.directory.CreateProcedure(ctx, &pb.CreateProcedureRequest{Procedure: &pb.Procedure{Code: Procedure, Name: "Đăng ký khai sinh", Field: "Hộ tịch"}})
	return err
}

func (p *Program) makePeople(ctx context.Context, m maker) error {
	for who, account := range p.people() {
		account.Name, account.Password = string(who), Password
		if _, err := m.identity.CreateAccount(ctx, account); err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
	}
	return nil
}

// makeDevice makes a kiosk and enrols it. The ratings of the province come from it by the administrator's import: a kiosk's own
// would all be of today.
func (p *Program) makeDevice(ctx context.Context, m maker) error {
	made, err := m.directory.CreateDevice(ctx, &pb.CreateDeviceRequest{
		Name: "Kiosk sảnh chính", Bindings: []*pb.DeviceBinding{{UnitId: p.WardOffice, CounterId: p.WardCounters[0]}},
	})
	if err != nil {
		return err
	}
	p.Device = made.GetDevice().GetId()
	device, err := journal.Open(ctx, "", journal.Options{Volatile: true})
	if err != nil {
		return err
	}
	defer func() { _ = device.Close() }()
	conn, err := p.dial("")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return uplink.NewCalls(device, conn, nil).Enroll(ctx, made.GetEnrollmentCode())
}

// give sends the ratings of the province, the same in every test but for their ids and days.
func (p *Program) give(ctx context.Context, m maker) error {
	rng := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // the same ratings in every test
	now := time.Now()
	var items []*pb.SealedRating
	add := func(unit, counter, official string, score int32, comment string) error {
		i := len(p.Given)
		r := &pb.Rating{
			Id: uuid.Must(uuid.NewV7()).String(), UnitId: unit, CounterId: counter, OfficialId: official, ProcedureCode: Procedure,
			Channel: channels[i%len(channels)], QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: score,
			OccurredAt: timestamppb.New(when(rng, now, i)), Language: "vi",
		}
		switch r.Channel {
		case pb.Channel_CHANNEL_PAPER:
			r.SlipNumber = fmt.Sprintf("P%05d", i)
		case pb.Channel_CHANNEL_WEB:
			r.DossierCode = fmt.Sprintf("H99-%05d", i)
		}
		if score <= 2 {
			r.Answers = []*pb.Answer{{QuestionId: "reasons", ChoiceIds: reasons[rng.IntN(len(reasons))]}}
		}
		sealed := &pb.SealedRating{}
		if comment != "" {
			sealed.Private = &pb.Private{Comment: comment, Salt: []byte(uuid.NewString())}
			if score == 1 && i%3 == 0 {
				sealed.Private.Contact, sealed.Private.ConsentVersion = &pb.Contact{Name: "Bác Minh Hoạ", Phone: "0000 123 456", CallBack: true}, "1"
			}
			commitment, err := rating.Commitment(sealed.Private)
			if err != nil {
				return err
			}
			r.PrivateCommitment = commitment
		}
		var err error
		sealed.Rating, err = proto.Marshal(r)
		items, p.Given = append(items, sealed), append(p.Given, Given{r, comment})
		return err
	}
	err := add(p.Quiet, "", "", 2, "Xã vắng, chỉ có một mình tôi đến.")
	for i := range 240 {
		at := i % 2
		err = errors.Join(err, add(p.WardOffice, p.WardCounters[at], p.WardOfficials[at], wardScores[i%len(wardScores)], pleased[i%len(pleased)]))
	}
	for i := range 160 {
		err = errors.Join(err, add(p.CommuneOffice, p.CommuneCounters[i%2], p.CommuneOfficials[0], communeScores[i%len(communeScores)], displeased()[i%9]))
	}
	if err != nil {
		return err
	}
	answer, err := m.ratings.SubmitRatings(ctx, &pb.SubmitRatingsRequest{Items: items})
	if err != nil {
		return err
	}
	for _, outcome := range answer.GetOutcomes() {
		if outcome.GetOutcome() != pb.Outcome_OUTCOME_STORED {
			return fmt.Errorf("a rating was not stored: %v", outcome)
		}
	}
	return nil
}

// when is a time in office hours on one of the days before today, or now and then within the last minutes.
func when(rng *rand.Rand, now time.Time, i int) time.Time {
	if i%40 == 0 {
		return now.Add(-time.Duration(rng.IntN(300)) * time.Second)
	}
	today, _ := localday.Of(now)
	opens := today.Add(-1 - i%Days).Start().Add(7*time.Hour + 30*time.Minute)
	return opens.Add(time.Duration(rng.IntN(9*60)) * time.Minute)
}

// What people gave, in shares that stay: 85 of a hundred satisfied in the ward, 50 in the commune.
var (
	wardScores    = []int32{5, 5, 4, 5, 4, 5, 4, 3, 5, 4, 5, 4, 2, 5, 4, 5, 3, 4, 5, 4}
	communeScores = []int32{1, 5, 2, 4, 3, 5, 1, 4, 2, 5, 2, 4, 1, 5, 3, 4, 2, 5, 1, 4}
	channels      = []pb.Channel{
		pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_WEB, pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_PAPER, pb.Channel_CHANNEL_KIOSK,
		pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_KIOSK,
	}
	reasons = [][]string{{"waiting"}, {"attitude"}, {"waiting", "late"}, {"guidance"}, {"procedure", "other"}, {"facilities"}}
	pleased = []string{"", "", "", "", "", "", Composed, "", "", "", "Chị cán bộ rất nhiệt tình.", "", ""}
)

func displeased() []string {
	return []string{"", "", Markup, "", Decomposed(), "", "", "Đường vào trụ sở khó đi, thái độ chưa tốt.", ""}
}
