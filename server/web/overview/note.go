package overview

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// maxNote is how many letters a note may have.
const maxNote = 2000

// note records that a follow-up is known ("đã nắm").
func (p pages) note(v *web.Visit) error {
	// A browser ends lines with two letters and counts one.
	reason := norm.NFC.String(strings.ReplaceAll(v.Value("reason"), "\r\n", "\n"))
	switch letters := utf8.RuneCountInString(reason); {
	case letters == 0:
		return p.mendNote(v, reason, v.Text("overview.note_empty"))
	case letters > maxNote:
		return p.mendNote(v, reason, v.Text("overview.note_long", "limit", web.Count(v.Language, maxNote), "n", web.Count(v.Language, letters)))
	}
	_, err := v.Analytics.NoteFollowUp(v.Context(), &pb.NoteFollowUpRequest{
		UnitId: v.R.PathValue("unit"), From: v.Value("from"), To: v.Value("to"), Reason: reason,
	})
	if message, mendable := web.Message(err); err != nil && mendable {
		return p.mendNote(v, reason, message)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("overview.noted"))
	return v.Redirect(v.Value("back"))
}

// mendNote shows the follow-ups again, with what was typed and what is wrong with it. Where the unit is no follow-up any more it
// stands on top, so that what was typed is not lost.
func (p pages) mendNote(v *web.Visit, reason, problem string) error {
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.R.PathValue("unit")})
	if err != nil {
		return err
	}
	page, err := newFollowUps(v)
	if err != nil {
		return err
	}
	if page == nil {
		return web.ErrNotFound
	}
	if page.Found == nil { // the days are none that can be looked at, nor noted
		return v.RenderStatus(unprocessable, p.Pages, "follow-ups", page)
	}
	page.Back = v.Value("back")
	at := 0
	for at < len(page.List) && page.List[at].GetUnit().GetId() != unit.GetId() {
		at++
	}
	if at == len(page.List) {
		page.List, at = append([]followUp{page.show(v, &pb.FollowUp{Unit: unit})}, page.List...), 0
	}
	page.List[at].Reason, page.List[at].Problem = reason, problem
	return v.RenderStatus(unprocessable, p.Pages, "follow-ups", page)
}

// backToFollowUps is for the address of a note, where there is no page.
func (p pages) backToFollowUps(v *web.Visit) error { return v.Redirect("/follow-ups") }
