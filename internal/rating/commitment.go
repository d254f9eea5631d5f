package rating

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// HasPrivate tells whether there is anything to keep apart.
func HasPrivate(p *pb.Private) bool {
	return p.GetComment() != "" || p.GetContact() != nil
}

// Commitment is what a rating holds of its Private: SHA-256(salt || encoded Private without salt). Erasing the
// Private leaves the rating, and its place in a hash chain, as they were; the salt makes the words unguessable from it.
func Commitment(p *pb.Private) ([]byte, error) {
	bare := proto.CloneOf(p)
	salt := bare.GetSalt()
	bare.Salt = nil
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("encode private: %w", err)
	}
	hash := sha256.New()
	hash.Write(salt)
	hash.Write(encoded)
	return hash.Sum(nil), nil
}
