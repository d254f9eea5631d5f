package testengine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mongodbCommand runs one command on the database admin, without signing in. Three commands make a replica set with its
// first account; they need no driver, so that what only wants Redis does not build one.
func mongodbCommand(ctx context.Context, addr string, command bson.D) (bson.Raw, error) {
	const opMsg = 2013
	body, err := bson.Marshal(append(command, bson.E{Key: "$db", Value: "admin"}))
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))

	message := binary.LittleEndian.AppendUint32(nil, uint32(21+len(body)))
	message = binary.LittleEndian.AppendUint32(message, 1) // request
	message = binary.LittleEndian.AppendUint32(message, 0) // response to
	message = binary.LittleEndian.AppendUint32(message, opMsg)
	message = binary.LittleEndian.AppendUint32(message, 0) // flags
	message = append(append(message, 0), body...)          // a section with one document
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	head := make([]byte, 21)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(head)) - len(head)
	if size < 5 || size > 1<<20 {
		return nil, fmt.Errorf("mongod answers %d bytes", size)
	}
	answer := make(bson.Raw, size)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	if ok, _ := answer.Lookup("ok").AsInt64OK(); ok != 1 {
		text, _ := answer.Lookup("errmsg").StringValueOK()
		return nil, errors.New(text)
	}
	return answer, nil
}
