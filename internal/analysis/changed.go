package analysis

import (
	"bytes"
	"strings"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Topic is where the worker tells which units have new figures. A body names units, one a line.
const Topic = "figures"

// EncodeChanged writes units as bodies for Topic, each within the bus's limit.
func EncodeChanged(units []string) [][]byte {
	var bodies [][]byte
	var body bytes.Buffer
	for _, unit := range units {
		if body.Len()+1+len(unit) > bus.MaxBody {
			bodies = append(bodies, bytes.Clone(body.Bytes()))
			body.Reset()
		}
		if body.Len() > 0 {
			body.WriteByte('\n')
		}
		body.WriteString(unit)
	}
	if body.Len() > 0 {
		bodies = append(bodies, body.Bytes())
	}
	return bodies
}

// DecodeChanged reads the units of a body.
func DecodeChanged(body []byte) []string {
	if len(body) == 0 {
		return nil
	}
	return strings.Split(string(body), "\n")
}
