package server

import (
	"cmp"
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// citizenService answers what citizens need, who have no account.
type citizenService struct {
	pb.UnimplementedCitizenServiceServer
	*application
}

func (s citizenService) GetForm(ctx context.Context, request *pb.GetFormRequest) (*pb.GetFormResponse, error) {
	if err := s.gate.AllowForm(ctx, callerOf(ctx).Address); err != nil {
		return nil, err
	}
	response := &pb.GetFormResponse{WorkBits: uint32(s.gate.WorkBits)} //nolint:gosec // at most 256
	tree := s.directory.Tree()
	if counter, ok := s.counterAt(tree, request.GetPlace()); ok {
		response.UnitId, response.CounterId, response.CounterName = counter.UnitID, counter.ID, counter.Name
	} else {
		response.UnitId = placed(tree, request.GetPlace())
	}
	u, known := tree.Get(response.GetUnitId())
	era, there := u.At(tree.Today())
	if !known || !there {
		return nil, fault.New(fault.NotFound, "citizen_place_unknown")
	}
	response.UnitName = era.Name
	asked := s.asked()
	if asked == nil {
		return nil, fault.New(fault.Unavailable, "citizen_no_form")
	}
	response.Questionnaire = asked.ToProto()
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	response.RatingId = id.String()
	response.FormToken = s.gate.Issue(citizen.Form{Unit: response.GetUnitId(), Counter: response.GetCounterId(), Rating: response.GetRatingId()})
	done := []string{response.GetUnitId()}
	for _, above := range tree.Ancestors(response.GetUnitId()) {
		done = append(done, above.ID)
	}
	latest, err := s.remedies.Latest(ctx, done...)
	if err != nil {
		// What an office did is an encouragement; to say something must be possible without it.
		s.Logger.WarnContext(ctx, "a form is answered without remedies", "error", err)
	}
	for _, one := range latest {
		response.Remedies = append(response.Remedies, one.ForCitizens())
	}
	return response, nil
}

// asked is the newest version of the short form that is valid today; nil where there is none.
func (s citizenService) asked() *questionnaire.Questionnaire {
	today := s.directory.Tree().Today()
	var newest *questionnaire.Questionnaire
	for _, q := range s.directory.Questionnaires() { // by id and version
		if q.ID == s.gate.Questionnaire && q.ValidFrom <= today {
			newest = q
		}
	}
	return newest
}

// counterAt is the open counter that a form's address names: by its id, or as people type it, by its unit and the sign it bears there.
func (s citizenService) counterAt(tree *unit.Tree, place string) (directory.Counter, bool) {
	if counter, ok := s.directory.Counter(place); ok {
		return counter, counter.Open()
	}
	office, sign, typed := strings.Cut(place, "/")
	if !typed {
		return directory.Counter{}, false
	}
	var open []directory.Counter
	for _, counter := range s.directory.CountersOf(placed(tree, office)) {
		if counter.Open() {
			open = append(open, counter)
		}
	}
	return named(open, sign, func(c directory.Counter) string { return c.Code })
}

// placed is the id of the unit that a form's address names: by its id, or by its official code where one unit alone has it today.
func placed(tree *unit.Tree, place string) string {
	if _, known := tree.Get(place); known {
		return place
	}
	var coded []unit.Unit
	for _, id := range tree.IDs() {
		u, _ := tree.Get(id)
		if era, there := u.At(tree.Today()); there && strings.EqualFold(era.Code, place) {
			coded = append(coded, u)
		}
	}
	found, _ := named(coded, place, func(u unit.Unit) string { return u.Near(tree.Today()).Code })
	return cmp.Or(found.ID, place)
}

// named is the one among several that bears a name; where none does, the one that bears it in other capitals, because people type
// as they like. False where they are not told apart.
func named[T any](among []T, name string, of func(T) string) (found T, alone bool) {
	for _, same := range []func(string, string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		n := 0
		for _, one := range among {
			if same(of(one), name) {
				n++
				found = one
			}
		}
		if n == 1 {
			return found, true
		}
		var none T
		if found = none; n > 1 {
			break
		}
	}
	return found, false
}
