package server

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/citizen"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (k *kiosk) configuration() *pb.Configuration {
	k.t.Helper()
	configuration, err := k.devices().GetConfiguration(k.authorized(), &pb.GetConfigurationRequest{DeviceId: k.id})
	if err != nil {
		k.t.Fatal(err)
	}
	return configuration
}

// watching is a stream of configurations, read as they come.
type watching struct {
	t     *testing.T
	got   chan *pb.Configuration
	ended chan error
	stop  context.CancelFunc
}

// watch returns once the server hears the device.
func (k *kiosk) watch(known string) *watching {
	k.t.Helper()
	ctx, stop := context.WithCancel(k.authorized())
	stream, err := k.devices().WatchConfiguration(ctx, &pb.WatchConfigurationRequest{DeviceId: k.id, KnownVersion: known})
	if err != nil {
		k.t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		k.t.Fatal(err)
	}
	w := &watching{k.t, make(chan *pb.Configuration, 100), make(chan error, 1), stop}
	go func() {
		for {
			configuration, err := stream.Recv()
			if err != nil {
				w.ended <- err
				return
			}
			w.got <- configuration
		}
	}()
	k.t.Cleanup(stop)
	return w
}

// until reads until a configuration is as it should be; none comes twice.
func (w *watching) until(what string, is func(*pb.Configuration) bool) *pb.Configuration {
	w.t.Helper()
	last := ""
	for deadline := time.After(20 * time.Second); ; {
		select {
		case configuration := <-w.got:
			if configuration.GetVersion() == last || configuration.GetVersion() == "" {
				w.t.Errorf("version %q comes again", last)
			}
			if last = configuration.GetVersion(); is(configuration) {
				return configuration
			}
		case err := <-w.ended:
			w.t.Fatalf("the stream ended before %s: %v", what, err)
		case <-deadline:
			w.t.Fatalf("never: %s", what)
		}
	}
}

func (w *watching) end() error {
	w.t.Helper()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(20 * time.Second):
		w.t.Fatal("the stream does not end")
		return nil
	}
}

func TestConfiguration(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		config.PublicURL = "https://danhgia.example.vn"
		s := start(t, config)
		admin := s.admin()
		for name, test := range map[string]func(context.Context, *running){
			"everything a device works by":  testConfigurationWhole,
			"changes arrive":                testConfigurationWatched,
			"photos of one's own officials": testPhotos,
			"who may":                       testConfigurationRights,
			"settings that cannot be":       testSettings,
		} {
			t.Run(name, func(t *testing.T) { test(admin, s.in(t)) })
		}
	})
}

func testConfigurationWhole(admin context.Context, s *running) {
	t := s.t
	k := s.newKiosk(admin)
	empty := k.configuration()
	if len(empty.GetPlaces()) != 1 || len(empty.GetOfficials())+len(empty.GetDuties()) != 0 || len(empty.GetVersion()) != 32 {
		t.Errorf("the first configuration is %v", empty)
	}
	other := s.newKiosk(admin)
	var err error
	try := func(what error) {
		t.Helper()
		if what != nil {
			t.Fatal(what)
		}
	}
	official := &pb.Official{}
	for _, made := range []*pb.Official{{UnitId: k.unit, Name: "Trần Thị Bình", Position: "Chuyên viên"}, {UnitId: k.unit, Name: "Lê Văn An"}, {UnitId: other.unit, Name: "Người nơi khác"}} {
		created, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: made})
		try(err)
		if made.GetPosition() != "" {
			official = created
		}
		if made.GetName() == "Lê Văn An" {
			_, err = s.directory().CloseOfficial(admin, &pb.CloseOfficialRequest{OfficialId: created.GetId()})
			try(err)
		}
	}
	_, err = s.directory().SetOfficialPin(admin, &pb.SetOfficialPinRequest{OfficialId: official.GetId(), Pin: "2468"})
	try(err)
	elsewhere, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: k.unit, Code: "2", Name: "Quầy 2"}})
	try(err)
	var duties []string
	for _, counter := range []string{"", k.counter, elsewhere.GetId()} {
		set, err := s.directory().SetDuty(admin, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: k.unit, CounterId: counter, OfficialId: official.GetId(), FromMinute: 420, ToMinute: 1020}})
		try(err)
		duties = append(duties, set.GetId())
	}
	_, err = s.remedies().PublishRemedy(admin, &pb.PublishRemedyRequest{UnitId: k.unit, Text: "Đã thêm ghế chờ"})
	try(err)
	settings := &pb.KioskSettings{Languages: []string{"vi", "en"}, IdleSeconds: 45, TicketPattern: `^[A-Z]\d{3}$`, LowButtons: true,
		Thanks: []*pb.LocalText{{Language: "vi", Text: "Cảm ơn bà con"}}}
	set, err := s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: settings})
	try(err)
	if !proto.Equal(set.GetSettings(), settings) {
		t.Errorf("set as %v", set.GetSettings())
	}
	got := k.configuration()
	place := &pb.ConfiguredPlace{UnitId: k.unit, UnitName: "Bộ phận một cửa", CounterId: k.counter, CounterCode: "1", CounterName: "Quầy 1: Hộ tịch",
		FormUrl: "https://danhgia.example.vn/r/" + k.counter}
	if len(got.GetPlaces()) != 1 || len(got.GetPlaces()[0].GetRemedies()) != 1 || got.GetPlaces()[0].GetRemedies()[0].GetPublishedBy() != "" {
		t.Fatalf("places %v", got.GetPlaces())
	}
	at := proto.CloneOf(got.GetPlaces()[0])
	at.Remedies = nil
	if !proto.Equal(at, place) || got.GetPlaces()[0].GetRemedies()[0].GetText() != "Đã thêm ghế chờ" {
		t.Errorf("place %v, want %v", got.GetPlaces()[0], place)
	}
	if people := got.GetOfficials(); len(people) != 1 || people[0].GetId() != official.GetId() || people[0].GetPosition() != "Chuyên viên" || !strings.HasPrefix(people[0].GetPinHash(), "$argon2id$") {
		t.Errorf("officials %v", people)
	}
	if d := got.GetDuties(); len(d) != 2 || !slices.Contains(duties[:2], d[0].GetId()) || !slices.Contains(duties[:2], d[1].GetId()) {
		t.Errorf("duties %v, want %v", d, duties[:2])
	}
	if q := got.GetQuestionnaires(); len(q) == 0 || q[0].GetId() != "kiosk" || len(q[0].GetQuestions()) == 0 {
		t.Errorf("questionnaires %v", q)
	}
	if got.GetDeviceId() != k.id || got.GetDeviceName() != "Kiosk 1, sảnh chính" || !proto.Equal(got.GetSettings(), settings) ||
		got.GetPublicUrl() != "https://danhgia.example.vn" || got.GetConsentVersion() != citizen.ConsentVersion {
		t.Errorf("%v", got)
	}
	if again := k.configuration(); !proto.Equal(again, got) || got.GetVersion() == empty.GetVersion() {
		t.Errorf("the same again is %v, was %v", again, got)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := k.up.Heartbeat(t.Context(), &pb.SendHeartbeatRequest{ConfigurationVersion: got.GetVersion()})
		try(err)
		if answer.GetConfigurationVersion() == got.GetVersion() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a heartbeat is answered version %q, it is %q", answer.GetConfigurationVersion(), got.GetVersion())
		}
	}
}

func testConfigurationWatched(admin context.Context, s *running) {
	t := s.t
	k, other := s.newKiosk(admin), s.newKiosk(admin)
	first := k.watch("").until("the first", func(*pb.Configuration) bool { return true })
	otherWatch := other.watch(other.configuration().GetVersion())
	w := k.watch(first.GetVersion()) // which ends the one before
	try := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try(s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: &pb.KioskSettings{IdleSeconds: 77}}))
	if after := w.until("the settings", func(c *pb.Configuration) bool { return c.GetSettings().GetIdleSeconds() == 77 }); after.GetVersion() == first.GetVersion() {
		t.Error("another configuration has the version of the first")
	}
	official, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: k.unit, Name: "Trần Thị Bình"}})
	try(official, err)
	w.until("an official", func(c *pb.Configuration) bool { return len(c.GetOfficials()) == 1 })
	duty, err := s.directory().SetDuty(admin, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: k.unit, CounterId: k.counter, OfficialId: official.GetId()}})
	try(duty, err)
	w.until("a duty", func(c *pb.Configuration) bool { return len(c.GetDuties()) == 1 })
	try(s.directory().EndDuty(admin, &pb.EndDutyRequest{DutyId: duty.GetId()}))
	w.until("the end of a duty", func(c *pb.Configuration) bool { return len(c.GetDuties()) == 0 })
	remedy, err := s.remedies().PublishRemedy(admin, &pb.PublishRemedyRequest{UnitId: k.unit, Text: "Đã thêm ghế chờ"})
	try(remedy, err)
	w.until("a remedy", func(c *pb.Configuration) bool { return len(c.GetPlaces()[0].GetRemedies()) == 1 })
	try(s.remedies().WithdrawRemedy(admin, &pb.WithdrawRemedyRequest{RemedyId: remedy.GetId(), Reason: "nhầm đơn vị"}))
	w.until("its withdrawal", func(c *pb.Configuration) bool { return len(c.GetPlaces()[0].GetRemedies()) == 0 })
	second, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: k.unit, Code: "2", Name: "Quầy 2"}})
	try(second, err)
	try(s.directory().BindDevice(admin, &pb.BindDeviceRequest{DeviceId: k.id, Binding: &pb.DeviceBinding{UnitId: k.unit, CounterId: second.GetId()}}))
	w.until("a second counter", func(c *pb.Configuration) bool {
		return len(c.GetPlaces()) == 2 && c.GetPlaces()[1].GetCounterName() == "Quầy 2"
	})
	// A binding ends by itself.
	try(s.directory().BindDevice(admin, &pb.BindDeviceRequest{DeviceId: k.id, Binding: &pb.DeviceBinding{
		UnitId: k.unit, CounterId: second.GetId(), ValidTo: timestamppb.New(time.Now().Add(time.Second))}}))
	w.until("the end of its binding", func(c *pb.Configuration) bool { return len(c.GetPlaces()) == 1 })
	try(s.directory().CloseCounter(admin, &pb.CloseCounterRequest{CounterId: k.counter}))
	w.until("a closed counter", func(c *pb.Configuration) bool { return len(c.GetPlaces()) == 0 })
	try(s.directory().RevokeDevice(admin, &pb.RevokeDeviceRequest{DeviceId: k.id}))
	wantRefused(t, w.end(), codes.Unauthenticated, "device_revoked")
	// Nothing of all that concerned the other, of which the first change of its own is heard.
	try(s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: other.id, Settings: &pb.KioskSettings{IdleSeconds: 66}}))
	if got := <-otherWatch.got; got.GetSettings().GetIdleSeconds() != 66 || got.GetDeviceId() != other.id {
		t.Errorf("the other device was told %v", got)
	}
	// Enrolled anew, the machine that had the key before hears no more.
	renewed, err := s.directory().RenewDeviceCode(admin, &pb.RenewDeviceCodeRequest{DeviceId: other.id})
	try(renewed, err)
	try(nil, other.up.Enroll(t.Context(), renewed.GetEnrollmentCode()))
	wantRefused(t, otherWatch.end(), codes.Unauthenticated, "device_token_ended")
}

func testPhotos(admin context.Context, s *running) {
	t := s.t
	k, other := s.newKiosk(admin), s.newKiosk(admin)
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 150, 200))); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for name, unit := range map[string]string{"mine": k.unit, "another's": other.unit, "without": k.unit} {
		official, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: unit, Name: name}})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = official.GetId()
		if name == "without" {
			continue
		}
		if _, err := s.directory().SetOfficialPhoto(admin, &pb.SetOfficialPhotoRequest{OfficialId: official.GetId(), Image: drawn.Bytes()}); err != nil {
			t.Fatal(err)
		}
	}
	photo := func(ctx context.Context, id string) (*pb.OfficialPhoto, error) {
		return s.devices().GetOfficialPhoto(ctx, &pb.GetOfficialPhotoRequest{OfficialId: id})
	}
	got, err := photo(k.authorized(), ids["mine"])
	if err != nil || !bytes.HasPrefix(got.GetJpeg(), []byte("\xff\xd8")) {
		t.Fatalf("%d bytes, %v", len(got.GetJpeg()), err)
	}
	named := k.configuration().GetOfficials()
	if !slices.ContainsFunc(named, func(o *pb.ConfiguredOfficial) bool {
		return o.GetId() == ids["mine"] && o.GetPhotoVersion() == got.GetPhotoVersion()
	}) {
		t.Errorf("the configuration names %v, the photo is %s", named, got.GetPhotoVersion())
	}
	if _, err := photo(admin, ids["another's"]); err != nil {
		t.Errorf("an administrator: %v", err)
	}
	for _, id := range []string{ids["another's"], "khong-co"} {
		_, err = photo(k.authorized(), id)
		wantRefused(t, err, codes.NotFound, "directory_official_missing")
	}
	_, err = photo(k.authorized(), ids["without"])
	wantRefused(t, err, codes.NotFound, "directory_photo_missing")
	_, err = photo(bearer(t.Context(), ""), ids["mine"])
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("without a token: %v", err)
	}
	_, err = photo(t.Context(), ids["mine"])
	if c := status.Code(err); c != codes.PermissionDenied && c != codes.Unauthenticated {
		t.Errorf("a stranger: %v", err)
	}
}

func testConfigurationRights(admin context.Context, s *running) {
	t := s.t
	k, other := s.newKiosk(admin), s.newKiosk(admin)
	for name, ctx := range map[string]context.Context{"another device": other.authorized(), "an administrator": admin, "a stranger": t.Context()} {
		t.Run(name, func(t *testing.T) {
			_, err := s.devices().GetConfiguration(ctx, &pb.GetConfigurationRequest{DeviceId: k.id})
			wantRefused(t, err, codes.PermissionDenied, "device_other")
			stream, err := s.devices().WatchConfiguration(ctx, &pb.WatchConfigurationRequest{DeviceId: k.id})
			if err == nil {
				_, err = stream.Recv()
			}
			wantRefused(t, err, codes.PermissionDenied, "device_other")
		})
	}
	t.Run("a device about devices", func(t *testing.T) {
		ctx := k.authorized()
		_, get := s.directory().GetDevice(ctx, &pb.GetDeviceRequest{DeviceId: k.id})
		_, fleet := s.directory().GetFleet(ctx, &pb.GetFleetRequest{})
		_, set := s.directory().SetKioskSettings(ctx, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: &pb.KioskSettings{}})
		for _, err := range []error{get, fleet, set} {
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
		}
	})
	t.Run("too often", func(t *testing.T) {
		k := *k
		k.running = s.in(t)
		var last *watching
		for range watchLimit.Burst {
			before := last
			last = k.watch("")
			if before != nil {
				if err := before.end(); status.Code(err) != codes.Aborted {
					t.Fatalf("the older stream ended with %v", err)
				}
			}
		}
		stream, err := s.devices().WatchConfiguration(k.authorized(), &pb.WatchConfigurationRequest{DeviceId: k.id})
		if err == nil {
			_, err = stream.Recv()
		}
		wantRefused(t, err, codes.ResourceExhausted, "device_watch_too_often")
		last.until("the newest goes on", func(*pb.Configuration) bool { return true })
	})
}

func testSettings(admin context.Context, s *running) {
	k := s.newKiosk(admin)
	long := strings.Repeat("ơ", 121)
	for _, c := range []struct {
		name, reason string
		settings     *pb.KioskSettings
	}{
		{"none", "request_invalid", nil},
		{"a pattern that is none", "device_pattern_invalid", &pb.KioskSettings{TicketPattern: "(["}},
		{"a pattern RE2 does not know", "device_pattern_invalid", &pb.KioskSettings{DossierPattern: `(a)\1`}},
		{"a language that is none", "device_language_unknown", &pb.KioskSettings{Languages: []string{"vi", "xx-a1b2c3d4-zz"}}},
		{"a language twice", "request_invalid", &pb.KioskSettings{Languages: []string{"vi", "vi"}}},
		{"words in a language nobody speaks here", "device_language_unknown", &pb.KioskSettings{Thanks: []*pb.LocalText{{Language: "xx-a1b2c3d4-zz", Text: "Merci"}}}},
		{"words twice", "device_language_unknown", &pb.KioskSettings{Thanks: []*pb.LocalText{{Language: "vi", Text: "a"}, {Language: "vi", Text: "b"}}}},
		{"no words", "device_words_invalid", &pb.KioskSettings{Invitations: []*pb.LocalText{{Language: "vi", Text: "  "}}}},
		{"too many words", "device_words_invalid", &pb.KioskSettings{Invitations: []*pb.LocalText{{Language: "vi", Text: long}}}},
		{"words with a line", "device_words_invalid", &pb.KioskSettings{Invitations: []*pb.LocalText{{Language: "vi", Text: "a\nb"}}}},
		{"a questionnaire that is not there", "device_questionnaire_unknown", &pb.KioskSettings{QuestionnaireId: "khong-co"}},
		{"an idle time of an hour", "request_invalid", &pb.KioskSettings{IdleSeconds: 3600}},
	} {
		s.t.Run(c.name, func(t *testing.T) {
			_, err := s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: c.settings})
			wantRefused(t, err, codes.InvalidArgument, c.reason)
		})
	}
	if got := k.configuration(); !proto.Equal(got.GetSettings(), &pb.KioskSettings{}) {
		s.t.Errorf("refused settings are kept: %v", got.GetSettings())
	}
	_, err := s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: "khong-co", Settings: &pb.KioskSettings{}})
	wantRefused(s.t, err, codes.NotFound, "device_unknown")
	if _, err := s.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: &pb.KioskSettings{QuestionnaireId: "sipas"}}); err != nil {
		s.t.Fatal(err)
	}
	if got := k.configuration().GetQuestionnaires(); len(got) == 0 || got[0].GetId() != "sipas" {
		s.t.Errorf("asks %v", got)
	}
}

// At midnight and at the end of a server, streams do what they should without being told.
func TestConfigurationByTimeAlone(t *testing.T) {
	var clock shiftedClock
	s := start(t, Config{Clock: clock.now})
	admin := s.admin()
	k := s.newKiosk(admin)
	official, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: k.unit, Name: "Trần Thị Bình"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.directory().SetDuty(admin, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: k.unit, OfficialId: official.GetId(), Now: true}}); err != nil {
		t.Fatal(err)
	}
	w := k.watch("")
	w.until("who serves today", func(c *pb.Configuration) bool { return len(c.GetDuties()) == 1 })
	clock.forward(24 * time.Hour)
	w.until("the day after", func(c *pb.Configuration) bool { return len(c.GetDuties()) == 0 })
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > stopWithin/2 {
		t.Errorf("the server waited %v for its watcher", took)
	}
	if err := w.end(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
}

// What is changed by one process reaches a device that another one serves.
func TestConfigurationAcrossProcesses(t *testing.T) {
	config := onMongoDB(t)
	here, there := start(t, config), start(t, config)
	admin := here.admin()
	k := here.newKiosk(admin)
	elsewhere := *k
	elsewhere.running = there
	w := elsewhere.watch("")
	w.until("the first", func(*pb.Configuration) bool { return true })
	if _, err := here.directory().SetKioskSettings(admin, &pb.SetKioskSettingsRequest{DeviceId: k.id, Settings: &pb.KioskSettings{IdleSeconds: 77}}); err != nil {
		t.Fatal(err)
	}
	w.until("the settings", func(c *pb.Configuration) bool { return c.GetSettings().GetIdleSeconds() == 77 })
	if _, err := here.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: k.unit, Name: "Trần Thị Bình"}}); err != nil {
		t.Fatal(err)
	}
	w.until("an official", func(c *pb.Configuration) bool { return len(c.GetOfficials()) == 1 })
	a, b := k.configuration(), elsewhere.configuration()
	if !proto.Equal(a, b) {
		t.Errorf("two processes make\n%v\n%v", a, b)
	}
}
