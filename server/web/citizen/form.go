package citizen

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// place is where a page stands: what it links to and sends to.
type place struct {
	Base  string // "/r/ID" or "/r/UNIT/SIGN", and "/embed" after it in a frame
	Embed bool   // within a page of the office
	Lang  string
}

func placeOf(v *web.Visit) place {
	p := place{Base: "/r/" + url.PathEscape(v.R.PathValue("place")), Lang: string(v.Language)}
	if counter := v.R.PathValue("counter"); counter != "" {
		p.Base += "/" + url.PathEscape(counter)
	}
	if strings.Contains(v.R.Pattern, "/embed") {
		p.Base, p.Embed = p.Base+"/embed", true
	}
	return p
}

// named is what an address calls its place.
func named(v *web.Visit) string {
	if counter := v.R.PathValue("counter"); counter != "" {
		return v.R.PathValue("place") + "/" + counter
	}
	return v.R.PathValue("place")
}

// formPage is the form, empty or with what was given before.
type formPage struct {
	place
	Office   string
	Counter  string
	Hidden   []web.Field // what binds the form: rating, token, questionnaire
	Question string
	Faces    []face
	Reasons  *reasons // nil = not asked
	Words    string   // the label of the comment
	Given    given
	Notice   string // why the page is shown again though nothing is wrong with what was written
	Problems []problem
}

// face is one of the answers to the one question.
type face struct {
	ID      string
	Score   int32
	Words   string
	Checked bool
}

type reasons struct {
	Words string
	Boxes []box
}

type box struct {
	ID      string
	Words   string
	Checked bool
}

// problem is what is wrong with a field.
type problem struct{ Field, Words string }

// Problem is what is wrong with a field; "" = nothing.
func (p formPage) Problem(field string) string {
	for _, one := range p.Problems {
		if one.Field == field {
			return one.Words
		}
	}
	return ""
}

// asked is what the form asks: of the questionnaire, what fits the page.
type asked struct {
	key     string // id@version
	overall *pb.Question
	reasons *pb.Question // nil = none
	words   *pb.Question // nil = none
}

func askedBy(form *pb.GetFormResponse) asked {
	q := form.GetQuestionnaire()
	a := asked{key: fmt.Sprintf("%s@%d", q.GetId(), q.GetVersion())}
	for _, question := range q.GetQuestions() {
		switch {
		case question.GetOverall():
			a.overall = question
		case question.GetKind() == "choices" && a.reasons == nil:
			a.reasons = question
		case question.GetKind() == "text" && a.words == nil:
			a.words = question
		}
	}
	return a
}

// content is up to where somebody is asked no reasons: 4 and 5.
const content = 4

// faces are the answers in the order the questionnaire shows them.
func (a asked) faces(v *web.Visit, chosen string) []face {
	var all []face
	for _, choice := range a.overall.GetChoices() {
		all = append(all, face{choice.GetId(), choice.GetScore(), web.Local(v.Language, choice.GetTexts()), choice.GetId() == chosen})
	}
	if len(all) == 0 { // a scale without words of its own
		for score := int32(5); score >= 1; score-- {
			id := fmt.Sprint(score)
			all = append(all, face{id, score, v.Text("web.score." + id), id == chosen})
		}
	}
	return all
}

func newFormPage(v *web.Visit, form *pb.GetFormResponse, g given) formPage {
	a := askedBy(form)
	page := formPage{
		place: placeOf(v), Office: form.GetUnitName(), Counter: form.GetCounterName(), Given: g,
		Question: web.Local(v.Language, a.overall.GetTexts()), Faces: a.faces(v, g.Score), Words: v.Text("citizenpage.comment"),
		Hidden: []web.Field{{Name: "rating_id", Value: form.GetRatingId()}, {Name: "form_token", Value: form.GetFormToken()}, {Name: "questionnaire", Value: a.key}},
	}
	if a.words != nil {
		page.Words = web.Local(v.Language, a.words.GetTexts())
	}
	if a.reasons != nil {
		page.Reasons = &reasons{Words: web.Local(v.Language, a.reasons.GetTexts())}
		for _, choice := range a.reasons.GetChoices() {
			page.Reasons.Boxes = append(page.Reasons.Boxes, box{
				choice.GetId(), web.Local(v.Language, choice.GetTexts()), slices.Contains(g.Reasons, choice.GetId()),
			})
		}
	}
	return page
}
