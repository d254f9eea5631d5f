package tally

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// leafDocument is a leaf as it is stored: real fields, so that an engine can guard and set one hour.
type leafDocument struct {
	ID            string          `bson:"_id"`
	Unit          string          `bson:"unit"`
	Day           string          `bson:"day"`
	Channel       int32           `bson:"channel"`
	Questionnaire string          `bson:"questionnaire"`
	QVersion      int32           `bson:"version"`
	Hours         map[string]Cell `bson:"h"`
}

// HourKey is an hour's field name in a leaf's "h": two digits.
func HourKey(hour int) string {
	if hour >= 0 && hour < 10 {
		return "0" + strconv.Itoa(hour)
	}
	return strconv.Itoa(hour)
}

// MarshalBSON writes {_id, unit, day, channel, questionnaire, version, h: {"05": {e, n, o, f, q, c}}}.
func (l Leaf) MarshalBSON() ([]byte, error) {
	document := leafDocument{
		ID: l.Key.ID(), Unit: l.Key.Unit, Day: string(l.Key.Day), Channel: int32(l.Key.Channel),
		Questionnaire: l.Key.Questionnaire, QVersion: l.Key.QVersion, Hours: make(map[string]Cell, len(l.Hours)),
	}
	for hour, cell := range l.Hours {
		if hour < 0 || hour > 23 {
			return nil, fmt.Errorf("leaf %s: hour %d", l.Key.ID(), hour)
		}
		document.Hours[HourKey(hour)] = cell
	}
	return bson.Marshal(document)
}

// UnmarshalBSON reads a leaf. Fields it does not know are left aside.
func (l *Leaf) UnmarshalBSON(data []byte) error {
	leaf, id, ok := readLeaf(data)
	if !ok {
		var err error
		if leaf, id, err = decodeLeaf(data); err != nil {
			return err
		}
	}
	if _, err := localday.Parse(string(leaf.Key.Day)); err != nil {
		return fmt.Errorf("leaf %s: %w", id, err)
	}
	if id != leaf.Key.ID() || leaf.Key.Channel < 0 {
		return fmt.Errorf("leaf %s: holds %s", id, leaf.Key.ID())
	}
	*l = leaf
	return nil
}

// decodeLeaf reads a leaf by the driver.
func decodeLeaf(data []byte) (Leaf, string, error) {
	var document leafDocument
	if err := bson.Unmarshal(data, &document); err != nil {
		return Leaf{}, "", fmt.Errorf("leaf: %w", err)
	}
	leaf := Leaf{
		Key: LeafKey{
			Unit: document.Unit, Day: localday.Day(document.Day), Channel: pb.Channel(document.Channel),
			Questionnaire: document.Questionnaire, QVersion: document.QVersion,
		},
		Hours: make(map[int]Cell, len(document.Hours)),
	}
	for key, cell := range document.Hours {
		hour, err := strconv.Atoi(key)
		if err != nil || hour < 0 || hour > 23 || HourKey(hour) != key {
			return Leaf{}, "", fmt.Errorf("leaf %s: hour %q", document.ID, key)
		}
		leaf.Hours[hour] = cell
	}
	return leaf, document.ID, nil
}

// facetDocument is a facet as it is stored. The counts are arrays in order of their keys: procedure codes hold
// dots, which field names should not.
type facetDocument struct {
	ID         string `bson:"_id"`
	Unit       string `bson:"unit"`
	Month      string `bson:"month"`
	Version    `bson:",inline"`
	Counters   []countsByKey `bson:"counters"` // missing in documents of before there were any
	Procedures []countsByKey `bson:"procedures"`
	Officials  []countsByKey `bson:"officials"`
	Questions  []countsByKey `bson:"questions"`
}

type countsByKey struct {
	Key    string `bson:"k"`
	Counts Counts `bson:"o"`
}

// MarshalBSON writes {_id, unit, month, e, n, counters: [{k, o}], procedures: [...], officials: [...], questions: [...]}.
func (f Facet) MarshalBSON() ([]byte, error) {
	return bson.Marshal(facetDocument{
		ID: f.Key.ID(), Unit: f.Key.Unit, Month: f.Key.Month, Version: f.Version,
		Counters: inOrder(f.Counters), Procedures: inOrder(f.Procedures), Officials: inOrder(f.Officials), Questions: inOrder(f.Questions),
	})
}

// UnmarshalBSON reads a facet. Fields it does not know are left aside.
func (f *Facet) UnmarshalBSON(data []byte) error {
	facet, id, ok := readFacet(data)
	if !ok {
		var err error
		if facet, id, err = decodeFacet(data); err != nil {
			return err
		}
	}
	if id != facet.Key.ID() {
		return fmt.Errorf("facet %s: holds %s", id, facet.Key.ID())
	}
	*f = facet
	return nil
}

// decodeFacet reads a facet by the driver.
func decodeFacet(data []byte) (Facet, string, error) {
	var document facetDocument
	if err := bson.Unmarshal(data, &document); err != nil {
		return Facet{}, "", fmt.Errorf("facet: %w", err)
	}
	return Facet{
		Key: FacetKey{Unit: document.Unit, Month: document.Month}, Version: document.Version,
		Counters: byKey(document.Counters), Procedures: byKey(document.Procedures),
		Officials: byKey(document.Officials), Questions: byKey(document.Questions),
	}, document.ID, nil
}

func inOrder(counts map[string]Counts) []countsByKey {
	list := make([]countsByKey, 0, len(counts))
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, countsByKey{key, counts[key]})
	}
	return list
}

func byKey(list []countsByKey) map[string]Counts {
	counts := make(map[string]Counts, len(list))
	for _, item := range list {
		counts[item.Key] = item.Counts
	}
	return counts
}
