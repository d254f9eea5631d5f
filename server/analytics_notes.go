package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/followup"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// notesShown is how many notes a follow-up is shown with.
const notesShown = 5

func (s analyticsService) NoteFollowUp(ctx context.Context, request *pb.NoteFollowUpRequest) (*pb.FollowUpNote, error) {
	if err := s.mayRead(ctx, identity.NoteFollowUps, request.GetUnitId()); err != nil {
		return nil, err
	}
	if _, ok := s.directory.Tree().Get(request.GetUnitId()); !ok { // whoever may act everywhere is within everything
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
	}
	caller := callerOf(ctx)
	note, err := s.followUps.Add(ctx, followup.Note{
		UnitID: request.GetUnitId(), From: localday.Day(request.GetFrom()), To: localday.Day(request.GetTo()),
		Reason: request.GetReason(), AccountID: caller.AccountID, NotedBy: caller.Name,
	})
	if err != nil {
		return nil, err
	}
	return noteProto(note), nil
}

// notes are what was noted about a unit over days that overlap a period, newest first.
func (s analyticsService) notes(ctx context.Context, unitID string, from, to localday.Day) ([]*pb.FollowUpNote, error) {
	found, err := s.followUps.Of(ctx, unitID, from, to, notesShown)
	if err != nil {
		return nil, err
	}
	var notes []*pb.FollowUpNote
	for _, note := range found {
		notes = append(notes, noteProto(note))
	}
	return notes, nil
}

func noteProto(note followup.Note) *pb.FollowUpNote {
	return &pb.FollowUpNote{
		Id: note.ID, UnitId: note.UnitID, From: string(note.From), To: string(note.To), Reason: note.Reason,
		NotedBy: note.NotedBy, NotedAt: timestamp(note.NotedAt),
	}
}
