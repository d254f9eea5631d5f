package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// configured is the configuration of a device as it holds now.
type configured struct {
	message    *pb.Configuration
	units      []string  // whose changes concern it
	until      time.Time // when a binding begins or ends next; zero = none does
	enrolments int64     // of the device, at that moment
}

// configure makes the configuration of a device: everything it works by, for ever without the network. What cannot be read now fails
// all of it, because a device that keeps what it has is better off than one told half. NotFound; Unauthenticated "device_revoked".
func (a *application) configure(ctx context.Context, deviceID string) (configured, error) {
	of, err := a.devices.Known(ctx, deviceID)
	if err != nil {
		return configured{}, err
	}
	if !of.RevokedAt.IsZero() {
		return configured{}, fault.New(fault.Unauthenticated, "device_revoked")
	}
	out := configured{enrolments: of.Enrolments, message: &pb.Configuration{
		DeviceId: of.ID, DeviceName: of.Name, Settings: of.Settings.Proto(), PublicUrl: a.PublicURL, ConsentVersion: citizen.ConsentVersion,
	}}
	if out.message.Questionnaires = a.askedBy(of.Settings); len(out.message.GetQuestionnaires()) == 0 {
		return configured{}, fault.New(fault.Unavailable, "device_no_questionnaire")
	}
	if err := a.configurePlaces(ctx, of, &out); err != nil {
		return configured{}, err
	}
	if err := a.configurePeople(ctx, &out); err != nil {
		return configured{}, err
	}
	out.message.Version, err = versionOf(out.message)
	return out, err
}

// versionOf names the content of a configuration that has no version yet.
func versionOf(message *pb.Configuration) (string, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16]), nil
}

// configurePlaces fills in the places a device may send for now, in the order of its bindings.
func (a *application) configurePlaces(ctx context.Context, of device.Device, out *configured) error {
	now, tree := a.Clock(), a.directory.Tree()
	remedies := map[string][]*pb.Remedy{}
	for _, binding := range of.Bindings {
		for _, turn := range []time.Time{binding.From, binding.To} {
			if turn.After(now) && (out.until.IsZero() || turn.Before(out.until)) {
				out.until = turn
			}
		}
		if !binding.Holds(binding.UnitID, binding.CounterID, now) {
			continue
		}
		unit, known := tree.Get(binding.UnitID)
		if !known {
			continue
		}
		place := &pb.ConfiguredPlace{UnitId: unit.ID, UnitName: unit.Near(tree.Today()).Name}
		if binding.CounterID != "" {
			counter, ok := a.directory.Counter(binding.CounterID)
			if !ok || !counter.Open() {
				continue // nobody is served there, and a rating would be refused
			}
			place.CounterId, place.CounterCode, place.CounterName = counter.ID, counter.Code, counter.Name
		}
		if slices.ContainsFunc(out.message.GetPlaces(), func(other *pb.ConfiguredPlace) bool {
			return other.GetUnitId() == place.GetUnitId() && other.GetCounterId() == place.GetCounterId()
		}) {
			continue
		}
		if !slices.Contains(out.units, unit.ID) {
			out.units = append(out.units, unit.ID)
			done := []string{unit.ID}
			for _, above := range tree.Ancestors(unit.ID) {
				done = append(done, above.ID)
			}
			latest, err := a.remedies.Latest(ctx, done...)
			if err != nil {
				return err
			}
			for _, one := range latest {
				remedies[unit.ID] = append(remedies[unit.ID], one.ForCitizens())
			}
		}
		place.Remedies = remedies[unit.ID]
		if a.PublicURL != "" {
			place.FormUrl = a.PublicURL + "/r/" + url.PathEscape(cmp.Or(place.GetCounterId(), place.GetUnitId()))
		}
		out.message.Places = append(out.message.Places, place)
	}
	return nil
}

// configurePeople fills in who may be on duty at the places, and when.
func (a *application) configurePeople(ctx context.Context, out *configured) error {
	for _, unit := range out.units {
		for _, official := range a.directory.OfficialsOf(unit) {
			if official.Open() {
				out.message.Officials = append(out.message.Officials, &pb.ConfiguredOfficial{
					Id: official.ID, UnitId: unit, Name: official.Name, Position: official.Position, PhotoVersion: official.Photo, PinHash: official.PINHash,
				})
			}
		}
	}
	duties, err := a.roster.Of(ctx, out.units...)
	for _, duty := range duties {
		if duty.GetCounterId() == "" || slices.ContainsFunc(out.message.GetPlaces(), func(place *pb.ConfiguredPlace) bool {
			return place.GetUnitId() == duty.GetUnitId() && (place.GetCounterId() == "" || place.GetCounterId() == duty.GetCounterId())
		}) {
			out.message.Duties = append(out.message.Duties, duty)
		}
	}
	return err
}

// askedBy are the versions of the questionnaire a device asks that are valid today or later: the one asked today, which is the
// newest whose first day has come, and newer ones.
func (a *application) askedBy(settings device.Settings) []*pb.Questionnaire {
	versions := a.versionsOf(cmp.Or(settings.Questionnaire, a.gate.Questionnaire))
	today := a.directory.Tree().Today()
	first := 0
	for i, q := range versions {
		if q.ValidFrom <= today {
			first = i
		}
	}
	var out []*pb.Questionnaire
	for _, q := range versions[first:] {
		out = append(out, q.ToProto())
	}
	return out
}

// versionsOf are the published versions of a questionnaire, in order.
func (a *application) versionsOf(id string) []*questionnaire.Questionnaire {
	var versions []*questionnaire.Questionnaire
	for _, q := range a.directory.Questionnaires() { // by id and version
		if q.ID == id {
			versions = append(versions, q)
		}
	}
	return versions
}

// itself checks that the caller is the device.
func itself(ctx context.Context, deviceID string) error {
	if caller := callerOf(ctx); caller.Kind != identity.CallerDevice || caller.DeviceID != deviceID {
		return fault.New(fault.Denied, "device_other")
	}
	return nil
}

func (s deviceService) GetConfiguration(ctx context.Context, request *pb.GetConfigurationRequest) (*pb.Configuration, error) {
	if err := itself(ctx, request.GetDeviceId()); err != nil {
		return nil, err
	}
	made, err := s.configure(ctx, request.GetDeviceId())
	if err != nil {
		return nil, err
	}
	return made.message, nil
}

func (s deviceService) GetOfficialPhoto(ctx context.Context, request *pb.GetOfficialPhotoRequest) (*pb.OfficialPhoto, error) {
	official, ok := s.directory.Official(request.GetOfficialId())
	shows, err := s.mayShow(ctx, official.UnitID)
	if err != nil {
		return nil, err
	}
	if !ok || !shows {
		return nil, fault.New(fault.NotFound, "directory_official_missing")
	}
	jpeg, version, err := s.directory.Photo(ctx, official.ID)
	if err != nil {
		return nil, err
	}
	return &pb.OfficialPhoto{Jpeg: jpeg, PhotoVersion: version}, nil
}

// mayShow tells whether the caller may see who serves in a unit: a device where it is bound now, an account within its scope.
func (a *application) mayShow(ctx context.Context, unitID string) (bool, error) {
	caller := callerOf(ctx)
	if caller.Kind != identity.CallerDevice {
		return a.within(unitID, identity.Scope(caller)), caller.Check(identity.ReadOfficials)
	}
	of, err := a.devices.Known(ctx, caller.DeviceID)
	now := a.Clock()
	return slices.ContainsFunc(of.Bindings, func(b device.Binding) bool { return b.Holds(unitID, b.CounterID, now) }), err
}
