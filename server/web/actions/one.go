package actions

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// actionPage is an action on one screen.
type actionPage struct {
	*pb.Action
	Link    string
	Clock   *clock
	Clocks  []*clock
	Files   []attachment
	Cases   []caseLink
	Steps   []step
	Choices []*choice
	More    []*choice // what is seldom done
	Problem string
	Lost    []web.Field // what was typed for something that cannot be done any more

	answer *pb.GetActionResponse
	v      *web.Visit
}

type caseLink struct {
	*pb.Case
	Link string
}

// step is one line of what happened.
type step struct {
	*pb.ActionEntry
	What, Who, Unit string
	Moved           bool // it led to another state
}

// choice is something the visitor may do, with the form that has exactly what it needs.
type choice struct {
	*pb.CaseChoice
	ID, Link, Version, Title, Today string
	Ask                             bool // its form is open
	Problem                         string
	Typed                           typed
	Picker                          *picker
	Owners                          []option
	Files                           []attachment
	Needed                          map[string]bool
}

// Value is what was typed into a field of this form.
func (c *choice) Value(name string) string { return c.Typed.value(name) }

// FullFiles tells that no more files can go with it.
func (c *choice) FullFiles() bool { return len(c.Files) >= maxFiles }

// Siblings leads to everything that was ordered at once.
func (a *actionPage) Siblings() string {
	return "/actions?" + url.Values{"order": {a.GetOrderId()}}.Encode()
}

// Open tells whether anything can still happen to it.
func (a *actionPage) Open() bool { return a.GetState() != "confirmed" && a.GetState() != "cancelled" }

func (p pages) show(v *web.Visit) error {
	page, err := read(v)
	if err != nil {
		return err
	}
	if err := page.choices(nil, nil); err != nil {
		return err
	}
	return v.Render(p.Pages, "action", page)
}

func read(v *web.Visit) (*actionPage, error) {
	answer, err := v.Correct.GetAction(v.Context(), &pb.GetActionRequest{ActionId: v.R.PathValue("action")})
	if err != nil {
		return nil, err
	}
	a := answer.GetAction()
	page := &actionPage{Action: a, Link: link(a.GetId()), Clock: urgent(v, a.GetClocks()), Files: attachmentsOf(v, a.GetId(), a.GetAttachments()), answer: answer, v: v}
	for _, one := range a.GetClocks() {
		page.Clocks = append(page.Clocks, clockOf(v, one))
	}
	for _, c := range answer.GetCases() {
		page.Cases = append(page.Cases, caseLink{c, "/cases/" + url.PathEscape(c.GetId())})
	}
	names := v.UnitNames()
	for _, e := range answer.GetHistory() {
		s := step{ActionEntry: e, What: v.Text("casework.event." + e.GetEvent()), Who: v.Text("casework.role." + e.GetRole()), Moved: e.GetFrom() != e.GetTo()}
		if e.GetBy() != "" {
			s.Who = e.GetBy() + " (" + s.Who + ")"
		}
		if e.GetUnitId() != "" {
			s.Unit = names.Of(e.GetUnitId())
		}
		page.Steps = append(page.Steps, s)
	}
	slices.Reverse(page.Steps) // the newest is what a reader looks for
	return page, nil
}

// seldom are the events that stand below the others.
func seldom(event string) bool {
	return event == "change_due" || event == "hand_on" || event == "cancel"
}

// choices makes the forms of what the visitor may do. sent is the one that must be mended, with the files it holds.
func (a *actionPage) choices(sent typed, held []*pb.Attachment) error {
	v := a.v
	for i, one := range a.answer.GetChoices() {
		made := &choice{
			CaseChoice: one, ID: "do-" + one.GetEvent() + "-" + strconv.Itoa(i), Link: a.Link, Version: strconv.FormatInt(a.GetVersion(), 10),
			Title: v.Text("casework.event." + one.GetEvent()), Today: string(v.Today()), Needed: map[string]bool{}, Ask: one.GetEvent() == "report",
		}
		if one.GetForName() != "" {
			made.Title = v.Text("casespage.for", "what", made.Title, "name", one.GetForName())
		}
		for _, need := range one.GetNeeds() {
			made.Needed[need] = true
		}
		if sent.value("event") == one.GetEvent() && sent.value("for") == one.GetForAccountId() {
			made.Typed, made.Ask, made.Files = sent, true, attachmentsOf(v, a.GetId(), held)
		}
		if made.Needed["unit"] {
			asked := picker{ID: made.ID, Kind: "radio", Label: v.Text("actionspage.to_unit")}
			chosen, err := pick(v, made.Typed, asked, []option{{Value: a.GetUnitId(), Words: a.GetUnitName(), Chosen: true}})
			if err != nil {
				return err
			}
			made.Picker = &chosen
			if units := chosen.chosen(); len(units) == 1 {
				if made.Owners, err = officialsOf(v, units[0], made.Typed.value("owner")); err != nil {
					return err
				}
			}
		}
		if seldom(one.GetEvent()) {
			a.More = append(a.More, made)
		} else {
			a.Choices = append(a.Choices, made)
		}
	}
	return nil
}

// Asked tells whether a form among those seldom used is open.
func (a *actionPage) Asked() bool {
	return slices.ContainsFunc(a.More, func(one *choice) bool { return one.Ask })
}

// apply lets something happen to an action. Whatever cannot be done is shown again with what was typed; files that came are kept.
func (p pages) apply(v *web.Visit) error {
	sent := typedBy(v)
	held, wrong, err := takeFiles(v, sentFiles(sent))
	if err != nil {
		return err
	}
	if wrong != "" {
		return p.again(v, sent, held, wrong, http.StatusUnprocessableEntity)
	}
	if sent.value("find") != "" || sent.value("remove") != "" || sent.value("do") == "attach" || sent.value("unit_q") != "" && sent.value("unit_q") != sent.value("unit_was") {
		return p.again(v, sent, held, "", http.StatusOK)
	}
	version, _ := strconv.ParseInt(sent.value("version"), 10, 64)
	_, err = v.Correct.ApplyActionEvent(v.Context(), &pb.ApplyActionEventRequest{
		ActionId: v.R.PathValue("action"), Version: version, Event: sent.value("event"), Reason: sent.value("reason"), Evidence: sent.value("evidence"),
		Attachments: held, DueOn: isoDay(sent.value("due")), UnitId: sent.value("unit"), OwnerId: sent.value("owner"), ForAccountId: sent.value("for"),
	})
	if err == nil {
		v.Notice(v.Text("actionspage.done", "what", v.Text("casework.event."+sent.value("event"))))
		return v.Redirect(link(v.R.PathValue("action")))
	}
	words, mendable := web.Message(err)
	code := http.StatusUnprocessableEntity
	switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
	case codes.Aborted:
		code = http.StatusConflict
	case codes.PermissionDenied, codes.NotFound: // of this event or what was chosen: where it is the action itself, reading it again says so
		mendable = true
	}
	if !mendable {
		return err
	}
	return p.again(v, sent, held, words, code)
}

// again shows the action as it stands now, with a form that must be mended, or that searched for something.
func (p pages) again(v *web.Visit, sent typed, held []*pb.Attachment, problem string, code int) error {
	page, err := read(v)
	if err != nil {
		return err
	}
	if err := page.choices(sent, held); err != nil {
		return err
	}
	found := false
	for _, one := range slices.Concat(page.Choices, page.More) {
		if one.Typed != nil {
			one.Problem, found = problem, true
		}
	}
	switch {
	case !found:
		page.Problem = problem
		for _, name := range []string{"evidence", "reason", "due"} {
			if value := sent.value(name); value != "" {
				page.Lost = append(page.Lost, web.Field{Name: v.Text("actionspage.field." + name), Value: value})
			}
		}
	case code == http.StatusConflict:
		page.Problem = v.Text("actionspage.changed_meanwhile")
	}
	return v.RenderStatus(code, p.Pages, "action", page)
}
