package server

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func testBindings(admin context.Context, s *running) {
	now := time.Now().Truncate(time.Second)
	from, to := now.Add(-3*time.Hour), now.Add(-time.Hour)
	k := s.newKiosk(admin, &pb.DeviceBinding{ValidFrom: timestamppb.New(from), ValidTo: timestamppb.New(to)})
	other := s.newKiosk(admin)
	at := func(when time.Time) func(*pb.Rating) {
		return func(r *pb.Rating) { r.OccurredAt = timestamppb.New(when) }
	}
	for _, c := range []struct {
		name   string
		reason string
		change func(*pb.Rating)
	}{
		{"before it began", "device_not_bound", at(from.Add(-11 * time.Minute))},
		{"before it began, by a clock that is slow", "", at(from.Add(-9 * time.Minute))},
		{"at its first moment", "", at(from)},
		{"within, though sent after it ended", "", at(to.Add(-time.Second))},
		{"at its end", "device_not_bound", at(to)},
		{"after it ended", "device_not_bound", at(now)},
		{"another unit's", "device_not_bound", func(r *pb.Rating) { r.UnitId, r.CounterId = other.unit, other.counter }},
		{"another unit's, at its time", "device_not_bound", func(r *pb.Rating) {
			r.UnitId, r.CounterId, r.OccurredAt = other.unit, other.counter, timestamppb.New(from)
		}},
		{"a counter of another unit", "counter_unknown", func(r *pb.Rating) { r.CounterId = other.counter }},
		{"a paper slip", "channel_denied", func(r *pb.Rating) { r.Channel = pb.Channel_CHANNEL_PAPER }},
	} {
		s.t.Run(c.name, func(t *testing.T) {
			k := *k
			k.running = s.in(t)
			want := stored
			if c.reason != "" {
				want = rejected
			}
			outcomes := k.send(k.seal(1, c.change))
			k.wantAll(outcomes, want, c.reason)
			if c.reason != "device_not_bound" {
				return
			}
			ask := &pb.ReleaseQuarantinedRequest{QuarantineId: outcomes[0].GetQuarantineId()}
			_, err := s.operations().ReleaseQuarantined(admin, ask)
			wantRefused(t, err, codes.InvalidArgument, "quarantine_needs_vouch")
		})
	}
	k.wantThrough(10) // what is in quarantine has arrived
	s.summary(admin, k.unit, 3)
	s.summary(admin, other.unit, 0)
	s.t.Run("bound to one counter, not to the others", func(t *testing.T) {
		other := *other
		other.running = s.in(t)
		other.wantAll(other.send(other.seal(1, func(r *pb.Rating) { r.CounterId = "" })), rejected, "device_not_bound")
	})
	s.t.Run("an end given later", func(t *testing.T) {
		other := *other
		other.running = s.in(t)
		late := other.seal(1)
		end := time.Now().Add(time.Millisecond)
		if _, err := s.directory().BindDevice(admin, &pb.BindDeviceRequest{DeviceId: other.id, Binding: &pb.DeviceBinding{
			UnitId: other.unit, CounterId: other.counter, ValidTo: timestamppb.New(end)}}); err != nil {
			t.Fatal(err)
		}
		other.wantAll(other.send(late), stored, "")
		other.wantAll(other.send(other.seal(1, at(end.Add(time.Second)))), rejected, "device_not_bound")
	})
}

func testRevoked(admin context.Context, s *running) {
	k := s.newKiosk(admin)
	k.wantAll(k.send(k.seal(6)), stored, "")
	token, waiting := k.authorized(), k.seal(1)
	if revoked, err := s.directory().RevokeDevice(admin, &pb.RevokeDeviceRequest{DeviceId: k.id}); err != nil || revoked.GetRevokedAt() == nil {
		s.t.Fatal(revoked, err)
	}
	request, err := k.device.Request(waiting)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.ratings().SubmitRatings(token, request)
	wantRefused(s.t, err, codes.Unauthenticated, "device_revoked")
	_, err = k.up.Submit(s.t.Context(), waiting) // which fetches another token
	wantRefused(s.t, err, codes.Unauthenticated, "device_revoked")
	_, err = s.directory().RenewDeviceCode(admin, &pb.RenewDeviceCodeRequest{DeviceId: k.id})
	wantRefused(s.t, err, codes.PermissionDenied, "device_revoked")
	s.summary(admin, k.unit, 6)
}

func testDeviceRights(admin context.Context, s *running) {
	k, other := s.newKiosk(admin), s.newKiosk(admin)
	token, err := k.up.Token(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := k.device.Request(k.seal(1))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, wrong := range map[string]string{
		"garbage": "hld_khong-phai", "empty": "hld_", "cut": token[:len(token)-9], "longer": token + "AAAA",
		"another kind": "hls" + token[3:], "changed": swapped(token, 30),
	} {
		_, err := s.ratings().SubmitRatings(bearer(s.t.Context(), wrong), request)
		if status.Code(err) != codes.Unauthenticated || strings.Contains(err.Error(), "fault.") {
			s.t.Errorf("a token that is %s: %v", name, err)
		}
	}
	ctx := bearer(s.t.Context(), token)
	_, listDevices := s.directory().ListDevices(ctx, &pb.ListDevicesRequest{})
	_, createUnit := s.directory().CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Xã", Level: "commune"}})
	_, revoke := s.directory().RevokeDevice(ctx, &pb.RevokeDeviceRequest{DeviceId: other.id})
	_, bind := s.directory().BindDevice(ctx, &pb.BindDeviceRequest{DeviceId: k.id, Binding: &pb.DeviceBinding{UnitId: other.unit}})
	_, officials := s.directory().ListOfficials(ctx, &pb.ListOfficialsRequest{})
	_, quarantine := s.operations().ListQuarantine(ctx, &pb.ListQuarantineRequest{})
	_, gaps := s.operations().ListSequenceGaps(ctx, &pb.ListSequenceGapsRequest{})
	_, accounts := pb.NewIdentityServiceClient(s.conn).ListAccounts(ctx, &pb.ListAccountsRequest{})
	_, figures := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: k.unit})
	for name, err := range map[string]error{
		"devices": listDevices, "units": createUnit, "revoke": revoke, "bind": bind, "officials": officials, "quarantine": quarantine,
		"gaps": gaps, "accounts": accounts, "figures": figures,
	} {
		s.t.Run(name, func(t *testing.T) { wantRefused(t, err, codes.PermissionDenied, "action_denied") })
	}
	_, err = s.devices().SendHeartbeat(ctx, &pb.SendHeartbeatRequest{DeviceId: other.id})
	wantRefused(s.t, err, codes.PermissionDenied, "device_other")
}

func testDeviceClock(admin context.Context, s *running) {
	k := s.newKiosk(admin)
	k.wantAll(k.send(k.seal(5, func(r *pb.Rating) { r.OccurredAt = timestamppb.New(time.Now().AddDate(1, 0, 0)) })), stored, "")
	k.wantAll(k.send(k.seal(5, func(r *pb.Rating) { r.OccurredAt = timestamppb.New(time.Now().AddDate(-3, 0, 0)) })), stored, "")
	if summary := s.summary(admin, k.unit, 10); summary.GetPooled().GetFlagged() != 10 {
		s.t.Errorf("%d of 10 flagged; both clocks are absurd", summary.GetPooled().GetFlagged())
	}
	answer, err := k.up.Heartbeat(s.t.Context(), &pb.SendHeartbeatRequest{DeviceTime: timestamppb.New(time.Now().AddDate(0, 0, 2))})
	if err != nil || answer.GetSkew().AsDuration().Round(time.Hour) != 48*time.Hour {
		s.t.Errorf("skew %v, %v", answer.GetSkew(), err)
	}
}

func TestCodesAndTokensEnd(t *testing.T) {
	var clock shiftedClock
	s := start(t, Config{Clock: clock.now})
	k := s.newKiosk(s.admin())
	token := k.authorized()
	nonce, err := s.devices().CreateDeviceNonce(t.Context(), &pb.CreateDeviceNonceRequest{DeviceId: k.id})
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := s.directory().RenewDeviceCode(s.admin(), &pb.RenewDeviceCodeRequest{DeviceId: k.id})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.devices().CreateDeviceToken(t.Context(), &pb.CreateDeviceTokenRequest{DeviceId: k.id, Nonce: nonce.GetNonce(), Signature: make([]byte, 64)})
	wantRefused(t, err, codes.Unauthenticated, "device_unproven")
	clock.forward(59 * time.Minute)
	if _, err := s.devices().SendHeartbeat(token, &pb.SendHeartbeatRequest{DeviceId: k.id}); err != nil {
		t.Errorf("a token of 59 minutes: %v", err)
	}
	clock.forward(2 * time.Minute)
	_, err = s.devices().SendHeartbeat(token, &pb.SendHeartbeatRequest{DeviceId: k.id})
	wantRefused(t, err, codes.Unauthenticated, "device_token_ended")
	k.wantAll(k.send(k.seal(1)), stored, "") // the client fetches another by itself
	clock.forward(24 * time.Hour)
	wantRefused(t, k.up.Enroll(t.Context(), renewed.GetEnrollmentCode()), codes.Unauthenticated, "enrollment_code_expired")
	k.wantAll(k.send(k.seal(1)), stored, "") // under the key it had
}

// swapped is a token with one letter changed.
func swapped(token string, at int) string {
	letter := "A"
	if token[at] == 'A' {
		letter = "B"
	}
	return token[:at] + letter + token[at+1:]
}

// shiftedClock is the real clock, which a test can put forward.
type shiftedClock struct{ ahead atomic.Int64 }

func (c *shiftedClock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *shiftedClock) forward(d time.Duration) { c.ahead.Add(int64(d)) }
