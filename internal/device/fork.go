package device

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// A device's chain has one link a sequence. Two verified batches that put different links in one place part the chain: either two
// machines went on from copies of one disk, or one machine lost the end of its journal and went on from what it had left. All
// their ratings are stored, each under its own id, so nothing is lost; that it happened is seen by comparing the links at the ends of
// batches with those remembered. One machine parts once and then goes on in its new chain; two go on contradicting each other, and
// are told by parting again within partAgain. A copy that is far behind meets a remembered link within a few dozen ratings, because
// those further back are thinned out evenly.
const (
	linkSize   = 8 // bytes of a link that are remembered: enough to tell, and equal links are never taken for different ones
	placeSize  = 8 + linkSize
	maxPlaces  = 64
	lastPlaces = 32 // of them are the last ones, never thinned

	partAgain = 24 * time.Hour
)

// place is where a chain was seen to pass.
type place struct {
	sequence uint64
	link     [linkSize]byte
}

func placeOf(sequence uint64, link []byte) (place, bool) {
	if sequence == 0 || sequence > MaxSequence || len(link) != len(seal.Head{}) {
		return place{}, false
	}
	return place{sequence, [linkSize]byte(link)}, true
}

// places are in order of their sequences.
type places []place

func readPlaces(packed []byte) places {
	var all places
	for ; len(packed) >= placeSize; packed = packed[placeSize:] {
		all = append(all, place{binary.BigEndian.Uint64(packed), [linkSize]byte(packed[8:])})
	}
	return all
}

func (all places) pack() []byte {
	packed := make([]byte, 0, len(all)*placeSize)
	for _, p := range all {
		packed = append(binary.BigEndian.AppendUint64(packed, p.sequence), p.link[:]...)
	}
	return packed
}

// forks tells whether the chain was seen to pass elsewhere.
func (all places) forks(p place) bool {
	i, found := all.at(p.sequence)
	return found && !bytes.Equal(all[i].link[:], p.link[:])
}

func (all places) at(sequence uint64) (int, bool) {
	return slices.BinarySearchFunc(all, sequence, func(p place, sequence uint64) int { return cmp.Compare(p.sequence, sequence) })
}

// with takes in a place above all others; it says whether that was news. Places below tell nothing that is not known better.
func (all places) with(p place) (places, bool) {
	if len(all) > 0 && p.sequence <= all[len(all)-1].sequence {
		return all, false
	}
	all = append(all, p)
	if len(all) > maxPlaces {
		thinnest := 1
		for i := 1; i < len(all)-lastPlaces; i++ {
			if all[i+1].sequence-all[i-1].sequence < all[thinnest+1].sequence-all[thinnest-1].sequence {
				thinnest = i
			}
		}
		all = slices.Delete(all, thinnest, thinnest+1)
	}
	return all, true
}

// chained compares and keeps the ends of a verified batch; it says whether that was news.
func (p *progressDoc) chained(r received, now time.Time) (news bool) {
	if r.generation < p.Generation || len(r.ends) == 0 {
		return false
	}
	if r.generation > p.Generation { // enrolled anew: it may be another machine, whose chain begins elsewhere
		p.Generation, p.Places, p.PartedAt, p.ForkedAt, news = r.generation, nil, time.Time{}, time.Time{}, true
	}
	all := readPlaces(p.Places)
	if slices.ContainsFunc(r.ends, all.forks) {
		if p.ForkedAt.IsZero() && !p.PartedAt.IsZero() && now.Sub(p.PartedAt) < partAgain {
			p.ForkedAt = p.PartedAt
		}
		// Where the two parted is not known, so nothing that was remembered may be held against the one that goes on.
		p.PartedAt, all, news = now, nil, true
	}
	for _, end := range r.ends {
		var added bool
		all, added = all.with(end)
		news = news || added
	}
	p.Places = all.pack()
	return news
}

// forked tells whether two machines go on with the chain of this enrolment.
func (p *progressDoc) forked(generation int64) bool {
	return p.Generation == generation && !p.ForkedAt.IsZero()
}

// endsOf are the places at the ends of a batch.
func endsOf(s *pb.BatchSeal) []place {
	var ends []place
	if first := s.GetFirstSequence(); first > 1 {
		if before, ok := placeOf(first-1, s.GetPreviousHead()); ok {
			ends = append(ends, before)
		}
	}
	if last, ok := placeOf(s.GetLastSequence(), s.GetChainHead()); ok {
		ends = append(ends, last)
	}
	return ends
}

// lookWithin compares what lies between the ends of a verified batch with what this process remembers of the device, and has what
// differs judged like the ends, by what stands. It never refuses a batch: both copies' ratings are wanted.
func (d *Devices) lookWithin(ctx context.Context, deviceID string, generation int64, s *pb.BatchSeal, items [][]byte) error {
	known := d.progress.remembered(deviceID)
	if known.Generation != generation {
		return nil
	}
	link, done := seal.Head(s.GetPreviousHead()), 0
	for _, p := range readPlaces(known.Places) {
		if p.sequence < s.GetFirstSequence() || p.sequence >= s.GetLastSequence() {
			continue
		}
		upTo := int(p.sequence - s.GetFirstSequence() + 1) //nolint:gosec // less than the number of items
		link = seal.Chain(link, items[done:upTo])
		done = upTo
		if here, ok := placeOf(p.sequence, link[:]); ok && here != p {
			return d.passed(ctx, deviceID, received{ends: []place{here}, generation: generation})
		}
	}
	return nil
}

// passed keeps what arrived and where the chain passed.
func (d *Devices) passed(ctx context.Context, deviceID string, what received) error {
	stands, err := d.progress.record(ctx, deviceID, what)
	if err != nil {
		return typed("keep progress", err)
	}
	if len(what.ends) > 0 && stands.forked(what.generation) {
		d.cloned(ctx, deviceID, what.generation, stands.ForkedAt, SignForked)
	}
	return nil
}
