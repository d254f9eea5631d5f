package cases

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/poster"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// casePage is a case on one screen.
type casePage struct {
	*pb.Case
	Title   string
	Link    string
	Words   []*pb.CaseWords
	Clocks  []clock
	Latest  *explained // nil = none was handed in
	Earlier []explained
	Alike   []alike
	Steps   []step
	Others  []string // who else has it open
	Officials,
	Asked []string // names
	Scope       *scope
	Ratings     []ratingLink
	HasContact  bool
	MayReveal   bool
	Accepted    bool // an explanation was accepted: did it work, and may citizens hear of it?
	MayCoverage bool
	MayPublish  bool
	MayOrder    bool
	Contact     *pb.CaseContact
	Why         string // for the contact
	WhyError    string
	Followed    string // address at which the citizen follows it; "" = it has no code
	QR          template.HTML
	Opened      bool // just now: its number and code are read to somebody
	Choices     []*choice
	More        []*choice // what is seldom done
	Problem     string
	Lost        []web.Field // what was typed for something that cannot be done any more
	Draft       bool        // the visitor has begun an explanation
	Shows       string      // its version, for who looks whether it changed

	answer *pb.GetCaseResponse
	v      *web.Visit
}

// explained is an explanation as it was handed in, and what became of it.
type explained struct {
	*pb.Explanation
	By, Unit  string
	At        *timestamppb.Timestamp
	Named     []string // responsible
	Files     []attachment
	Returned  []string // reasons it was returned for, in words; none = it was not
	Said      string   // beside them
	Finding   string   // of who accepted it; "" = nobody did
	CauseName string
}

type attachment struct {
	*pb.Attachment
	Link, Kind, Bytes string
}

type alike struct {
	*pb.AlikeExplanation
	Link, Percent string
}

type ratingLink struct{ ID, Link string }

type scope struct {
	*pb.CaseScope
	Unit, Official, Link string
}

// step is one line of what happened.
type step struct {
	*pb.CaseEntry
	Event, Who, For string
	Unit            string // put in charge
	Officials       []string
	Reasons         []string
	Finding         string
	Clock           string
	Route           string
	Merged          string // address of the case it was merged into
	Moved           bool   // it led to another state
}

func (p pages) show(v *web.Visit) error {
	page, err := read(v)
	if err != nil {
		return err
	}
	page.Opened = v.Value("opened") != ""
	if err := page.fill(nil); err != nil {
		return err
	}
	return v.Render(p.Pages, "case", page)
}

// read asks for the case, and tells others that this visitor looks at it.
func read(v *web.Visit) (*casePage, error) {
	id := v.R.PathValue("case")
	answer, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: id})
	if err != nil {
		return nil, err
	}
	page := &casePage{Case: answer.GetCase(), answer: answer, v: v, Title: answer.GetCase().GetTitle(), Link: link(id)}
	page.Others = answer.GetOpenWith()
	// Who else looks is a courtesy: a bus that is away keeps nobody from the case.
	if here, err := v.Cases.KeepCaseOpen(v.Context(), &pb.KeepCaseOpenRequest{CaseId: id}); err == nil {
		page.Others = here.GetOpenWith()
	}
	return page, nil
}

// unit is a unit's name.
func (c *casePage) unit(id string) string {
	if name := c.answer.GetUnitNames()[id]; name != "" {
		return name
	}
	return id
}

func (c *casePage) official(id string) string {
	if name := c.answer.GetOfficialNames()[id]; name != "" {
		return name
	}
	return c.v.Text("casespage.somebody")
}

func (c *casePage) names(ids []string) []string {
	var names []string
	for _, id := range ids {
		names = append(names, c.official(id))
	}
	return names
}

// fill makes what the page shows. sent is a form that was sent and must be mended; nil = none.
func (c *casePage) fill(sent typed) error {
	v := c.v
	for _, one := range c.GetClocks() {
		c.Clocks = append(c.Clocks, clockOf(v, one))
	}
	c.Words = c.answer.GetWords()
	c.Officials, c.Asked = c.names(c.GetOfficialIds()), c.names(c.GetAskedOfficialIds())
	for _, id := range c.GetRatingIds() {
		c.Ratings = append(c.Ratings, ratingLink{id, c.ratingLink(id)})
	}
	if s := c.GetCollective(); s != nil {
		c.Scope = &scope{CaseScope: s, Unit: c.unit(s.GetUnitId())}
		if s.GetOfficialId() != "" {
			c.Scope.Official = c.official(s.GetOfficialId())
		}
		if v.May("read_ratings") {
			c.Scope.Link = "/ratings?" + url.Values{"unit": {s.GetUnitId()}, "from": {s.GetFrom()}, "to": {s.GetTo()}, "score": {"1", "2"}}.Encode()
		}
	}
	c.history()
	for _, one := range c.answer.GetAlike() {
		c.Alike = append(c.Alike, alike{one, link(one.GetCaseId()), v.Language.Number(one.GetShare()*100, 0)})
	}
	c.HasContact, c.MayReveal = c.answer.GetHasContact(), v.May("reveal_contacts")
	c.Accepted = c.answer.GetCase().GetFinding() != ""
	c.MayCoverage, c.MayPublish, c.MayOrder = v.May("read_coverage"), v.May("publish_remedies"), v.May("order_actions")
	if code := c.GetCode(); code != "" {
		c.Followed = v.PublicAddress() + "/p/" + code
		if qr, err := poster.QR(c.Followed); err == nil {
			c.QR = qr.SVG(v.Text("casespage.qr", "code", fours(code)))
		}
	}
	c.Shows = v.Language.Number(float64(c.GetVersion()), 0)
	return c.choices(sent)
}

// ratingLink leads to a rating where the visitor may read it. The page of ratings finds one among those of its unit and day.
func (c *casePage) ratingLink(id string) string {
	if !c.v.May("read_ratings") {
		return ""
	}
	unit := c.GetAboutUnitId()
	if unit == "" {
		unit = c.GetReceivingUnitId()
	}
	if at := strings.LastIndex(id, "/"); at > 0 {
		unit = id[:at]
		if _, last, deeper := strings.Cut(unit, "/"); deeper {
			unit = last
		}
	}
	return "/ratings?" + url.Values{"unit": {unit}, "score": {"1", "2"}}.Encode()
}

// history makes the lines of what happened, and the explanations among them.
func (c *casePage) history() {
	v := c.v
	var all []explained
	for _, e := range c.answer.GetHistory() {
		s := step{
			CaseEntry: e, Event: v.Text("casework.event." + e.GetEvent()), Who: c.who(e.GetBy(), e.GetRole()), For: e.GetStandingInFor(),
			Officials: c.names(e.GetOfficialIds()), Moved: e.GetFrom() != e.GetTo(),
		}
		if e.GetNewUnitId() != "" {
			s.Unit = c.unit(e.GetNewUnitId())
		}
		for _, reason := range e.GetReasons() {
			s.Reasons = append(s.Reasons, reasonWords(v, reason))
		}
		if e.GetFinding() != "" {
			s.Finding = v.Text("casework.finding." + e.GetFinding())
		}
		if e.GetClock() != "" {
			s.Clock = v.Text("casespage.clock." + e.GetClock())
		}
		if r := e.GetRoute(); r.GetKind() != "" {
			s.Route = v.Text("casework.route."+r.GetKind()) + " → " + r.GetTo()
		}
		if e.GetMergedInto() != "" {
			s.Merged = link(e.GetMergedInto())
		}
		c.Steps = append(c.Steps, s)
		switch {
		case e.GetExplanation() != nil:
			all = append(all, c.explained(e.GetExplanation(), s))
		case e.GetEvent() == "return" && len(all) > 0:
			all[len(all)-1].Returned, all[len(all)-1].Said = s.Reasons, e.GetReason()
		case e.GetEvent() == "accept" && len(all) > 0:
			all[len(all)-1].Finding = s.Finding
		}
	}
	slices.Reverse(c.Steps) // the newest is what a reader looks for
	if len(all) > 0 {
		c.Latest, c.Earlier = &all[len(all)-1], all[:len(all)-1]
		slices.Reverse(c.Earlier)
	}
}

// who is what somebody is called, with what it is.
func (c *casePage) who(name, role string) string {
	role = c.v.Text("casework.role." + role)
	if name == "" {
		return role
	}
	return name + " (" + role + ")"
}

func (c *casePage) explained(x *pb.Explanation, s step) explained {
	shown := explained{
		Explanation: x, By: s.Who, Unit: c.unit(s.GetUnitId()), At: s.GetAt(), Named: c.names(x.GetResponsibleIds()), CauseName: c.v.Text("casework.cause." + x.GetCause()),
	}
	for _, a := range x.GetAttachments() {
		shown.Files = append(shown.Files, attachmentOf(c.v, c.Link, a))
	}
	return shown
}

func attachmentOf(v *web.Visit, at string, a *pb.Attachment) attachment {
	kind := strings.ToUpper(a.GetName()[strings.LastIndex(a.GetName(), ".")+1:])
	return attachment{a, at + "/files/" + url.PathEscape(a.GetId()), kind, size(v, a.GetSize())}
}

// size is how large a file is, in words.
func size(v *web.Visit, bytes int64) string {
	if bytes < 1<<20 {
		return v.Text("casespage.kilobytes", "n", v.Language.Number(float64(max(bytes, 1<<10))/(1<<10), 0))
	}
	return v.Text("casespage.megabytes", "n", v.Language.Number(float64(bytes)/(1<<20), 1))
}

// reasonWords are those of a reason given with one tap: of a return, or of a citizen to whom the reply is no answer.
func reasonWords(v *web.Visit, reason string) string {
	for _, key := range []string{"casework.return." + reason, "casework.reopen." + reason} {
		if words := v.Text(key); words != key {
			return words
		}
	}
	return reason
}

// fours is a code as it is said.
func fours(code string) string {
	if len(code) != 12 {
		return code
	}
	return code[:4] + " " + code[4:8] + " " + code[8:]
}

// Fours is the case's code as it is said.
func (c *casePage) Fours() string { return fours(c.GetCode()) }

// Open tells whether anything can still happen to it.
func (c *casePage) Open() bool {
	return !slices.Contains([]string{"closed", "duplicate", "withdrawn"}, c.GetState())
}

// MergedLink leads to the case it was merged into.
func (c *casePage) MergedLink() string { return link(c.GetMergedInto()) }

// here answers who else has the case open, and whether it changed since the page was made: what the page asks for every now and then.
func (p pages) here(v *web.Visit) error {
	open, err := v.Cases.KeepCaseOpen(v.Context(), &pb.KeepCaseOpenRequest{CaseId: v.R.PathValue("case")})
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "here", hereNow{
		Link: link(v.R.PathValue("case")), Version: v.Value("version"), Others: open.GetOpenWith(), Changed: v.Value("version") != versionText(open.GetVersion()),
	})
}

type hereNow struct {
	Link, Version string
	Others        []string
	Changed       bool
}

// Here is what the page shows of it at first.
func (c *casePage) Here() hereNow {
	return hereNow{Link: c.Link, Version: versionText(c.GetVersion()), Others: c.Others}
}

// contact shows who spoke and how to reach them, for a reason that is kept: on a page of its own, where no official is named.
func (p pages) contact(v *web.Visit) error {
	page, err := read(v)
	if err != nil {
		return err
	}
	page.Why = v.Value("reason")
	page.Contact, err = v.Cases.RevealContact(v.Context(), &pb.RevealContactRequest{CaseId: page.GetId(), Reason: page.Why})
	if err == nil {
		return v.Render(p.Pages, "contact", page)
	}
	words, mendable := web.Message(err)
	if !mendable {
		return err
	}
	page.Contact, page.WhyError = nil, words
	if err := page.fill(nil); err != nil {
		return err
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "case", page)
}
