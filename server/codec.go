package server

import (
	"errors"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that is wrapped here
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// codec is the ordinary protobuf codec, but for batches of ratings: there an item that cannot be decoded (invalid UTF-8 in a
// comment, say) would fail the whole call before anyone could judge it alone. Such an item is handed on
// as an empty SealedRating that carries its bytes as an unknown field, which intake rejects into quarantine.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// unreadableField is a field number SealedRating does not have.
const unreadableField = 15

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	err := c.CodecV2.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	switch request := v.(type) {
	case *pb.SubmitRatingsRequest:
		items, seal, lenient := decodeBatch(data.Materialize())
		if lenient != nil {
			return err
		}
		request.Items, request.Seal = items, seal
		return nil
	case *pb.StreamRatingsRequest:
		items, seal, lenient := decodeBatch(data.Materialize())
		if lenient != nil {
			return err
		}
		request.Items, request.Seal = items, seal
		return nil
	}
	return err
}

// decodeBatch reads a batch item by item. Both requests have items as field 1 and the seal as field 2.
func decodeBatch(data []byte) ([]*pb.SealedRating, *pb.BatchSeal, error) {
	var items []*pb.SealedRating
	var seal *pb.BatchSeal
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		data = data[n:]
		if kind != protowire.BytesType || number > 2 {
			n = protowire.ConsumeFieldValue(number, kind, data)
			if n < 0 {
				return nil, nil, protowire.ParseError(n)
			}
			data = data[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		data = data[n:]
		if number == 2 {
			seal = new(pb.BatchSeal)
			if err := proto.Unmarshal(value, seal); err != nil {
				return nil, nil, err
			}
			continue
		}
		item := new(pb.SealedRating)
		if proto.Unmarshal(value, item) != nil {
			item = new(pb.SealedRating)
			raw := protowire.AppendTag(nil, unreadableField, protowire.BytesType)
			item.ProtoReflect().SetUnknown(protowire.AppendBytes(raw, value))
		}
		items = append(items, item)
	}
	if items == nil {
		return nil, nil, errors.New("no items")
	}
	return items, seal, nil
}
