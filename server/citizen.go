package server

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/citizen"
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
	response := &pb.GetFormResponse{UnitId: request.GetPlace(), WorkBits: uint32(s.gate.WorkBits)} //nolint:gosec // at most 256
	if counter, ok := s.directory.Counter(request.GetPlace()); ok && counter.Open() {
		response.UnitId, response.CounterId, response.CounterName = counter.UnitID, counter.ID, counter.Name
	}
	tree := s.directory.Tree()
	if response.GetCounterId() == "" {
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

// placed is the id of the unit that a form's address names: by its id, or by its official code where one unit alone has it today.
func placed(tree *unit.Tree, place string) string {
	if _, known := tree.Get(place); known {
		return place
	}
	found := ""
	for _, id := range tree.IDs() {
		u, _ := tree.Get(id)
		if era, there := u.At(tree.Today()); there && era.Code == place {
			if found != "" {
				return place // not told apart
			}
			found = id
		}
	}
	return cmp.Or(found, place)
}
