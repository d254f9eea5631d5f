package seal_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func testKey(seed byte) ed25519.PrivateKey {
	s := make([]byte, ed25519.SeedSize)
	s[0] = seed
	return ed25519.NewKeyFromSeed(s)
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func threeItems() [][]byte { return [][]byte{[]byte("một"), []byte("hai"), []byte("ba")} }

// The signed bytes are a contract with devices in the field: they are written out here by hand.
func TestSigningBytesAreThoseOfTheContract(t *testing.T) {
	head, previous := sha256.Sum256([]byte("head")), sha256.Sum256([]byte("previous"))
	got := seal.SigningBytes(&pb.BatchSeal{DeviceId: "k1", FirstSequence: 258, LastSequence: 259,
		ChainHead: head[:], PreviousHead: previous[:]})
	want := hex.EncodeToString([]byte("hailong.v1.BatchSeal")) + "00" + "0000000000000002" + hex.EncodeToString([]byte("k1")) +
		"0000000000000102" + "0000000000000103" + hex.EncodeToString(previous[:]) + hex.EncodeToString(head[:])
	if hex.EncodeToString(got) != want {
		t.Errorf("signing bytes are %x, want %s", got, want)
	}
}

func TestChainIsLinkByLink(t *testing.T) {
	var zero seal.Head
	one := sha256.Sum256(append(zero[:], "một"...))
	two := sha256.Sum256(append(one[:], "hai"...))
	if got := seal.Chain(zero, threeItems()[:2]); got != two {
		t.Errorf("chain of two is %x, want %x", got, two)
	}
	if got := seal.Chain(one, nil); got != one {
		t.Errorf("chain of nothing is %x, want %x", got, one)
	}
}

func TestVerifyTellsWhatIsWrong(t *testing.T) {
	key, other := testKey(1), testKey(2)
	tests := []struct {
		name   string
		reason string
		change func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte)
	}{
		{"as sealed", "", nil},
		{"no seal", seal.Missing, func(_ *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) { return nil, items }},
		{"an empty seal", seal.Missing, func(_ *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			return &pb.BatchSeal{}, items
		}},
		{"another key's", seal.Forged, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.Signature = ed25519.Sign(other, seal.SigningBytes(s))
			return s, items
		}},
		{"a short signature", seal.Forged, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.Signature = s.Signature[:63]
			return s, items
		}},
		{"signed for another device", seal.Forged, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.DeviceId = "k2"
			return s, items
		}},
		{"numbers changed", seal.Forged, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.FirstSequence++
			s.LastSequence++
			return s, items
		}},
		{"heads of other lengths, signed", seal.Forged, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.ChainHead, s.PreviousHead = s.ChainHead[1:], append(s.PreviousHead, s.ChainHead[0])
			s.Signature = ed25519.Sign(key, seal.SigningBytes(s))
			return s, items
		}},
		{"an item left out", seal.WrongCount, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			return s, items[:2]
		}},
		{"no items", seal.WrongCount, func(s *pb.BatchSeal, _ [][]byte) (*pb.BatchSeal, [][]byte) { return s, nil }},
		{"no items, signed as wrapping round", seal.WrongCount, func(s *pb.BatchSeal, _ [][]byte) (*pb.BatchSeal, [][]byte) {
			s.FirstSequence, s.LastSequence = 1, 0
			s.Signature = ed25519.Sign(key, seal.SigningBytes(s))
			return s, nil
		}},
		{"from zero, signed", seal.WrongCount, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.FirstSequence, s.LastSequence = 0, 2
			s.Signature = ed25519.Sign(key, seal.SigningBytes(s))
			return s, items
		}},
		{"an item changed", seal.ChainBroken, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			items[1] = []byte("năm")
			return s, items
		}},
		{"items exchanged", seal.ChainBroken, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			items[0], items[1] = items[1], items[0]
			return s, items
		}},
		{"bytes moved between items", seal.ChainBroken, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			items[0], items[1] = append(items[0], items[1][0]), items[1][1:]
			return s, items
		}},
		{"another past, signed", seal.ChainBroken, func(s *pb.BatchSeal, items [][]byte) (*pb.BatchSeal, [][]byte) {
			s.PreviousHead = make([]byte, 32)
			s.PreviousHead[0] = 1
			s.Signature = ed25519.Sign(key, seal.SigningBytes(s))
			return s, items
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			items := threeItems()
			s := seal.Sign(key, "k1", 7, seal.Head{}, items)
			if test.change != nil {
				s, items = test.change(s, items)
			}
			err := seal.Verify(public(key), s, items)
			if test.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("accepted; want %s", test.reason)
			}
			if got := fault.Of(err); got.Reason != test.reason || got.Code != fault.Invalid {
				t.Errorf("refused as %v, want invalid: %s", err, test.reason)
			}
		})
	}
	if err := seal.Verify(nil, seal.Sign(key, "k1", 1, seal.Head{}, threeItems()), threeItems()); fault.Of(err).Reason != seal.Forged {
		t.Errorf("without a key: %v", err)
	}
}

// However a run is cut, each part verifies and the parts join: this is what a device does whose batch is too large.
func TestACutRunVerifiesPartByPart(t *testing.T) {
	key := testKey(1)
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 20).Draw(t, "items")
		whole := seal.Sign(key, "k1", 1, seal.Head{}, items)
		cut := rapid.IntRange(0, len(items)).Draw(t, "cut")
		var previous seal.Head
		first := uint64(1)
		for _, part := range [][][]byte{items[:cut], items[cut:]} {
			if len(part) == 0 {
				continue
			}
			s := seal.Sign(key, "k1", first, previous, part)
			if err := seal.Verify(public(key), s, part); err != nil {
				t.Fatal(err)
			}
			previous, first = seal.Head(s.GetChainHead()), s.GetLastSequence()+1
		}
		if string(previous[:]) != string(whole.GetChainHead()) || first != whole.GetLastSequence()+1 {
			t.Fatalf("the parts end at %x and %d, the whole at %v", previous, first, whole)
		}
	})
}

// No byte of a seal can be changed.
func TestNoBitOfASealMayChange(t *testing.T) {
	key := testKey(1)
	items := threeItems()
	encoded, err := proto.Marshal(seal.Sign(key, "k1", 1, seal.Head{}, items))
	if err != nil {
		t.Fatal(err)
	}
	whole := &pb.BatchSeal{}
	if err := proto.Unmarshal(encoded, whole); err != nil {
		t.Fatal(err)
	}
	for i := range encoded {
		for bit := range 8 {
			changed := append([]byte(nil), encoded...)
			changed[i] ^= 1 << bit
			s := &pb.BatchSeal{}
			if proto.Unmarshal(changed, s) != nil || proto.Equal(s, whole) {
				continue
			}
			if seal.Verify(public(key), s, items) == nil {
				t.Fatalf("accepted with bit %d of byte %d changed: %v", bit, i, s)
			}
		}
	}
}

func TestSenderAndSequence(t *testing.T) {
	s := seal.Sign(testKey(1), "k1", 7, seal.Head{}, threeItems())
	if err := seal.VerifySender(s, "k1"); err != nil {
		t.Error(err)
	}
	if err := seal.VerifySender(s, "k2"); fault.Of(err).Reason != seal.SignedByOther {
		t.Errorf("another device's seal: %v", err)
	}
	if err := seal.VerifySequence(s, 2, 9); err != nil {
		t.Error(err)
	}
	if err := seal.VerifySequence(s, 2, 8); fault.Of(err).Reason != seal.WrongSequence {
		t.Errorf("a wrong sequence: %v", err)
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	for _, reason := range []string{seal.Missing, seal.Forged, seal.WrongCount, seal.ChainBroken, seal.WrongSequence, seal.SignedByOther} {
		for _, l := range language.All {
			if key := "fault." + reason; l.Text(key) == key {
				t.Errorf("%s has no words for %s", l, key)
			}
		}
	}
}

func BenchmarkVerify100(b *testing.B) {
	key := testKey(1)
	items := make([][]byte, 100)
	for i := range items {
		items[i] = make([]byte, 250)
		items[i][0] = byte(i)
	}
	s := seal.Sign(key, "k1", 1, seal.Head{}, items)
	pub := public(key)
	b.ReportAllocs()
	for b.Loop() {
		if err := seal.Verify(pub, s, items); err != nil {
			b.Fatal(err)
		}
	}
}
