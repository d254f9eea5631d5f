package desk_test

import (
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// calls are the telephone answers of a unit.
func calls(t *testing.T, program *webtest.Program, unit string) []*pb.ListedRating {
	t.Helper()
	answer, err := pb.NewRatingServiceClient(program.Conn(t, webtest.Leader)).ListRatings(t.Context(), &pb.ListRatingsRequest{
		UnitId: unit, Channels: []pb.Channel{pb.Channel_CHANNEL_HOTLINE}, PageSize: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetRatings()
}

func testTelephone(t *testing.T, program *webtest.Program) {
	before := len(calls(t, program, program.Empty))
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(program.HTTP + "/desk")
	k.Follow("text=Trả lời qua điện thoại")
	k.Type("moi lap")
	k.WaitText("#found", "Xã Mới Lập")
	k.WaitGone("text=Xã Đồi Nắng")
	k.Press("Tab", "Tab") // past the button
	k.PressAndLoad("Enter")
	k.WaitText(".lead", "Xã Mới Lập")
	k.Press("1", "2", "Enter")
	k.Type("Gọi mãi không ai nghe")
	k.Press("Tab", "Tab")
	k.Type("Bác Minh Hoạ") // not agreed yet
	if status := k.PressAndLoad("Enter"); status != 422 {
		t.Errorf("a name without consent: status %d", status)
	}
	k.WaitText("#call_back-error", "chưa đồng ý")
	k.CheckAccessible()
	k.Press("Space")
	if status := k.PressAndLoad("Enter"); status != 422 {
		t.Errorf("nothing to call: status %d", status)
	}
	k.WaitText("#phone-error", "số điện thoại")
	k.Fill("#phone", "0912 345 678")
	k.Screenshot("desk/phone-filled")
	k.PressAndLoad("Enter")
	k.WaitText(".said", "Đã lưu")
	got := calls(t, program, program.Empty)
	if len(got) != before+1 {
		t.Fatalf("%d calls", len(got))
	}
	if r := got[0]; r.GetOverallScore() != 1 || r.GetComment() != "Gọi mãi không ai nghe" || !r.GetCallBack() || r.GetAnswers()[0].GetChoices()[0] != "Chờ lâu" {
		t.Errorf("the call is %v", r)
	}
	if !strings.HasPrefix(k.Focused(), "input#q.overall") || k.Value("#q\\.overall") != "" {
		t.Errorf("the next call begins at %s", k.Focused())
	}
	k.CheckConsole()
}

func testTelephoneTwice(t *testing.T, program *webtest.Program) {
	before := len(calls(t, program, program.WardOffice))
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(program.HTTP + "/desk/phone?unit=" + program.WardOffice)
	rating := k.Value("[name=rating]")
	k.Press("4", "0")
	k.PressAndLoad("Enter")
	if k.Value("[name=rating]") == rating {
		t.Error("the next call has the id of the last one")
	}
	k.Back()
	if k.Value("[name=rating]") != rating { // a page made anew: nothing can be sent twice
		return
	}
	k.Fill("#q\\.overall", "4")
	k.Fill("#q\\.reasons", "")
	k.Press("0")
	k.PressAndLoad("Enter")
	k.WaitText(".said", "trước đó")
	if got := len(calls(t, program, program.WardOffice)); got != before+1 {
		t.Errorf("sent twice, it counts %d times", got-before)
	}
}

func testTelephoneWithoutScript(t *testing.T, program *webtest.Program) {
	k := open(t, program, webtest.Operator, browser.Options{NoScript: true})
	k.Go(program.HTTP + "/desk/phone?q=")
	k.Fill("#q", "vang khach")
	k.PressAndLoad("Enter")
	if got := k.Texts("#found a"); len(got) != 1 || got[0] != "Xã Vắng Khách" {
		t.Errorf("found %v", got)
	}
	k.Follow("#found a")
	if status := k.PressAndLoad("Enter"); status != 422 {
		t.Errorf("nothing was said: status %d", status)
	}
	k.WaitText(".problem", "Chưa có câu trả lời")
	before := len(calls(t, program, program.Quiet))
	k.Press("5")
	k.PressAndLoad("Enter")
	if got := len(calls(t, program, program.Quiet)); got != before+1 {
		t.Errorf("%d calls", got-before)
	}
}

// Who has one unit only is not asked for it.
func testTelephoneOneUnit(t *testing.T, program *webtest.Program) {
	_, err := pb.NewIdentityServiceClient(program.Conn(t, webtest.Administrator)).CreateAccount(t.Context(), &pb.CreateAccountRequest{
		Name: "một nơi", Password: webtest.Password, Role: pb.Role_ROLE_OPERATOR, UnitId: program.Quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	k := open(t, program, "một nơi", browser.Options{})
	k.Go(program.HTTP + "/desk/phone")
	k.WaitText(".lead", "Xã Vắng Khách")
}
