package kiosks_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"image"
	"image/color"
	"image/png"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func directory(t testing.TB, p *webtest.Program) pb.DirectoryServiceClient {
	t.Helper()
	return pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
}

// makeDevice makes a device at a counter and answers it with its code.
func makeDevice(t testing.TB, p *webtest.Program, name, unit, counter string) *pb.CreateDeviceResponse {
	t.Helper()
	made, err := directory(t, p).CreateDevice(t.Context(), &pb.CreateDeviceRequest{Name: name, Bindings: []*pb.DeviceBinding{{UnitId: unit, CounterId: counter}}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// enrol enrols a device with a key of its own; the answer lets it tell how it is.
func enrol(t testing.TB, p *webtest.Program, made *pb.CreateDeviceResponse) (tell func(*pb.SendHeartbeatRequest)) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	calls, id := pb.NewDeviceServiceClient(p.Conn(t, "")), made.GetDevice().GetId()
	if _, err := calls.EnrollDevice(t.Context(), &pb.EnrollDeviceRequest{Code: made.GetEnrollmentCode(), PublicKey: public}); err != nil {
		t.Fatal(err)
	}
	nonce, err := calls.CreateDeviceNonce(t.Context(), &pb.CreateDeviceNonceRequest{DeviceId: id})
	if err != nil {
		t.Fatal(err)
	}
	signed := append([]byte("hailong.v1.DeviceToken\x00"), nonce.GetNonce()...)
	token, err := calls.CreateDeviceToken(t.Context(), &pb.CreateDeviceTokenRequest{DeviceId: id, Nonce: nonce.GetNonce(), Signature: ed25519.Sign(private, signed)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token.GetToken())
	return func(report *pb.SendHeartbeatRequest) {
		t.Helper()
		report.DeviceId = id
		if _, err := calls.SendHeartbeat(ctx, report); err != nil {
			t.Fatal(err)
		}
	}
}

// later is a clock that goes on when it is told to, too.
type later struct{ by atomic.Int64 }

func (l *later) Now() time.Time { return time.Now().Add(time.Duration(l.by.Load())) }

func (l *later) minutes(n int) { l.by.Add(int64(n) * int64(time.Minute)) }

// start starts a program with a clock that can be set forward, in offices that never close.
func start(t testing.TB) (*webtest.Program, *later) {
	t.Helper()
	clock := &later{}
	p := webtest.Start(t, webtest.Change(func(c *server.Config) { c.Clock = clock.Now }))
	always := &pb.OfficeHours{}
	for weekday := range int32(7) {
		always.Week = append(always.Week, &pb.OpeningTime{Weekday: weekday + 1, ToMinute: 1440})
	}
	if _, err := directory(t, p).SetOfficeHours(t.Context(), &pb.SetOfficeHoursRequest{OfficeHours: always}); err != nil {
		t.Fatal(err)
	}
	return p, clock
}

// days are ratings of the last 14 days.
func days() []*pb.DayCount {
	today, _ := localday.Of(time.Now())
	var list []*pb.DayCount
	for i, n := range []uint32{31, 44, 0, 0, 52, 38, 41, 29, 47, 0, 0, 58, 36, 12} {
		if n > 0 {
			list = append(list, &pb.DayCount{Day: string(today.Add(i - 13)), Count: n})
		}
	}
	return list
}

// fleet gives the province devices that are well, behind, silent, copied and never enrolled, one of them with a hostile name. It
// answers the one that was copied.
func fleet(t testing.TB, p *webtest.Program, clock *later) (copied string) {
	t.Helper()
	report := func(start, machine string) *pb.SendHeartbeatRequest {
		return &pb.SendHeartbeatRequest{
			Version: "1.4.0", BootId: start, MachineId: machine, DeviceTime: timestamppb.New(clock.Now()), LastTouch: timestamppb.New(clock.Now()), FreeBytes: 12 << 30,
			ScreenState: pb.ScreenState_SCREEN_STATE_IDLE, Days: days(),
		}
	}
	well := enrol(t, p, makeDevice(t, p, "Kiosk 2, quầy Hộ tịch", p.WardOffice, p.WardCounters[1]))
	behind := enrol(t, p, makeDevice(t, p, "Kiosk xã Đồi Nắng", p.CommuneOffice, ""))
	clone := makeDevice(t, p, "Kiosk chép đĩa", p.CommuneOffice, p.CommuneCounters[0])
	both := enrol(t, p, clone)
	makeDevice(t, p, `Kiosk <b>mới</b> & "chưa ghi danh"`, p.Ward, "")
	for range 9 { // the device of the province is not heard of meanwhile
		waiting := report("a", "m1")
		waiting.HighestSequence, waiting.QueueDepth, waiting.Troubles = 1234, 1234, []string{"storage_low", "clock_jumped", "something_new"}
		waiting.FreeBytes, waiting.DeviceTime = 80<<20, timestamppb.New(clock.Now().Add(7*time.Minute))
		behind(waiting)
		both(report("a", "m1"))
		both(report("b", "m2"))
		well(report("a", "m1"))
		clock.minutes(2)
	}
	return clone.GetDevice().GetId()
}

// face is a photo of somebody.
func face(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 300, 400))
	for y := range 400 {
		for x := range 300 {
			c := color.RGBA{R: 200, G: 215, B: 220, A: 255}
			if dx, dy := x-150, y-170; dx*dx+dy*dy < 90*90 {
				c = color.RGBA{R: 224, G: 178, B: 150, A: 255}
			} else if dy := y - 400; dx*dx/2+dy*dy < 130*130 {
				c = color.RGBA{R: 30, G: 90, B: 110, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLook looks at every page, filled.
func TestLook(t *testing.T) {
	p, clock := start(t)
	copied := fleet(t, p, clock)
	d := directory(t, p)
	official := p.WardOfficials[0]
	if _, err := d.SetOfficialPhoto(t.Context(), &pb.SetOfficialPhotoRequest{OfficialId: official, Image: face(t)}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetOfficialPin(t.Context(), &pb.SetOfficialPinRequest{OfficialId: official, Pin: "2580"}); err != nil {
		t.Fatal(err)
	}
	for _, duty := range []*pb.Duty{
		{UnitId: p.WardOffice, CounterId: p.WardCounters[0], OfficialId: official, Weekdays: []int32{1, 2, 3}, FromMinute: 450, ToMinute: 690},
		{UnitId: p.WardOffice, CounterId: p.WardCounters[0], OfficialId: p.WardOfficials[1], Weekdays: []int32{1, 2, 3, 4, 5}, FromMinute: 780, ToMinute: 1020},
		{UnitId: p.WardOffice, CounterId: p.WardCounters[1], OfficialId: p.WardOfficials[1], ValidFrom: "2026-01-05", ValidTo: "2099-12-31"},
		{UnitId: p.WardOffice, CounterId: p.WardCounters[0], OfficialId: official, Now: true},
	} {
		if _, err := d.SetDuty(t.Context(), &pb.SetDutyRequest{Duty: duty}); err != nil {
			t.Fatal(err)
		}
	}
	unit := "?unit=" + p.WardOffice
	for _, view := range []webtest.View{
		{Who: webtest.Administrator, Path: "/kiosks", Name: "kiosks"},
		{Who: webtest.Administrator, Path: "/kiosks/devices/" + copied, Name: "kiosk"},
		{Who: webtest.Administrator, Path: "/kiosks/devices/" + copied + "/settings", Name: "kiosk-settings"},
		{Who: webtest.Operator, Path: "/kiosks/duty" + unit, Name: "kiosk-duty"},
		{Who: webtest.Administrator, Path: "/kiosks/officials/" + official + unit, Name: "kiosk-official"},
		{Who: webtest.Administrator, Path: "/kiosks/hours", Name: "kiosk-hours"},
	} {
		p.Look(t, view)
	}
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Administrator)
	for _, path := range []string{"/kiosks/duty/line" + unit, "/kiosks/officials" + unit, "/kiosks/duty", "/kiosks/officials"} { // made of the same parts as the others
		page.Go(p.HTTP + path)
		page.NoHorizontalScroll()
		page.CheckAccessible()
		page.CheckKeyboard()
		page.CheckConsole()
	}
}
