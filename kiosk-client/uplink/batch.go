package uplink

import (
	"crypto/rand"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Item is a rating as it was given, with what the person wrote.
type Item struct {
	Rating  *pb.Rating  // device_id, device_sequence and private_commitment are filled in
	Private *pb.Private // nil where there is none; a salt is filled in
}

// Batch is a run of ratings in the chain. It holds what must survive until the server acknowledged it; it is signed
// only when it is sent, so that it outlives a change of the key.
type Batch struct {
	First    uint64    // device_sequence of the first item
	Previous seal.Head // link before it
	Items    []*pb.SealedRating
}

// Seal gives ratings their sequences and places in the chain, in order, and keeps that durably before it answers: a
// sequence is never given twice, whatever happens to the batch. The ratings and privates are changed.
func (d *Device) Seal(items []Item) (Batch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now.DeviceID == "" {
		return Batch{}, ErrNotEnrolled
	}
	batch := Batch{First: d.now.Next, Previous: seal.Head(d.now.Head)}
	if len(items) == 0 {
		return batch, nil
	}
	for i, item := range items {
		item.Rating.DeviceId = d.now.DeviceID
		item.Rating.DeviceSequence = batch.First + uint64(i)
		item.Rating.PrivateCommitment = nil
		if rating.HasPrivate(item.Private) {
			if len(item.Private.GetSalt()) == 0 {
				item.Private.Salt = make([]byte, 16)
				_, _ = rand.Read(item.Private.Salt) // never fails
			}
			commitment, err := rating.Commitment(item.Private)
			if err != nil {
				return Batch{}, fmt.Errorf("commit to item %d: %w", i, err)
			}
			item.Rating.PrivateCommitment = commitment
		}
		encoded, err := proto.Marshal(item.Rating)
		if err != nil {
			return Batch{}, fmt.Errorf("encode item %d: %w", i, err)
		}
		batch.Items = append(batch.Items, &pb.SealedRating{Rating: encoded, Private: item.Private})
	}
	head := seal.Chain(batch.Previous, batch.bytes())
	next := d.now
	next.Next, next.Head = batch.First+uint64(len(items)), head[:]
	if err := d.save(next); err != nil {
		return Batch{}, err
	}
	return batch, nil
}

func (b Batch) bytes() [][]byte {
	items := make([][]byte, len(b.Items))
	for i, item := range b.Items {
		items[i] = item.GetRating()
	}
	return items
}

// Halves cuts a batch of at least two items into two that follow each other in the chain.
func (b Batch) Halves() (Batch, Batch) {
	middle := len(b.Items) / 2
	first := Batch{First: b.First, Previous: b.Previous, Items: b.Items[:middle]}
	return first, Batch{First: b.First + uint64(middle), Previous: seal.Chain(b.Previous, first.bytes()), Items: b.Items[middle:]}
}

// Request is the batch as it is sent, signed with the device's present key. ErrNotEnrolled.
func (d *Device) Request(batch Batch) (*pb.SubmitRatingsRequest, error) {
	id, key, err := d.signing()
	if err != nil {
		return nil, err
	}
	return &pb.SubmitRatingsRequest{Items: batch.Items, Seal: seal.Sign(key, id, batch.First, batch.Previous, batch.bytes())}, nil
}
