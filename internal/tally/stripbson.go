package tally

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// stripDocument is a strip as it is stored. An engine may add fields of its own, such as a version "v".
type stripDocument struct {
	ID            string `bson:"_id"`
	Year          int32  `bson:"year"`
	Unit          string `bson:"unit"`
	Questionnaire string `bson:"questionnaire"`
	QVersion      int32  `bson:"version"`
	Slots         []byte `bson:"slots"`
	Months        []byte `bson:"months"`
}

// MarshalBSON writes {_id, year, unit, questionnaire, version, slots, months}, the last two packed (see pack.go).
func (s Strip) MarshalBSON() ([]byte, error) {
	return bson.Marshal(stripDocument{
		ID: s.Key.ID(), Year: int32(s.Key.Year), Unit: s.Key.Unit, Questionnaire: s.Key.Questionnaire, QVersion: s.Key.QVersion,
		Slots: s.slots, Months: s.months,
	})
}

// UnmarshalBSON reads a strip and checks its checksums. Fields it does not know are left aside.
func (s *Strip) UnmarshalBSON(data []byte) error {
	strip, err := ReadStrip(data)
	if err != nil {
		return err
	}
	own := make([]byte, 0, len(strip.slots)+len(strip.months)) // data is the decoder's
	own = append(append(own, strip.slots...), strip.months...)
	strip.slots, strip.months = own[:len(strip.slots):len(strip.slots)], own[len(strip.slots):]
	*s = strip
	return nil
}

// ReadStrip reads a stored strip without copying it, for reading thousands at once. The strip holds on to document, which must
// not change from then on.
func ReadStrip(document []byte) (Strip, error) {
	// By hand, because the driver's way through reflection takes several times as long as the sums that are wanted.
	elements, err := bson.Raw(document).Elements()
	if err != nil {
		return Strip{}, fmt.Errorf("strip: %w", err)
	}
	var id string
	var key StripKey
	var slots, months []byte
	all := 0
	for _, element := range elements {
		value := element.Value()
		var fine bool
		switch element.Key() {
		case "_id":
			id, fine = value.StringValueOK()
		case "year":
			key.Year, fine = whole(value)
		case "unit":
			key.Unit, fine = value.StringValueOK()
		case "questionnaire":
			key.Questionnaire, fine = value.StringValueOK()
		case "version":
			var version int
			version, fine = whole(value)
			key.QVersion = int32(version)
		case "slots":
			slots, fine = packed(value)
		case "months":
			months, fine = packed(value)
		default:
			continue
		}
		if !fine {
			return Strip{}, fmt.Errorf("strip %s: field %s is %s", id, element.Key(), value.Type)
		}
		all++
	}
	if all != 7 {
		return Strip{}, errors.New("strip " + id + ": a field is missing or stands twice")
	}
	if id != key.ID() {
		return Strip{}, fmt.Errorf("strip %s: holds %s", id, key.ID())
	}
	strip, err := unpackStrip(key, slots, months)
	if err != nil {
		return Strip{}, fmt.Errorf("strip %s: %w", id, err)
	}
	return strip, nil
}

// whole reads a number of 32 bits.
func whole(value bson.RawValue) (int, bool) {
	n, ok := value.AsInt64OK()
	return int(n), ok && int64(int32(n)) == n && value.Type != bson.TypeDouble
}

// packed reads bytes; null is none.
func packed(value bson.RawValue) ([]byte, bool) {
	if value.Type == bson.TypeNull {
		return nil, true
	}
	_, data, ok := value.BinaryOK()
	return data, ok
}
