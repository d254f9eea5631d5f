package device

import (
	"context"

	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// VerifySeal tells whether the device sealed exactly these items in this order with the key that is bound to it now. What
// is wrong is a *fault.Error with one of the reasons of package seal; Unavailable says nothing about the seal.
func (d *Devices) VerifySeal(ctx context.Context, deviceID string, s *pb.BatchSeal, items [][]byte) error {
	key, err := d.PublicKey(ctx, deviceID)
	if err != nil {
		return err
	}
	if err := seal.VerifySender(s, deviceID); err != nil {
		return err
	}
	return seal.Verify(key, s, items)
}

// Received keeps, durably before it answers nil, that these sequences of the device arrived (stored or in quarantine), and
// the link after the batch they came in, whose seal was verified. Calls at the same time share a write; order and
// repetition do not matter. Sequences above MaxSequence are not followed.
func (d *Devices) Received(ctx context.Context, deviceID string, sequences []uint64, s *pb.BatchSeal) error {
	what := received{spans: spansOf(sequences)}
	if link := s.GetChainHead(); len(link) == len(seal.Head{}) && s.GetLastSequence() > 0 {
		what.head = &Head{s.GetLastSequence(), seal.Head(link)}
	}
	return typed("keep progress", d.progress.record(ctx, deviceID, what))
}
