// Package seal is how a device proves a run of ratings: each rating's bytes are linked to the one before, and only the
// last link is signed, because an Ed25519 check a rating would halve intake. Devices and the server share this package;
// it is pure.
package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Head is a link of a device's chain: what stands for a rating and all before it. The zero Head stands before a
// device's first rating.
type Head [sha256.Size]byte

// domain keeps a seal's signature from being taken for any other that the same key makes.
const domain = "hailong.v1.BatchSeal\x00"

// Chain links items, each the bytes of an encoded Rating, onto previous and answers the last link:
// link(n) = SHA-256(link(n-1) || item n). No items answer previous.
func Chain(previous Head, items [][]byte) Head {
	hash := sha256.New()
	for _, item := range items {
		hash.Reset()
		hash.Write(previous[:]) // a hash never fails to write
		hash.Write(item)
		hash.Sum(previous[:0])
	}
	return previous
}

// SigningBytes are the bytes a seal's signature covers, as BatchSeal in rating.proto lays down.
func SigningBytes(seal *pb.BatchSeal) []byte {
	device := seal.GetDeviceId()
	b := make([]byte, 0, len(domain)+8+len(device)+8+8+2*sha256.Size)
	b = append(b, domain...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(device)))
	b = append(b, device...)
	b = binary.BigEndian.AppendUint64(b, seal.GetFirstSequence())
	b = binary.BigEndian.AppendUint64(b, seal.GetLastSequence())
	b = append(b, seal.GetPreviousHead()...)
	return append(b, seal.GetChainHead()...)
}

// Sign seals items, whose first has the device's sequence first and whose last link before it is previous.
// There is at least one item.
func Sign(key ed25519.PrivateKey, deviceID string, first uint64, previous Head, items [][]byte) *pb.BatchSeal {
	head := Chain(previous, items)
	seal := &pb.BatchSeal{
		DeviceId:      deviceID,
		FirstSequence: first,
		LastSequence:  first + uint64(len(items)) - 1,
		PreviousHead:  previous[:],
		ChainHead:     head[:],
	}
	seal.Signature = ed25519.Sign(key, SigningBytes(seal))
	return seal
}

// The reasons a seal is refused for. All but SignedByOther are answered by Verify.
const (
	Missing       = "seal_missing"         // there is none, or it is not signed
	Forged        = "seal_forged"          // the signature is not that of the device's key over this seal
	WrongCount    = "seal_count"           // it speaks of another number of items than came
	ChainBroken   = "chain_broken"         // the items are not those that were sealed, or not in their order
	WrongSequence = "seal_sequence"        // an item's own sequence is not the one its place in the seal gives it
	SignedByOther = "seal_of_other_device" // it names another device than the one that sends
)

// Verify tells whether the seal was made by the owner of publicKey over exactly these items in this order. What is
// wrong is a *fault.Error, Invalid, with one of the reasons above. The device's id in the seal is signed but not
// judged: whose key publicKey is, the caller knows.
func Verify(publicKey ed25519.PublicKey, seal *pb.BatchSeal, items [][]byte) error {
	if seal == nil || len(seal.GetSignature()) == 0 {
		return fault.New(fault.Invalid, Missing)
	}
	// Lengths are judged first: with them fixed, no two seals have the same signing bytes.
	if len(publicKey) != ed25519.PublicKeySize || len(seal.GetPreviousHead()) != sha256.Size ||
		len(seal.GetChainHead()) != sha256.Size ||
		!ed25519.Verify(publicKey, SigningBytes(seal), seal.GetSignature()) {
		return fault.New(fault.Invalid, Forged)
	}
	first, last := seal.GetFirstSequence(), seal.GetLastSequence()
	if first == 0 || last < first || last-first != uint64(len(items))-1 || len(items) == 0 {
		return fault.New(fault.Invalid, WrongCount, "items", len(items), "first", first, "last", last)
	}
	head := Chain(Head(seal.GetPreviousHead()), items)
	if subtle.ConstantTimeCompare(head[:], seal.GetChainHead()) != 1 {
		return fault.New(fault.Invalid, ChainBroken)
	}
	return nil
}

// VerifySender tells whether the seal names the device that sends it; Denied otherwise.
func VerifySender(seal *pb.BatchSeal, deviceID string) error {
	if seal != nil && seal.GetDeviceId() != deviceID {
		return fault.New(fault.Denied, SignedByOther)
	}
	return nil
}

// VerifySequence tells whether the item at index (from 0) carries the sequence the seal gives that place.
func VerifySequence(seal *pb.BatchSeal, index int, sequence uint64) error {
	if want := seal.GetFirstSequence() + uint64(index); sequence != want {
		return fault.New(fault.Invalid, WrongSequence, "sequence", sequence, "expected", want)
	}
	return nil
}
