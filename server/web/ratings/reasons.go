package ratings

import (
	"slices"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// reasonGroup is a question whose choices can be asked for.
type reasonGroup struct {
	Words   string
	Choices []reason
}

type reason struct{ Value, Words string }

// reasons lists the choices of all questionnaires, each once, in the words of the newest version.
func reasons(v *web.Visit) ([]reasonGroup, error) {
	list, err := v.Directory.ListQuestionnaires(v.Context(), &pb.ListQuestionnairesRequest{PageSize: 1000})
	if err != nil {
		return nil, err
	}
	var groups []reasonGroup
	known := map[string]bool{}
	for _, form := range slices.Backward(list.GetQuestionnaires()) { // the newest version of each is the last
		for _, question := range form.GetQuestions() {
			if question.GetKind() != "choices" {
				continue
			}
			group := reasonGroup{Words: web.Local(v.Language, question.GetTexts())}
			for _, choice := range question.GetChoices() {
				value := question.GetId() + ":" + choice.GetId()
				if !known[value] {
					known[value] = true
					group.Choices = append(group.Choices, reason{value, web.Local(v.Language, choice.GetTexts())})
				}
			}
			if len(group.Choices) > 0 {
				groups = append(groups, group)
			}
		}
	}
	slices.Reverse(groups)
	return groups, nil
}
