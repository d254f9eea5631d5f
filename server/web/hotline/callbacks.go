package hotline

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/hotline"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// callBacksPage is who waits to be called.
type callBacksPage struct {
	Tabs    []tab
	Waiting []waiting
	Next    string
	Problem string
}

// waiting is somebody who waits, with the form that notes an attempt.
type waiting struct {
	*pb.CallBack
	Outgoing string // id of the outgoing call, made with the page: sent twice, it is one attempt
	Phone    string // revealed
	Name     string
	Shown    bool
	Results  []choice
	Result   string // as typed
}

// Key names the person within the page.
func (w waiting) Key() string {
	if w.GetCall() != nil {
		return w.GetCall().GetId()
	}
	return w.GetRatingId()
}

func callBacks(v *web.Visit) (*callBacksPage, error) {
	page := &callBacksPage{Tabs: tabs(v, "call_backs")}
	answer, err := v.Calls.ListCallBacks(v.Context(), &pb.ListCallBacksRequest{PageToken: v.Value("page")})
	if err != nil {
		return nil, err
	}
	for _, one := range answer.GetCallBacks() {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		page.Waiting = append(page.Waiting, waiting{CallBack: one, Outgoing: id.String()})
	}
	if token := answer.GetNextPageToken(); token != "" {
		page.Next = "/hotline/call-backs?" + url.Values{"page": {token}}.Encode()
	}
	return page, nil
}

func (p pages) showCallBacks(v *web.Visit) error {
	page, err := callBacks(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "call-backs", page)
}

// noteCallBack notes an attempt, or shows the number to be called.
func (p pages) noteCallBack(v *web.Visit) error {
	call, rating := v.Value("call"), v.Value("rating")
	if v.Value("do") == "show" {
		who, err := v.Calls.RevealCaller(v.Context(), &pb.RevealCallerRequest{CallId: call, RatingId: rating, Reason: v.Text("hotlinepage.reveal_reason")})
		if err != nil {
			return err
		}
		page, err := callBacks(v)
		if err != nil {
			return err
		}
		for i := range page.Waiting {
			if w := &page.Waiting[i]; w.Key() == call+rating {
				w.Phone, w.Name, w.Shown = who.GetPhone(), who.GetName(), true
			}
		}
		v.W.Header().Set("Cache-Control", "no-store")
		return v.Render(p.Pages, "call-backs", page)
	}
	request := &pb.NoteCallBackRequest{CallId: call, RatingId: rating, Reached: v.Value("do") == "reached", Result: v.Value("result"), OutgoingCallId: v.Value("outgoing")}
	if request.GetResult() == "" && !request.GetReached() {
		request.Result = hotline.NoAnswer
	}
	_, err := v.Calls.NoteCallBack(v.Context(), request)
	if err != nil {
		words, mendable := web.Message(err)
		if !mendable {
			return err
		}
		page, showErr := callBacks(v)
		if showErr != nil {
			return showErr
		}
		page.Problem = words
		for i := range page.Waiting {
			if w := &page.Waiting[i]; w.Key() == call+rating {
				w.Result = v.Value("result")
			}
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "call-backs", page)
	}
	said := "hotlinepage.tried"
	if request.GetReached() {
		said = "hotlinepage.reached_noted"
	}
	v.Notice(v.Text(said))
	return v.Redirect("/hotline/call-backs")
}

// praisePage is what people thanked for.
type praisePage struct {
	Tabs   []tab
	Praise []*pb.PraiseLine
	Own    bool // the visitor reads one's own
	Next   string
}

func (p pages) showPraise(v *web.Visit) error {
	answer, err := v.Calls.ListPraise(v.Context(), &pb.ListPraiseRequest{PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	page := &praisePage{Tabs: tabs(v, "praise"), Praise: answer.GetPraise(), Own: v.Account.GetRole() == pb.Role_ROLE_OFFICIAL}
	if token := answer.GetNextPageToken(); token != "" {
		page.Next = "/praise?" + url.Values{"page": {token}}.Encode()
	}
	return v.Render(p.Pages, "praise", page)
}

// snippetsPage are texts that are written often.
type snippetsPage struct {
	Tabs     []tab
	Snippets []*pb.Snippet
	Own      string // unit whose texts the visitor changes
	Key      string
	Text     string
	Problem  string
}

func snippets(v *web.Visit) (*snippetsPage, error) {
	answer, err := v.Calls.ListSnippets(v.Context(), &pb.ListSnippetsRequest{})
	return &snippetsPage{Tabs: tabs(v, "snippets"), Snippets: answer.GetSnippets(), Own: v.Account.GetUnitId()}, err
}

func (p pages) showSnippets(v *web.Visit) error {
	page, err := snippets(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "snippets", page)
}

func (p pages) setSnippet(v *web.Visit) error {
	var err error
	if v.Value("do") == "remove" {
		_, err = v.Calls.RemoveSnippet(v.Context(), &pb.RemoveSnippetRequest{Key: v.Value("key")})
	} else {
		_, err = v.Calls.SetSnippet(v.Context(), &pb.SetSnippetRequest{Key: v.Value("key"), Text: v.Value("text")})
	}
	if err == nil {
		v.Notice(v.Text("hotlinepage.snippet_saved"))
		return v.Redirect("/hotline/snippets")
	}
	words, mendable := web.Message(err)
	if !mendable {
		return err
	}
	page, err := snippets(v)
	if err != nil {
		return err
	}
	page.Problem, page.Key, page.Text = words, v.Value("key"), v.Value("text")
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "snippets", page)
}

// exchangesPage are the telephone exchanges that tell what rings.
type exchangesPage struct {
	Tabs    []tab
	Hooks   []*pb.CallHook
	Token   string // of the one just made, shown this once
	Made    string
	Address string
	Name    string
	Problem string
}

func hooks(v *web.Visit) (*exchangesPage, error) {
	answer, err := v.Calls.ListCallHooks(v.Context(), &pb.ListCallHooksRequest{})
	return &exchangesPage{Tabs: tabs(v, "exchanges"), Hooks: answer.GetHooks(), Address: v.PublicAddress() + "/v1/calls:ring"}, err
}

func (p pages) showExchanges(v *web.Visit) error {
	page, err := hooks(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "exchanges", page)
}

// createExchange makes one and shows its token in the answer itself: it is told once and stands at no address.
func (p pages) createExchange(v *web.Visit) error {
	made, err := v.Calls.CreateCallHook(v.Context(), &pb.CreateCallHookRequest{Name: v.Value("name")})
	words, mendable := web.Message(err)
	if err != nil && !mendable {
		return err
	}
	page, listErr := hooks(v)
	if listErr != nil {
		return listErr
	}
	if err != nil {
		page.Problem, page.Name = words, v.Value("name")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "exchanges", page)
	}
	page.Token, page.Made = made.GetToken(), made.GetHook().GetName()
	v.W.Header().Set("Cache-Control", "no-store")
	return v.Render(p.Pages, "exchanges", page)
}

func (p pages) revokeExchange(v *web.Visit) error {
	if _, err := v.Calls.RevokeCallHook(v.Context(), &pb.RevokeCallHookRequest{HookId: v.R.PathValue("id")}); err != nil {
		return err
	}
	v.Notice(v.Text("hotlinepage.exchange_revoked"))
	return v.Redirect("/hotline/exchanges")
}
