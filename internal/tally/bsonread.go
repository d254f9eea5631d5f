package tally

import (
	"encoding/binary"
	"math"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Leaves and facets are read by the ten thousand, and the driver's way through reflection takes ten to twenty times as long as the
// reading itself. So documents as MarshalBSON writes them are read by hand; whatever looks different in any way (a field twice, a
// number of another type) is left to the driver, which says what is wrong with it, if anything is.

// elements walks the elements of a BSON document or array.
type elements struct {
	rest []byte
	odd  bool // something here is not as MarshalBSON writes it
	kind bson.Type
	key  []byte
	data []byte // the value, without its type
}

// open begins to walk a document: its length, elements, a zero byte.
func open(document []byte) elements {
	size := len(document)
	if size < 5 || binary.LittleEndian.Uint32(document) != uint32(size) || document[size-1] != 0 {
		return elements{odd: true}
	}
	return elements{rest: document[4 : size-1]}
}

// next moves on; false at the end or where e is odd.
func (e *elements) next() bool {
	if e.odd || len(e.rest) == 0 {
		return false
	}
	e.kind = bson.Type(e.rest[0])
	end := 1
	for end < len(e.rest) && e.rest[end] != 0 {
		end++
	}
	if end == len(e.rest) {
		return e.fail()
	}
	e.key, e.rest = e.rest[1:end], e.rest[end+1:]
	var size uint64
	switch e.kind {
	case bson.TypeInt32:
		size = 4
	case bson.TypeInt64:
		size = 8
	case bson.TypeString, bson.TypeEmbeddedDocument, bson.TypeArray:
		if len(e.rest) < 4 {
			return e.fail()
		}
		size = uint64(binary.LittleEndian.Uint32(e.rest))
		if e.kind == bson.TypeString {
			size += 4
		}
	default:
		return e.fail()
	}
	if size > uint64(len(e.rest)) {
		return e.fail()
	}
	e.data, e.rest = e.rest[:size], e.rest[size:]
	return true
}

func (e *elements) fail() bool {
	e.odd = true
	return false
}

// number reads a whole number of 32 bits, signed or not.
func (e *elements) number(low, high int64) int64 {
	var n int64
	switch e.kind {
	case bson.TypeInt32:
		n = int64(int32(binary.LittleEndian.Uint32(e.data))) //nolint:gosec // the bits of a signed number
	case bson.TypeInt64:
		n = int64(binary.LittleEndian.Uint64(e.data)) //nolint:gosec // the bits of a signed number
	default:
		e.odd = true
	}
	if n < low || n > high {
		e.odd = true
		return 0
	}
	return n
}

func (e *elements) count() uint32 { return uint32(e.number(0, math.MaxUint32)) }

func (e *elements) signed() int32 { return int32(e.number(math.MinInt32, math.MaxInt32)) }

func (e *elements) text() string {
	if e.kind != bson.TypeString || len(e.data) < 5 || e.data[len(e.data)-1] != 0 {
		e.odd = true
		return ""
	}
	return string(e.data[4 : len(e.data)-1])
}

// inner begins to walk a document or array within.
func (e *elements) inner(kind bson.Type) elements {
	if e.kind != kind {
		return elements{odd: true}
	}
	return open(e.data)
}

// done tells whether all of an inner document was read and nothing of it was odd.
func (e *elements) done(inner elements) {
	if inner.odd {
		e.odd = true
	}
}

// counts reads an array of six counts.
func (e *elements) counts() (counts Counts) {
	inner := e.inner(bson.TypeArray)
	n := 0
	for inner.next() {
		if n == len(counts) {
			inner.odd = true
			break
		}
		counts[n] = inner.count()
		n++
	}
	if n != len(counts) {
		inner.odd = true
	}
	e.done(inner)
	return counts
}

// once notes that a field was met; a second time is odd.
func (e *elements) once(met *uint, field uint) {
	if *met&(1<<field) != 0 {
		e.odd = true
	}
	*met |= 1 << field
}

// readLeaf reads a leaf; false leaves it to the driver.
func readLeaf(document []byte) (leaf Leaf, id string, ok bool) {
	e := open(document)
	var met uint
	for e.next() {
		switch string(e.key) {
		case "_id":
			e.once(&met, 0)
			id = e.text()
		case "unit":
			e.once(&met, 1)
			leaf.Key.Unit = e.text()
		case "day":
			e.once(&met, 2)
			leaf.Key.Day = localday.Day(e.text())
		case "channel":
			e.once(&met, 3)
			leaf.Key.Channel = pb.Channel(e.signed())
		case "questionnaire":
			e.once(&met, 4)
			leaf.Key.Questionnaire = e.text()
		case "version":
			e.once(&met, 5)
			leaf.Key.QVersion = e.signed()
		case "h":
			e.once(&met, 6)
			leaf.Hours = e.hours()
		}
	}
	return leaf, id, !e.odd && met == 1<<7-1
}

func (e *elements) hours() map[int]Cell {
	hours := make(map[int]Cell, 12)
	inner := e.inner(bson.TypeEmbeddedDocument)
	for inner.next() {
		if len(inner.key) != 2 || inner.key[0] < '0' || inner.key[0] > '2' || inner.key[1] < '0' || inner.key[1] > '9' {
			inner.odd = true
			break
		}
		hour := int(inner.key[0]-'0')*10 + int(inner.key[1]-'0')
		if _, twice := hours[hour]; twice || hour > 23 {
			inner.odd = true
			break
		}
		hours[hour] = inner.cell()
	}
	e.done(inner)
	return hours
}

func (e *elements) cell() (cell Cell) {
	inner := e.inner(bson.TypeEmbeddedDocument)
	var met uint
	for inner.next() {
		switch string(inner.key) {
		case "e":
			inner.once(&met, 0)
			cell.Epoch = inner.count()
		case "n":
			inner.once(&met, 1)
			cell.Seen = inner.count()
		case "o":
			inner.once(&met, 2)
			cell.Overall = inner.counts()
		case "f":
			inner.once(&met, 3)
			cell.Flagged = inner.counts()
		case "q":
			inner.once(&met, 4)
			cell.Questions = map[string]Counts{}
			questions := inner.inner(bson.TypeEmbeddedDocument)
			for questions.next() {
				cell.Questions[string(questions.key)] = questions.counts()
			}
			inner.done(questions)
		case "c":
			inner.once(&met, 5)
			cell.Choices = map[string]uint32{}
			choices := inner.inner(bson.TypeEmbeddedDocument)
			for choices.next() {
				cell.Choices[string(choices.key)] = choices.count()
			}
			inner.done(choices)
		}
	}
	e.done(inner)
	return cell
}

// readFacet reads a facet; false leaves it to the driver.
func readFacet(document []byte) (facet Facet, id string, ok bool) {
	e := open(document)
	var met uint
	for e.next() {
		switch string(e.key) {
		case "_id":
			e.once(&met, 0)
			id = e.text()
		case "unit":
			e.once(&met, 1)
			facet.Key.Unit = e.text()
		case "month":
			e.once(&met, 2)
			facet.Key.Month = e.text()
		case "e":
			e.once(&met, 3)
			facet.Epoch = e.count()
		case "n":
			e.once(&met, 4)
			facet.Seen = e.count()
		case "procedures":
			e.once(&met, 5)
			facet.Procedures = e.byKey()
		case "officials":
			e.once(&met, 6)
			facet.Officials = e.byKey()
		case "questions":
			e.once(&met, 7)
			facet.Questions = e.byKey()
		case "counters":
			e.once(&met, 8)
			facet.Counters = e.byKey()
		}
	}
	if facet.Counters == nil {
		facet.Counters = map[string]Counts{} // of before there were any
	}
	return facet, id, !e.odd && met&(1<<8-1) == 1<<8-1
}

// byKey reads an array of {k, o}.
func (e *elements) byKey() map[string]Counts {
	counts := map[string]Counts{}
	list := e.inner(bson.TypeArray)
	for list.next() {
		item := list.inner(bson.TypeEmbeddedDocument)
		var met uint
		var key string
		var of Counts
		for item.next() {
			switch string(item.key) {
			case "k":
				item.once(&met, 0)
				key = item.text()
			case "o":
				item.once(&met, 1)
				of = item.counts()
			}
		}
		if met != 3 {
			item.odd = true
		}
		list.done(item)
		counts[key] = of
	}
	e.done(list)
	return counts
}
