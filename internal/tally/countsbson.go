package tally

import (
	"encoding/binary"
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// MarshalBSONValue writes counts as an array of six integers, 32 bits wide where they fit, so that an engine can add
// them up with its own means.
func (c Counts) MarshalBSONValue() (byte, []byte, error) {
	b := make([]byte, 4, 4+len(c)*11+1)
	for i, n := range c {
		if n <= math.MaxInt32 {
			b = append(b, byte(bson.TypeInt32), '0'+byte(i), 0)
			b = binary.LittleEndian.AppendUint32(b, n)
		} else {
			b = append(b, byte(bson.TypeInt64), '0'+byte(i), 0)
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
	}
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return byte(bson.TypeArray), b, nil
}

// UnmarshalBSONValue reads an array of exactly six counts.
func (c *Counts) UnmarshalBSONValue(kind byte, data []byte) error {
	if bson.Type(kind) != bson.TypeArray {
		return fmt.Errorf("counts are %s, not an array", bson.Type(kind))
	}
	values, err := bson.RawArray(data).Values()
	if err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	if len(values) != len(c) {
		return fmt.Errorf("counts: %d of them", len(values))
	}
	for i, value := range values {
		n, ok := value.AsInt64OK()
		if !ok || n < 0 || n > math.MaxUint32 {
			return fmt.Errorf("counts: not a count: %s", value)
		}
		c[i] = uint32(n)
	}
	return nil
}
