package coverage

import (
	"cmp"
	"net/http"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type notePage struct {
	Unit             *pb.Unit
	Scope            *pb.CaseScope
	ReasonText       string
	Official         string
	Ratings          []string // single ones, instead of a group
	ID, Back         string
	Reason, Problem  string
	From, To, Option string
}

// askNote is the page on which a group, or single ratings, are noted.
func (p pages) askNote(v *web.Visit) error { return p.noteForm(v, "", "", http.StatusOK) }

func (p pages) noteForm(v *web.Visit, reason, problem string, status int) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return web.ErrNotFound
	}
	id := v.Value("note")
	if uuid.Validate(id) != nil {
		made, err := uuid.NewV7()
		if err != nil {
			return err
		}
		id = made.String()
	}
	a := ask(v)
	shown := notePage{
		Unit: unit, ID: id, Back: v.Value("back"), Reason: reason, Problem: problem, From: a.From, To: a.To, Ratings: v.Values("rating"),
		Scope: &pb.CaseScope{UnitId: unit.GetId(), From: a.From, To: a.To, Reason: v.Value("reason"), OfficialId: v.Value("official")},
	}
	if len(shown.Ratings) == 0 {
		// The words of a reason and the name of an official are those of the pile.
		piles, err := v.Coverage.ListUncoveredPiles(v.Context(), &pb.ListUncoveredPilesRequest{UnitId: unit.GetId(), From: a.From, To: a.To, PageSize: 500})
		if message, mendable := web.Message(err); err != nil && mendable {
			shown.Problem = cmp.Or(problem, message)
			status = http.StatusUnprocessableEntity
		} else if err != nil {
			return err
		}
		for _, pile := range piles.GetPiles() {
			if s := pile.GetScope(); s.GetUnitId() == unit.GetId() && s.GetReason() == shown.Scope.GetReason() && s.GetOfficialId() == shown.Scope.GetOfficialId() {
				shown.ReasonText, shown.Official = pile.GetReasonText(), pile.GetOfficialName()
			}
		}
		shown.ReasonText, shown.Official = cmp.Or(shown.ReasonText, shown.Scope.GetReason()), cmp.Or(shown.Official, shown.Scope.GetOfficialId())
	}
	return v.RenderStatus(status, p.Pages, "note", shown)
}

// note keeps a note.
func (p pages) note(v *web.Visit) error {
	a, why := ask(v), v.Value("why")
	if why == "" {
		return p.noteForm(v, why, v.Text("coveragepage.note_empty"), http.StatusUnprocessableEntity)
	}
	request := &pb.NoteRatingsRequest{UnitId: a.Unit, NoteId: v.Value("note"), Reason: why, From: a.From, To: a.To, RatingIds: v.Values("rating")}
	if len(request.GetRatingIds()) == 0 {
		request.Scope = &pb.CaseScope{UnitId: a.Unit, From: a.From, To: a.To, Reason: v.Value("reason"), OfficialId: v.Value("official")}
	}
	kept, err := v.Coverage.NoteRatings(v.Context(), request)
	if message, mendable := web.Message(err); err != nil && mendable {
		return p.noteForm(v, why, message, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("coveragepage.note_kept", "n", web.Count(v.Language, kept.GetN())))
	if back := v.Value("back"); back != "" {
		return v.Redirect(back)
	}
	return v.Redirect(asked{Unit: a.Unit}.Link("/coverage"))
}

type notesPage struct {
	Asked   asked
	Unit    *pb.Unit
	Notes   []*pb.RatingNote
	Next    string
	MayNote bool
}

// notes lists what was noted.
func (p pages) notes(v *web.Visit) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return web.ErrNotFound
	}
	shown := notesPage{Asked: asked{Unit: unit.GetId()}, Unit: unit, MayNote: v.May("note_ratings")}
	list, err := v.Coverage.ListRatingNotes(v.Context(), &pb.ListRatingNotesRequest{UnitId: unit.GetId(), PageSize: 30, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	shown.Notes = list.GetNotes()
	if list.GetNextPageToken() != "" {
		shown.Next = shown.Asked.Link("/coverage/notes", "page", list.GetNextPageToken())
	}
	return v.Render(p.Pages, "notes", shown)
}

type withdrawPage struct{ Note, Unit, Reason, Problem string }

func (p pages) askWithdraw(v *web.Visit) error {
	return v.Render(p.Pages, "withdraw", withdrawPage{Note: v.R.PathValue("note"), Unit: v.Value("unit")})
}

// withdraw takes a note back.
func (p pages) withdraw(v *web.Visit) error {
	again := withdrawPage{Note: v.R.PathValue("note"), Unit: v.Value("unit"), Reason: v.Value("why")}
	if again.Reason == "" {
		again.Problem = v.Text("coveragepage.note_empty")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "withdraw", again)
	}
	_, err := v.Coverage.WithdrawRatingNote(v.Context(), &pb.WithdrawRatingNoteRequest{NoteId: again.Note, Reason: again.Reason})
	if message, mendable := web.Message(err); err != nil && mendable {
		again.Problem = message
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "withdraw", again)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("coveragepage.withdrawn"))
	return v.Redirect(asked{Unit: again.Unit}.Link("/coverage/notes"))
}
