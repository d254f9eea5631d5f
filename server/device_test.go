package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	sealing "github.com/hailong-vn/hailong/internal/seal"
	devicejournal "github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// in is the same server seen from a subtest, whose failures are its own.
func (s *running) in(t *testing.T) *running {
	other := *s
	other.t = t
	return &other
}

func (s *running) devices() pb.DeviceServiceClient { return pb.NewDeviceServiceClient(s.conn) }

// wantRefused checks code and reason of a refused call, and that a person is told in words.
func wantRefused(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	got := status.Convert(err)
	told := ""
	for _, detail := range got.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			told = info.GetReason()
		}
	}
	if got.Code() != code || told != reason {
		t.Errorf("%v %q (%v), want %v %q", got.Code(), told, err, code, reason)
	}
	if got.Message() == "" || strings.HasPrefix(got.Message(), "fault.") {
		t.Errorf("%s has no words: %q", reason, got.Message())
	}
}

// kiosk is an enrolled device with the client's own side of it.
type kiosk struct {
	*running
	admin         context.Context
	id, unit      string
	counter, code string
	device        *devicejournal.Journal
	up            *uplink.Calls
}

// newKiosk makes a unit with a counter and a device bound to it, and enrols it. Without bindings the device is bound to the
// counter from now on.
func (s *running) newKiosk(admin context.Context, bindings ...*pb.DeviceBinding) *kiosk {
	s.t.Helper()
	k := &kiosk{running: s, admin: admin, unit: s.unit(admin, "", "Bộ phận một cửa")}
	counter, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: k.unit, Code: "1", Name: "Quầy 1: Hộ tịch"}})
	if err != nil {
		s.t.Fatal(err)
	}
	k.counter = counter.GetId()
	for _, binding := range bindings {
		binding.UnitId = k.unit
	}
	if len(bindings) == 0 {
		bindings = []*pb.DeviceBinding{{UnitId: k.unit, CounterId: k.counter}}
	}
	created, err := s.directory().CreateDevice(admin, &pb.CreateDeviceRequest{Name: "Kiosk 1, sảnh chính", Bindings: bindings})
	if err != nil {
		s.t.Fatal(err)
	}
	k.id, k.code = created.GetDevice().GetId(), created.GetEnrollmentCode()
	k.device = openJournal(s.t)
	k.up = uplink.NewCalls(k.device, s.conn, nil)
	if err := k.up.Enroll(s.t.Context(), k.code); err != nil {
		s.t.Fatal(err)
	}
	return k
}

// openJournal is a device that is not enrolled.
func openJournal(t *testing.T) *devicejournal.Journal {
	t.Helper()
	j, err := devicejournal.Open(t.Context(), "", devicejournal.Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// seal makes a batch of n ratings given now at the kiosk's counter, each changed as the test likes.
func (k *kiosk) seal(n int, changes ...func(*pb.Rating)) devicejournal.Batch {
	k.t.Helper()
	items := make([]devicejournal.Item, n)
	for i := range items {
		items[i].Rating = freshRating(k.unit, int32(1+i%5)) //nolint:gosec // 1 to 5
		items[i].Rating.Channel, items[i].Rating.CounterId = pb.Channel_CHANNEL_KIOSK, k.counter
		for _, change := range changes {
			change(items[i].Rating)
		}
	}
	batch, err := k.device.Append(k.t.Context(), items)
	if err != nil {
		k.t.Fatal(err)
	}
	return batch
}

func (k *kiosk) send(batch devicejournal.Batch) []*pb.ItemOutcome {
	k.t.Helper()
	outcomes, err := k.up.Submit(k.t.Context(), batch)
	if err != nil {
		k.t.Fatal(err)
	}
	return outcomes
}

// sendRaw sends a request as it stands, with the device's token.
func (k *kiosk) sendRaw(request *pb.SubmitRatingsRequest) []*pb.ItemOutcome {
	k.t.Helper()
	response, err := k.ratings().SubmitRatings(k.authorized(), request)
	if err != nil {
		k.t.Fatal(err)
	}
	return response.GetOutcomes()
}

func (k *kiosk) authorized() context.Context {
	k.t.Helper()
	token, err := k.up.Token(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return bearer(k.t.Context(), token)
}

func (k *kiosk) wantAll(outcomes []*pb.ItemOutcome, want pb.Outcome, reason string) {
	k.t.Helper()
	for _, outcome := range outcomes {
		wantOutcome(k.t, outcome, want, reason)
	}
}

func (k *kiosk) wantThrough(want uint64) {
	k.t.Helper()
	if answer, err := k.up.Heartbeat(k.t.Context(), nil); err != nil || answer.GetStoredThrough() != want {
		k.t.Errorf("stored through %d, %v, want %d", answer.GetStoredThrough(), err, want)
	}
}

func TestDevices(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		for name, test := range map[string]func(context.Context, *running){
			"from the code to the figure":             testCodeToFigure,
			"a batch without a good seal":             testSeals,
			"a skipped batch is a gap until it comes": testGaps,
			"bindings are dated":                      testBindings,
			"a revoked device stops at once":          testRevoked,
			"a device is not an administrator":        testDeviceRights,
			"a clock a year ahead":                    testDeviceClock,
		} {
			t.Run(name, func(t *testing.T) { test(admin, s.in(t)) })
		}
	})
}

func testCodeToFigure(admin context.Context, s *running) {
	t := s.t
	k := s.newKiosk(admin)
	if k.device.ID() != k.id || k.device.Name() != "Kiosk 1, sảnh chính" || !strings.Contains(k.code, "-") {
		t.Errorf("enrolled as %v, code %q", k.device, k.code)
	}
	other := openJournal(t)
	wantRefused(t, uplink.NewCalls(other, s.conn, nil).Enroll(t.Context(), k.code), codes.Unauthenticated, "enrollment_code_wrong")
	wantRefused(t, uplink.NewCalls(other, s.conn, nil).Enroll(t.Context(), "0000-0000-0000"), codes.Unauthenticated, "enrollment_code_wrong")
	wantRefused(t, uplink.NewCalls(other, s.conn, nil).Enroll(t.Context(), "không phải mã"), codes.Unauthenticated, "enrollment_code_wrong")
	batch := k.seal(10)
	k.wantAll(k.send(batch), stored, "")
	k.wantAll(k.send(batch), duplicate, "")
	k.wantThrough(10)
	summary := s.summary(admin, k.unit, 10)
	if channels := summary.GetChannels(); len(channels) != 1 || channels[0].GetChannel() != pb.Channel_CHANNEL_KIOSK {
		t.Errorf("channels %v", channels)
	}
	if counts := summary.GetPooled().GetCounts(); !slices.Equal(counts, []uint32{2, 2, 2, 2, 2}) {
		t.Errorf("counts %v", counts)
	}
	renewed, err := s.directory().RenewDeviceCode(admin, &pb.RenewDeviceCodeRequest{DeviceId: k.id})
	if err != nil {
		t.Fatal(err)
	}
	replaced := openJournal(t)
	spare := uplink.NewCalls(replaced, s.conn, nil)
	typed := strings.ToLower(strings.ReplaceAll(renewed.GetEnrollmentCode(), "-", " "))
	if err := spare.Enroll(t.Context(), typed); err != nil || replaced.NextSequence() != 11 {
		t.Errorf("the spare machine: %v, goes on at %d", err, replaced.NextSequence())
	}
	_, err = k.up.Submit(t.Context(), k.seal(1))
	wantRefused(t, err, codes.Unauthenticated, "device_unproven")
	listed, err := s.directory().ListDevices(admin, &pb.ListDevicesRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(listed.GetDevices(), func(d *pb.Device) bool { return d.GetId() == k.id })
	if i < 0 {
		t.Fatal("the device is not listed")
	}
	if d := listed.GetDevices()[i]; d.GetEnrolledAt() == nil || d.GetLastSeenAt() == nil || d.GetStoredThrough() != 10 || d.GetRevokedAt() != nil {
		t.Errorf("listed as %v", d)
	}
}

func testSeals(admin context.Context, s *running) {
	k, stranger := s.newKiosk(admin), s.newKiosk(admin)
	batches, waiting := uint64(0), 0
	_, wrongKey, _ := ed25519.GenerateKey(rand.Reader)
	resign := func(r *pb.SubmitRatingsRequest) {
		r.Seal.Signature = ed25519.Sign(wrongKey, sealing.SigningBytes(r.GetSeal()))
	}
	for _, c := range []struct {
		name, reason string
		spoil        func(*pb.SubmitRatingsRequest)
	}{
		{"no seal", "seal_missing", func(r *pb.SubmitRatingsRequest) { r.Seal = nil }},
		{"not signed", "seal_missing", func(r *pb.SubmitRatingsRequest) { r.Seal.Signature = nil }},
		{"a bit of the signature", "seal_forged", func(r *pb.SubmitRatingsRequest) { r.Seal.Signature[7] ^= 1 }},
		{"signed with another key", "seal_forged", resign},
		{"another device's seal", "seal_of_other_device", func(r *pb.SubmitRatingsRequest) {
			request, _ := stranger.device.Request(devicejournal.Batch{First: r.GetSeal().GetFirstSequence(), Items: r.GetItems()})
			r.Seal = request.GetSeal()
		}},
		{"sequences changed after signing", "seal_forged", func(r *pb.SubmitRatingsRequest) { r.Seal.FirstSequence++; r.Seal.LastSequence++ }},
		{"an item taken out", "seal_count", func(r *pb.SubmitRatingsRequest) { r.Items = slices.Delete(r.Items, 1, 2) }},
		{"an item twice in the place of another", "chain_broken", func(r *pb.SubmitRatingsRequest) { r.Items[1] = r.Items[0] }},
		{"another order", "chain_broken", func(r *pb.SubmitRatingsRequest) { slices.Reverse(r.Items) }},
		{"a score changed on the way", "chain_broken", func(r *pb.SubmitRatingsRequest) {
			changed := &pb.Rating{}
			if err := proto.Unmarshal(r.GetItems()[2].GetRating(), changed); err != nil {
				s.t.Fatal(err)
			}
			changed.OverallScore = 5
			r.Items[2] = seal(s.t, changed)
		}},
	} {
		s.t.Run(c.name, func(t *testing.T) {
			k := *k
			k.running = s.in(t)
			batch := k.seal(3)
			request, err := k.device.Request(batch)
			if err != nil {
				t.Fatal(err)
			}
			spoiled := proto.CloneOf(request)
			c.spoil(spoiled)
			outcomes := k.sendRaw(spoiled)
			k.wantAll(outcomes, rejected, c.reason)
			kept := map[string]bool{}
			for _, outcome := range outcomes {
				kept[outcome.GetQuarantineId()] = true
			}
			batches, waiting = batches+1, waiting+len(kept)-1 // one of them is released below
			release := func(vouch bool) (*pb.ReleaseQuarantinedResponse, error) {
				return s.operations().ReleaseQuarantined(admin, &pb.ReleaseQuarantinedRequest{QuarantineId: outcomes[0].GetQuarantineId(), Vouch: vouch})
			}
			_, err = release(false)
			wantRefused(t, err, codes.InvalidArgument, "quarantine_needs_vouch")
			released, err := release(true)
			if err != nil || released.GetOutcome().GetOutcome() != stored {
				t.Errorf("vouched for: %v, %v", released, err)
			}
			vouched := slices.IndexFunc(batch.Items, func(item *pb.SealedRating) bool {
				return bytes.Equal(item.GetRating(), spoiled.GetItems()[0].GetRating())
			})
			if vouched == 0 { // what was vouched for has arrived: no gap is left in its place
				k.wantThrough(3*(batches-1) + 1)
			}
			// The device sends the same as it was sealed: what was refused took nothing away.
			for i, outcome := range k.send(batch) {
				if want := map[bool]pb.Outcome{true: duplicate, false: stored}[i == vouched]; outcome.GetOutcome() != want {
					t.Errorf("item %d, sent well: %v, want %v", i, outcome, want)
				}
			}
		})
	}
	s.summary(admin, k.unit, uint32(3*batches)) //nolint:gosec // a few
	k.wantThrough(3 * batches)
	listed, err := s.operations().ListQuarantine(admin, &pb.ListQuarantineRequest{DeviceId: k.id, PageSize: 1000})
	if err != nil || len(listed.GetItems()) != waiting {
		s.t.Errorf("%d wait in quarantine, want %d, %v", len(listed.GetItems()), waiting, err)
	}
}

func testGaps(admin context.Context, s *running) {
	k := s.newKiosk(admin)
	gaps := func() string {
		listed, err := s.operations().ListSequenceGaps(admin, &pb.ListSequenceGapsRequest{DeviceId: k.id})
		if err != nil {
			s.t.Fatal(err)
		}
		text := ""
		for _, gap := range listed.GetGaps() {
			if gap.GetDeviceId() != k.id || gap.GetSeenAt() == nil {
				s.t.Errorf("gap %v", gap)
			}
			text += fmt.Sprintf("%d-%d ", gap.GetFirstSequence(), gap.GetLastSequence())
		}
		return text
	}
	first, skipped, last := k.seal(3), k.seal(4), k.seal(2)
	k.wantThrough(0)
	k.wantAll(k.send(first), stored, "")
	k.wantAll(k.send(last), stored, "")
	k.wantThrough(3)
	if got := gaps(); got != "4-7 " {
		s.t.Errorf("gaps %q, want 4-7", got)
	}
	all, err := s.operations().ListSequenceGaps(admin, &pb.ListSequenceGapsRequest{})
	if err != nil || !slices.ContainsFunc(all.GetGaps(), func(gap *pb.SequenceGap) bool { return gap.GetDeviceId() == k.id }) {
		s.t.Errorf("gaps of all devices: %v, %v", all, err)
	}
	k.wantAll(k.send(skipped), stored, "")
	k.wantThrough(9)
	if got := gaps(); got != "" {
		s.t.Errorf("gaps %q after the batch came late", got)
	}
	s.summary(admin, k.unit, 9)
	// A rating must carry the sequence its place in the seal gives it: else a lost one could hide behind another.
	batch := k.seal(2)
	batch.First += 5
	k.wantAll(k.send(batch), rejected, "seal_sequence")
	k.wantThrough(9)
}
