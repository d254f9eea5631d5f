package server

import (
	"cmp"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/document/archive"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// prefilled is what is known of a paper about a case, in Vietnamese, whatever language the caller reads: the paper is Vietnamese. The
// head of the paper is that of the unit's last one, which somebody has set right.
func (s documentService) prefilled(c casebook.Kept, kind document.Kind, unitID string, last archive.Document) map[string]string {
	values := map[string]string{}
	for name, value := range s.letterhead(unitID) {
		values[name] = value
	}
	for _, name := range []string{"parent", "issuer", "organ", "place", "copies"} {
		if last.ID != "" {
			values[name] = last.Values[name]
		}
	}
	for name, value := range s.ofCase(c) {
		values[name] = value
	}
	switch kind {
	case document.CorrectionOrder:
		values["to"] = s.nameInText(cmp.Or(c.Assigned, c.About))
	case document.ExplanationReport:
		if c.Receiving != unitID {
			values["to"] = s.nameInText(c.Receiving)
		} else if above := s.directory.Tree().Ancestors(unitID); len(above) > 0 {
			values["to"] = s.nameInText(above[0].ID)
		}
	case document.Transfer:
		values["answer_to"] = values["issuer"]
	case document.ResultNotice, document.Apology, document.LateApology:
	}
	return values
}

func (s documentService) ofCase(c casebook.Kept) map[string]string {
	l := language.Vietnamese
	opened, _ := localday.Of(c.OpenedAt)
	values := map[string]string{
		"case_number": s.shownNumber(c.Number), "case_day": shownDay(opened), "case_title": lowerFirst(c.Title),
		"case_source": lowerFirst(l.Text("casework.source." + string(c.Source))), "dossier": c.Dossier, "procedure": s.procedureName(c.Procedure),
	}
	if c.Code != "" {
		values["case_code"] = c.Code.String()
	}
	if c.About != "" {
		values["about_unit"] = s.unitName(c.About)
	}
	if x, ok := c.Explanation(); ok {
		explained, _ := localday.Of(x.At)
		values["explained_day"] = shownDay(explained)
		values["cause"] = lowerFirst(l.Text("casework.cause." + string(x.Cause)))
		values["analysis"], values["remedy"] = x.Analysis, x.Remedy
		values["responsible"] = s.responsible(x)
		values["late_reason"] = x.Analysis
	}
	if c.Finding != "" {
		values["finding"] = lowerFirst(l.Text("document.finding." + string(c.Finding)))
	}
	for _, e := range c.History {
		switch e.Event.Name {
		case casework.Accept:
			values["accepted_day"] = shownDay(e.Day())
		case casework.Reply:
			values["reply"] = e.Event.Text
		case casework.PutOutOfScope:
			values["forward_to"], values["forward_reason"] = e.Event.Route.To, e.Event.Reason
		default:
		}
	}
	return values
}

// responsible names the officials an explanation names, or the unit as a whole.
func (s documentService) responsible(x casework.ExplainedBy) string {
	var names []string
	if x.Together {
		names = append(names, language.Vietnamese.Text("document.together", "unit", s.unitName(x.Unit)))
	}
	for _, id := range x.Responsible {
		if official, ok := s.directory.Official(id); ok {
			names = append(names, official.Name)
		}
	}
	return strings.Join(names, "; ")
}

func (s documentService) procedureName(code string) string {
	if code == "" {
		return ""
	}
	if procedure, ok := s.directory.Procedure(code); ok {
		return procedure.Name
	}
	return code
}

// letterhead guesses how an office writes its own name, from the tree of units: what a person sets right once, and later papers of the
// unit follow.
func (s documentService) letterhead(unitID string) map[string]string {
	tree := s.directory.Tree()
	u, ok := tree.Get(unitID)
	if !ok {
		return nil
	}
	now := u.Near(tree.Today())
	values := map[string]string{"issuer": s.nameInText(unitID), "place": s.placeOf(u)}
	if committee(now) {
		values["organ"] = language.Vietnamese.Text("document.committee_short")
		return values
	}
	values["organ"] = initials(now.Name)
	if above := tree.Ancestors(unitID); len(above) > 0 {
		values["parent"] = s.nameInText(above[0].ID)
	}
	return values
}

// committee tells that a unit is one that a people's committee governs and speaks for.
func committee(now unit.Era) bool { return now.Level == "province" || now.Level == "commune" }

// nameInText is how papers call a unit: of a province or commune, its committee.
func (a *application) nameInText(unitID string) string {
	tree := a.directory.Tree()
	u, ok := tree.Get(unitID)
	if !ok {
		return ""
	}
	if now := u.Near(tree.Today()); committee(now) {
		return language.Vietnamese.Text("document.committee", "unit", lowerFirst(now.Name))
	}
	return u.Near(tree.Today()).Name
}

// placeOf is where a paper is signed: the commune or province without what kind it is, "Đồi Nắng" of "Xã Đồi Nắng".
func (s documentService) placeOf(u unit.Unit) string {
	tree := s.directory.Tree()
	for _, one := range append([]unit.Unit{u}, tree.Ancestors(u.ID)...) {
		now := one.Near(tree.Today())
		if !committee(now) {
			continue
		}
		for kind := range strings.SplitSeq(language.Vietnamese.Text("document.place_kinds"), ",") {
			if rest, found := strings.CutPrefix(now.Name, kind+" "); found {
				return rest
			}
		}
		return now.Name
	}
	return ""
}

// initials are the first letters of a name's words: "STC" of "Sở Tài chính".
func initials(name string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(name) {
		if r, _ := utf8.DecodeRuneInString(word); unicode.IsLetter(r) && b.Len() < 20 {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// lowerFirst puts a text into the middle of a sentence; an abbreviation stays as it is.
func lowerFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if next, _ := utf8.DecodeRuneInString(text[size:]); unicode.IsUpper(next) {
		return text
	}
	return string(unicode.ToLower(first)) + text[size:]
}

func shownDay(day localday.Day) string {
	parts := strings.Split(string(day), "-")
	if len(parts) != 3 {
		return ""
	}
	return parts[2] + "/" + parts[1] + "/" + parts[0]
}

// prefillCitizen fills in who spoke, for a reason that the audit keeps, whatever came of it.
func (s documentService) prefillCitizen(ctx context.Context, c casebook.Kept, reason string, values map[string]string) (err error) {
	defer func() { s.revealedDocument(ctx, "PrepareDocument", c.ID, reason, err) }()
	if !s.mayKnowWho(callerOf(ctx), c) {
		return fault.New(fault.Denied, "action_denied")
	}
	if utf8.RuneCountInString(reason) < leastReason {
		return fault.New(fault.Invalid, "document_reveal_reason")
	}
	if err := s.mayDraw(ctx); err != nil {
		return err
	}
	contact, left, err := s.casebook.Contact(ctx, c.ID)
	if err == nil && left {
		values["citizen_name"], values["citizen_address"] = contact.Name, contact.Address
	}
	return err
}

// seesAction checks that the caller may see a corrective action.
func (s documentService) seesAction(ctx context.Context, id string) error {
	_, err := actionService{application: s.application}.readAction(ctx, id)
	return err
}

// prefillAction fills in the corrective action of a case that was ordered last, where there is one.
func (s documentService) prefillAction(ctx context.Context, caseID string, values map[string]string) error {
	list, _, err := s.actions.List(ctx, actions.Filter{Case: caseID}, "", 100)
	if err != nil {
		return err
	}
	var last actions.Kept
	for _, one := range list {
		if one.State != casework.ActionCancelled && one.History[0].At.After(last.ChangedAt) {
			last = one
			last.ChangedAt = one.History[0].At
		}
	}
	if last.ID == "" {
		return nil
	}
	values["action_product"], values["action_due"], values["action_owner"] = last.Product, shownDay(last.Due), s.unitName(last.Unit)
	if official, ok := s.directory.Official(last.Owner); ok {
		values["action_owner"] = official.Name + ", " + s.nameInText(last.Unit)
	}
	return nil
}
