package desk_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// given is what stands beside the slip that counts.
func (h *house) given(number string) *pb.Private {
	h.t.Helper()
	stands := h.standing()[number]
	if len(stands) != 1 {
		h.t.Fatalf("slip %s stands %d times", number, len(stands))
	}
	private, _, err := h.intake.Given(h.t.Context(), "U", stands[0].GetId())
	if err != nil {
		h.t.Fatal(err)
	}
	if (private != nil) != (len(stands[0].GetPrivateCommitment()) > 0) {
		h.t.Errorf("slip %s commits to %x and has %v", number, stands[0].GetPrivateCommitment(), private)
	}
	return private
}

func TestACorrectionKeepsTheComment(t *testing.T) {
	words := &pb.Private{
		Comment: "chờ lâu", ConsentVersion: "1",
		Contact: &pb.Contact{Name: "Bà Tư", Phone: "0000 123 456", CallBack: true},
	}
	for _, c := range []struct {
		name string
		with *pb.Private
		want *pb.Private
	}{
		{"left out", nil, words},
		{"other words", &pb.Private{Comment: "chờ rất lâu"}, &pb.Private{Comment: "chờ rất lâu"}},
		{"dropped", &pb.Private{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, h *house) {
				batch := h.pile()
				first := slip(batch, "1", 2)
				first.Private = proto.CloneOf(words)
				wantOutcome(t, h.enter(lan, first), stored)
				wantOutcome(t, h.enter(ba, slip(batch, "1", 2)), conflict) // typed afresh, what is left out is not there
				second := slip(batch, "1", 3)
				second.Private, second.CorrectionReason = c.with, "gõ nhầm"
				wantOutcome(t, h.enter(ba, second), stored)
				if got := h.given("1"); !proto.Equal(got, c.want) {
					t.Errorf("the slip has %v, want %v", got, c.want)
				}
				wantOutcome(t, h.enter(ba, second), duplicate)
				third := slip(batch, "1", 4)
				third.CorrectionReason = "lại nhầm"
				wantOutcome(t, h.enter(lan, third), stored) // and again
				if got := h.given("1"); !proto.Equal(got, c.want) {
					t.Errorf("the slip corrected twice has %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestAKeptCommentSurvivesACrash(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after int
	}{{"before intake", 1, 0}, {"after intake", 0, 1}} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			batch := h.pile()
			first := slip(batch, "1", 2)
			first.Private = &pb.Private{Comment: "chờ lâu"}
			wantOutcome(t, h.enter(lan, first), stored)
			second := slip(batch, "1", 3)
			second.CorrectionReason = "gõ nhầm"
			h.intake.before, h.intake.after = c.before, c.after
			if _, err := h.Enter(t.Context(), lan, second, language.English); err == nil {
				t.Fatal("the process did not die")
			}
			if _, err := h.Batch(t.Context(), batch); err != nil { // somebody finishes the attempt, without the words
				t.Fatal(err)
			}
			wantOutcome(t, h.enter(lan, second), duplicate)
			if got := h.given("1"); got.GetComment() != "chờ lâu" {
				t.Errorf("the comment was lost: %v", got)
			}
		})
	}
}

func TestErasedWordsAreNotKept(t *testing.T) {
	h := newHouse(t)
	batch := h.pile()
	first := slip(batch, "1", 2)
	first.Private = &pb.Private{Comment: "chờ lâu"}
	wantOutcome(t, h.enter(lan, first), stored)
	second := slip(batch, "1", 3)
	second.CorrectionReason = "gõ nhầm"
	wantOutcome(t, h.enter(lan, second), stored)
	if _, err := h.intake.Erase(t.Context(), "U", h.standing()["1"][0].GetId()); err != nil {
		t.Fatal(err)
	}
	third := slip(batch, "1", 4)
	third.CorrectionReason = "lại nhầm"
	wantOutcome(t, h.enter(lan, third), stored)
	if stands := h.standing()["1"][0]; len(stands.GetPrivateCommitment()) > 0 || rating.HasPrivate(h.given("1")) {
		t.Errorf("what was erased came back: %v", stands)
	}
}
