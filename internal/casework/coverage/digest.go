package coverage

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// digest is what is known of a leaf's dissatisfied ratings. Its Version is larger than another's of the same leaf where it was folded
// from more: Epoch is what the figures said of the leaf before its records were read, Seen how many those were.
type digest struct {
	ID            string `bson:"_id"` // LeafKey.ID(): a unit's period is one range
	tally.LeafKey `bson:",inline"`
	tally.Version `bson:",inline"`
	Home          string   `bson:"home"` // of the records
	Groups        []group  `bson:"g,omitempty"`
	Former        []former `bson:"f,omitempty"` // ratings that one of the groups' took the place of
}

// group are ratings that are alike in what requests ask about.
type group struct {
	Official string   `bson:"o,omitempty"`
	Reasons  []string `bson:"r,omitempty"` // question:choice, sorted
	Said     []string `bson:"s,omitempty"` // ids of ratings beside which something is kept apart: words, or who to call
	Bare     []string `bson:"b,omitempty"` // ids of the others
}

// former says under which id a rating that was corrected counts now.
type former struct {
	Was string `bson:"w"`
	Is  string `bson:"i"`
}

var digestKind = store.Define[digest]("dissatisfaction")

func (g *group) n() int { return len(g.Said) + len(g.Bare) }

func (d *digest) n() int {
	n := 0
	for i := range d.Groups {
		n += d.Groups[i].n()
	}
	return n
}

// traits are a group's as casework has them.
func (d *digest) traits(g *group) casework.Traits {
	return casework.Traits{Unit: d.Unit, Day: d.Day, Official: g.Official, Reasons: g.Reasons}
}

// Dissatisfied tells whether a score is that of a dissatisfied rating.
func Dissatisfied(score int32) bool { return score == 1 || score == 2 }

// fold makes a leaf's digest of the records of its cells. damaged is told of a cell that cannot be read; nothing in it counts, as in
// the figures.
func fold(key tally.LeafKey, epoch uint32, cells map[string][]rating.Record, form *questionnaire.Questionnaire, damaged func(error)) *digest {
	d := &digest{ID: key.ID(), LeafKey: key, Version: tally.Version{Epoch: epoch}}
	overall := ""
	if form != nil {
		if question, ok := form.Overall(); ok {
			overall = question.ID
		}
	}
	groups := map[string]*group{}
	for cell, records := range cells {
		d.Seen += uint32(len(records)) //nolint:gosec // records of one hour
		counting, err := tally.Counting(cell, records)
		if err != nil {
			damaged(err)
			continue
		}
		stands := map[string]string{} // the first of a chain of corrections → what stands
		firsts := firstOf(records)
		for _, record := range counting {
			if !Dissatisfied(record.Score) {
				continue
			}
			home, _, id := rating.SplitRecordID(record.ID)
			d.Home = home
			reasons := reasonsOf(record, overall)
			at := record.Official + "\x00" + strings.Join(reasons, "\x00")
			g := groups[at]
			if g == nil {
				g = &group{Official: record.Official, Reasons: reasons}
				groups[at] = g
			}
			if said(record) {
				g.Said = append(g.Said, id)
			} else {
				g.Bare = append(g.Bare, id)
			}
			if first, ok := firsts[id]; ok && (stands[first] == "" || id < stands[first]) {
				stands[first] = id
			}
		}
		for id, first := range firsts {
			if is := stands[first]; is != "" && is != id {
				d.Former = append(d.Former, former{id, is})
			}
		}
	}
	for _, at := range sortedKeys(groups) {
		g := groups[at]
		slices.Sort(g.Said)
		slices.Sort(g.Bare)
		d.Groups = append(d.Groups, *g)
	}
	slices.SortFunc(d.Former, func(a, b former) int { return cmp.Compare(a.Was, b.Was) })
	return d
}

// firstOf answers, of every rating of a cell that corrects another or was corrected, the id with which its chain of corrections began. A
// ring, which only a forger makes, begins with its least id.
func firstOf(records []rating.Record) map[string]string {
	revises := map[string]string{}
	for i := range records {
		if r := &records[i]; r.Kind == rating.KindRating && r.Revises != "" {
			if _, _, id := rating.SplitRecordID(r.ID); id != r.Revises {
				revises[id] = r.Revises
			}
		}
	}
	if len(revises) == 0 {
		return nil
	}
	firsts := map[string]string{}
	for id := range revises {
		path := []string{id}
		for {
			before, ok := revises[path[len(path)-1]]
			if !ok {
				break
			}
			if at := slices.Index(path, before); at >= 0 {
				path = append(path, slices.Min(path[at:]))
				break
			}
			path = append(path, before)
		}
		first := path[len(path)-1]
		firsts[id], firsts[first] = first, first
	}
	return firsts
}

// reasonsOf are the choices that were taken, without the buttons of the overall question, which say how and not why.
func reasonsOf(record *rating.Record, overall string) []string {
	var reasons []string
	for i, answer := range record.Answers {
		before := slices.ContainsFunc(record.Answers[:i], func(a rating.Answer) bool { return a.Question == answer.Question })
		if answer.Question == overall || before { // a question is answered once, as in the figures
			continue
		}
		for _, choice := range answer.Choices {
			reasons = append(reasons, answer.Question+":"+choice)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// said tells whether something is kept apart from a rating.
func said(record *rating.Record) bool {
	var r pb.Rating
	return proto.Unmarshal(record.Bytes, &r) == nil && len(r.GetPrivateCommitment()) > 0
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
