package ratingimport

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// rowID is the id of an imported rating.
type rowID [16]byte

// text is the id as a UUID in lower case.
func (id rowID) text() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// identityOf makes what names a row for ever: source and identity, each with its length so that no two can run together.
func identityOf(buffer []byte, source string, parts []string, line int64) []byte {
	buffer = append(buffer[:0], "hailong rating import 1"...)
	put := func(text string) {
		buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(text))) //nolint:gosec // records are limited
		buffer = append(buffer, text...)
	}
	put(source)
	if parts == nil {
		return binary.BigEndian.AppendUint64(append(buffer, 'L'), uint64(line)) //nolint:gosec // never negative
	}
	buffer = append(buffer, 'C')
	for _, part := range parts {
		put(part)
	}
	return buffer
}

// newRowID makes an id of UUID version 8 (RFC 9562, 5.8) from the identity alone. What the mapping makes of the row
// beside its identity, such as its time, has no part in it: a mapping that was corrected after an import meets the old rows as
// CONFLICT instead of storing every rating a second time. Where the line is the identity, it stands in the first 48 bits, so that
// neighbours in the file are neighbours in the store.
func newRowID(identity []byte, line int64, byLine bool) rowID {
	sum := sha256.Sum256(identity)
	var id rowID
	copy(id[:], sum[:])
	if byLine {
		var number [8]byte
		binary.BigEndian.PutUint64(number[:], uint64(line)) //nolint:gosec // never negative
		copy(id[:6], number[2:])
	}
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// saltOf makes the salt of a row's comment. It depends on the server's key, so that nobody who knows the file's other columns can
// try out words against the commitment of a comment that was erased.
func saltOf(key, identity []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("hailong rating import salt 1"))
	mac.Write(identity)
	return mac.Sum(nil)
}
