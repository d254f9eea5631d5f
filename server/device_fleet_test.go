package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	sealing "github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// hours makes offices always open, or never.
func (s *running) hours(admin context.Context, open bool) {
	s.t.Helper()
	hours := &pb.OfficeHours{}
	for weekday := int32(1); open && weekday <= 7; weekday++ {
		hours.Week = append(hours.Week, &pb.OpeningTime{Weekday: weekday, ToMinute: 1440})
	}
	if _, err := s.directory().SetOfficeHours(admin, &pb.SetOfficeHoursRequest{OfficeHours: hours}); err != nil {
		s.t.Fatal(err)
	}
}

// fleet is how many devices of a subtree are in each state, as "LIVE 2 SILENT 1".
func (s *running) fleet(ctx context.Context, unit string) (*pb.GetFleetResponse, string) {
	s.t.Helper()
	fleet, err := s.directory().GetFleet(ctx, &pb.GetFleetRequest{UnitId: unit})
	if err != nil {
		s.t.Fatal(err)
	}
	var text []string
	for _, of := range fleet.GetStates() {
		text = append(text, fmt.Sprint(strings.TrimPrefix(of.GetState().String(), "DEVICE_STATE_"), " ", of.GetCount()))
	}
	return fleet, strings.Join(text, " ")
}

func (k *kiosk) state() pb.DeviceState {
	k.t.Helper()
	found, err := k.directory().GetDevice(k.admin, &pb.GetDeviceRequest{DeviceId: k.id})
	if err != nil {
		k.t.Fatal(err)
	}
	return found.GetState()
}

func TestFleet(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		var clock shiftedClock
		config.Clock = clock.now
		s := start(t, config)
		admin := s.admin()
		s.hours(admin, true)
		first, second := s.newKiosk(admin), s.newKiosk(admin)
		made, err := s.directory().CreateDevice(admin, &pb.CreateDeviceRequest{Name: "Chưa ghi danh", Bindings: []*pb.DeviceBinding{{UnitId: first.unit}}})
		if err != nil || made.GetDevice().GetState() != pb.DeviceState_DEVICE_STATE_WAITING {
			t.Fatal(made, err)
		}
		want := func(fleet string) {
			t.Helper()
			if _, got := s.fleet(admin, ""); got != fleet {
				t.Errorf("fleet %q, want %q", got, fleet)
			}
		}
		want("LIVE 2 WAITING 1")
		clock.forward(2 * time.Minute) // what is told is kept once a minute

		told := &pb.SendHeartbeatRequest{
			Version: "1.2.3", QueueDepth: 3, HighestSequence: 9, FreeBytes: 5 << 30, ScreenState: pb.ScreenState_SCREEN_STATE_IDLE,
			ConfigurationVersion: "abc", Days: []*pb.DayCount{{Day: "2026-11-21", Count: 40}, {Day: "2026-11-22", Count: 2}}, Troubles: []string{"storage_low"},
		}
		if _, err := first.up.Heartbeat(t.Context(), proto.CloneOf(told)); err != nil {
			t.Fatal(err)
		}
		found, err := s.directory().GetDevice(admin, &pb.GetDeviceRequest{DeviceId: first.id})
		if err != nil {
			t.Fatal(err)
		}
		report := &pb.DeviceReport{Version: "1.2.3", QueueDepth: 3, HighestSequence: 9, FreeBytes: 5 << 30, ScreenState: pb.ScreenState_SCREEN_STATE_IDLE,
			ConfigurationVersion: "abc", Days: told.GetDays(), Troubles: told.GetTroubles(), Skew: found.GetReport().GetSkew()}
		if !proto.Equal(found.GetReport(), report) || found.GetState() != pb.DeviceState_DEVICE_STATE_LIVE {
			t.Errorf("told %v, kept %v", told, found)
		}
		if fleet, _ := s.fleet(admin, first.unit); fleet.GetQueued() != 3 || !fleet.GetOfficeHours() {
			t.Errorf("%v", fleet)
		}

		clock.forward(16 * time.Minute)
		want("SILENT 2 WAITING 1")
		silent, err := s.directory().ListDevices(admin, &pb.ListDevicesRequest{States: []pb.DeviceState{pb.DeviceState_DEVICE_STATE_SILENT}, UnitId: second.unit})
		if err != nil || len(silent.GetDevices()) != 1 || silent.GetDevices()[0].GetId() != second.id {
			t.Errorf("silent %v, %v", silent, err)
		}
		if got := s.metric(`hailong_devices{state="silent"}`); got != "2" {
			t.Errorf("monitoring is told of %q silent devices", got)
		}
		if _, err := first.up.Heartbeat(t.Context(), proto.CloneOf(told)); err != nil {
			t.Fatal(err)
		}
		want("SILENT 1 BEHIND 1 WAITING 1")
		s.hours(admin, false)
		want("BEHIND 1 RESTING 1 WAITING 1")
		if fleet, _ := s.fleet(admin, ""); fleet.GetOfficeHours() {
			t.Error("offices are said to be open")
		}
		if _, err := s.directory().RevokeDevice(admin, &pb.RevokeDeviceRequest{DeviceId: first.id}); err != nil {
			t.Fatal(err)
		}
		want("RESTING 1 WAITING 1 REVOKED 1")

		p := newProvince(admin, s)
		t.Run("who may", func(t *testing.T) {
			s := s.in(t)
			operator := p.at(t).as("truc", pb.Role_ROLE_OPERATOR, "")
			_, err := s.directory().GetFleet(operator, &pb.GetFleetRequest{})
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
			_, err = s.directory().GetDevice(operator, &pb.GetDeviceRequest{DeviceId: first.id})
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
			commune := p.at(t).as("xa", pb.Role_ROLE_ADMINISTRATOR, p.mine)
			if _, got := s.fleet(commune, ""); got != "" {
				t.Errorf("another's devices: %q", got)
			}
			_, err = s.directory().GetDevice(commune, &pb.GetDeviceRequest{DeviceId: first.id})
			wantRefused(t, err, codes.NotFound, "device_unknown")
			_, err = s.directory().SetKioskSettings(commune, &pb.SetKioskSettingsRequest{DeviceId: first.id, Settings: &pb.KioskSettings{}})
			wantRefused(t, err, codes.NotFound, "device_unknown")
			for _, unit := range []string{p.sibling, p.top, "khong-co"} {
				_, err = s.directory().GetFleet(commune, &pb.GetFleetRequest{UnitId: unit})
				wantRefused(t, err, codes.NotFound, "unit_unknown")
				_, err = s.directory().ListDevices(commune, &pb.ListDevicesRequest{UnitId: unit})
				wantRefused(t, err, codes.NotFound, "unit_unknown")
			}
			mine, err := s.directory().CreateDevice(commune, &pb.CreateDeviceRequest{Name: "Của xã", Bindings: []*pb.DeviceBinding{{UnitId: p.office}}})
			if err != nil {
				t.Fatal(err)
			}
			for unit, want := range map[string]int{"": 1, p.mine: 1, p.office: 1} {
				listed, err := s.directory().ListDevices(commune, &pb.ListDevicesRequest{UnitId: unit})
				if err != nil || len(listed.GetDevices()) != want || listed.GetDevices()[0].GetId() != mine.GetDevice().GetId() {
					t.Errorf("in %q: %v, %v", unit, listed, err)
				}
			}
		})
	})
}

// metric is the value of a metric, as monitoring reads it.
func (s *running) metric(name string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.http+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			return value
		}
	}
	return ""
}

// copied is a machine that goes on from a copy of a kiosk's disk: the same identity, key and place in the chain.
type copied struct {
	*kiosk
	name string
	next uint64
	head sealing.Head
}

// gives seals n ratings and sends them.
func (c *copied) gives(n int) {
	c.t.Helper()
	who, ok := c.device.Identity()
	if !ok {
		c.t.Fatal("not enrolled")
	}
	request := &pb.SubmitRatingsRequest{}
	var items [][]byte
	for i := range n {
		r := freshRating(c.unit, 4)
		r.Channel, r.CounterId, r.DeviceId, r.DeviceSequence = pb.Channel_CHANNEL_KIOSK, c.counter, c.id, c.next+uint64(i)
		item := seal(c.t, r)
		request.Items, items = append(request.Items, item), append(items, item.GetRating())
	}
	request.Seal = sealing.Sign(who.Key, c.id, c.next, c.head, items)
	c.next, c.head = c.next+uint64(n), sealing.Head(request.Seal.GetChainHead())
	c.wantAll(c.sendRaw(request), stored, "")
	c.wantAll(c.sendRaw(request), duplicate, "")
}

// Two machines go on from one disk, each served by a process of its own: nothing of either is lost, both are told, everybody sees it,
// and enrolling one of them anew tells them apart.
func TestTwoMachinesOfOneDisk(t *testing.T) {
	var clock shiftedClock
	config := onMongoDB(t)
	config.Worker, config.Clock = "on", clock.now
	here, there := start(t, config), start(t, config)
	admin := here.admin()
	k := here.newKiosk(admin)
	original := &copied{kiosk: k, name: "a", next: 1}
	original.gives(5)
	elsewhere := *k
	elsewhere.running = there
	other := &copied{kiosk: &elsewhere, name: "b", next: original.next, head: original.head}
	total := 5
	for i := range 4 {
		original.gives(1 + i)
		other.gives(2)
		total += 1 + i + 2
	}
	here.summary(admin, k.unit, uint32(total)) //nolint:gosec // a few
	beats := func(c *copied, s *running) bool {
		clock.forward(35 * time.Second)
		answer, err := s.devices().SendHeartbeat(c.authorized(), &pb.SendHeartbeatRequest{DeviceId: c.id, BootId: c.name, MachineId: "machine " + c.name})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetCloned()
	}
	if k.state() != pb.DeviceState_DEVICE_STATE_CLONED {
		t.Error("a chain that forks is not noticed")
	}
	for range 8 {
		beats(original, here)
		beats(other, there)
	}
	if !beats(original, here) || !beats(other, there) {
		t.Error("the machines are not told")
	}
	found, err := here.directory().GetDevice(admin, &pb.GetDeviceRequest{DeviceId: k.id})
	if err != nil || found.GetClonedSince() == nil || strings.Join(found.GetReport().GetTroubles(), " ") != "chain_forked other_machine" {
		t.Errorf("%v, %v", found, err)
	}
	renewed, err := here.directory().RenewDeviceCode(admin, &pb.RenewDeviceCodeRequest{DeviceId: k.id})
	if err != nil {
		t.Fatal(err)
	}
	stolen := other.authorized()
	if err := k.up.Enroll(t.Context(), renewed.GetEnrollmentCode()); err != nil {
		t.Fatal(err)
	}
	if state := k.state(); state != pb.DeviceState_DEVICE_STATE_LIVE {
		t.Errorf("enrolled anew it is %v", state)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // the other process hears of it
		_, err := there.devices().SendHeartbeat(stolen, &pb.SendHeartbeatRequest{DeviceId: k.id, BootId: "b"})
		if err != nil {
			wantRefused(t, err, codes.Unauthenticated, "device_token_ended")
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the copy is still believed")
		}
	}
}
