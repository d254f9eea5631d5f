package tally

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// StripKey names a strip: one unit, year and questionnaire version.
type StripKey struct {
	Year          int
	Unit          string
	Questionnaire string
	QVersion      int32
}

// SlotKey is one day (0 = 1 January) in one channel.
type SlotKey struct {
	Day     int
	Channel pb.Channel
}

// Slot is a day's counts in one channel. Its version is the sum over the day's hour cells, Epoch and Seen each for itself:
// whenever a cell of the leaf rises, either the sum of epochs grows, or it stays and the sum of Seen grows.
type Slot struct {
	Version
	Overall Counts
	Flagged uint32 // ratings in Overall that carry a doubt
}

// Strip is a unit's year: what ranks, trends and control charts read.
type Strip struct {
	Key   StripKey
	Slots map[SlotKey]Slot
}

// FacetKey names a facet document: one unit and month (yyyy-mm).
type FacetKey struct {
	Unit  string
	Month string
}

// Facet counts a unit's month by procedure, by official and by question, each for itself and never crossed.
type Facet struct {
	Key FacetKey
	Version
	Procedures map[string]Counts // by procedure code
	Officials  map[string]Counts // by official id
	Questions  map[string]Counts // by "questionnaire@version/question"
}
