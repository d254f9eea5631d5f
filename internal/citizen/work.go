package citizen

import (
	"crypto/sha256"
	"math/bits"
	"strconv"
)

// maxProof is how long a proof may be: a number of any honest search.
const maxProof = 20

// Proves tells whether SHA-256(token || ":" || proof) begins with so many zero bits.
func Proves(token, proof string, zeros uint) bool {
	if proof == "" || len(proof) > maxProof {
		return false
	}
	return leading(sha256.Sum256([]byte(token+":"+proof))) >= zeros
}

// Work finds a proof for a token: 2^zeros tries on average. For programs that send ratings of their own accord, and tests.
func Work(token string, zeros uint) string {
	text := append([]byte(token), ':')
	for n := uint64(0); ; n++ {
		if leading(sha256.Sum256(strconv.AppendUint(text, n, 10))) >= zeros {
			return strconv.FormatUint(n, 10)
		}
	}
}

func leading(sum [sha256.Size]byte) uint {
	zeros := uint(0)
	for _, b := range sum {
		zeros += uint(bits.LeadingZeros8(b)) //nolint:gosec // 0 to 8
		if b != 0 {
			break
		}
	}
	return zeros
}
