package device

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// VerifySeal tells whether the device sealed exactly these items in this order with the key that is bound to it now. What
// is wrong is a *fault.Error with one of the reasons of package seal; Unavailable says nothing about the seal. Whether the batch
// continues the chain is not judged here: a batch of a copy is as true as the original's.
func (d *Devices) VerifySeal(ctx context.Context, deviceID string, s *pb.BatchSeal, items [][]byte) error {
	doc, err := d.recall(ctx, deviceID)
	if err != nil {
		return err
	}
	key, ok := doc.key()
	if !ok {
		return fault.New(fault.Unauthenticated, "device_not_enrolled")
	}
	if err := seal.VerifySender(s, deviceID); err != nil {
		return err
	}
	if err := seal.Verify(key, s, items); err != nil {
		return err
	}
	return d.lookWithin(ctx, deviceID, doc.Generation, s, items)
}

// Received keeps, durably before it answers nil, that these sequences of the device arrived (stored or in quarantine), and
// the link after the batch they came in, whose seal was verified. Calls at the same time share a write; order and
// repetition do not matter. Sequences above MaxSequence are not followed.
func (d *Devices) Received(ctx context.Context, deviceID string, sequences []uint64, s *pb.BatchSeal) error {
	what := received{spans: spansOf(sequences), ends: endsOf(s)}
	if len(what.ends) > 0 {
		doc, err := d.recall(ctx, deviceID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		what.generation = doc.Generation
	}
	if link := s.GetChainHead(); len(link) == len(seal.Head{}) && s.GetLastSequence() > 0 {
		what.head = &Head{s.GetLastSequence(), seal.Head(link)}
	}
	return d.passed(ctx, deviceID, what)
}
