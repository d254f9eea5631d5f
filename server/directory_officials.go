package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s directoryService) SetOfficialPhoto(ctx context.Context, request *pb.SetOfficialPhotoRequest) (*pb.Official, error) {
	if err := s.changingOfficial(ctx, request.GetOfficialId()); err != nil {
		return nil, err
	}
	changed, err := s.directory.SetPhoto(ctx, request.GetOfficialId(), request.GetImage())
	if err != nil {
		return nil, err
	}
	return changed.Proto(), nil
}

func (s directoryService) SetOfficialPin(ctx context.Context, request *pb.SetOfficialPinRequest) (*pb.Official, error) {
	id, pin := request.GetOfficialId(), request.GetPin()
	if err := s.changingOfficial(ctx, id); err != nil {
		return nil, err
	}
	hash := ""
	if pin != "" {
		if err := s.pinAlone(ctx, id, pin); err != nil {
			return nil, err
		}
		var err error
		if hash, err = s.accounts.HashPIN(ctx, pin); err != nil {
			return nil, err
		}
	}
	changed, err := s.directory.SetPIN(ctx, id, hash)
	if err != nil {
		return nil, err
	}
	return changed.Proto(), nil
}

// maxCompared bounds how many numbers of a unit a new one is compared with: each takes some 25 ms.
const maxCompared = 100

// pinAlone makes sure that no other open official of the unit signs in with the same number: a device knows an official by the
// number alone. Of two who set the same one in the same second both may get it; the device then takes the first by name.
func (s directoryService) pinAlone(ctx context.Context, id, pin string) error {
	official, _ := s.directory.Official(id)
	compared := 0
	for _, other := range s.directory.OfficialsOf(official.UnitID) {
		if other.ID == id || !other.Open() || other.PINHash == "" {
			continue
		}
		if compared++; compared > maxCompared {
			return nil
		}
		same, err := s.accounts.PINMatches(ctx, other.PINHash, pin)
		if err != nil {
			return err
		}
		if same {
			return fault.New(fault.Exists, "directory_pin_taken")
		}
	}
	return nil
}
