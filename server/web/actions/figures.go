package actions

import (
	"html/template"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

// figuresShown is of how many officials a page draws both figures; those of others are one press away.
const figuresShown = 4

// figures are an official's scores as they were given and, beside them, without those that were successfully contested.
type figures struct {
	*pb.GetContestFiguresResponse
	ID             string // of its elements, once a page
	Name           string // of the official; "" = the visitor
	Given, Without template.HTML
	Rows           []scores
	Shares         [2]string // of satisfied, "" where nothing was given
	Problem        string
}

// scores are one line of the table.
type scores struct {
	Score          int32
	Given, Without uint32
}

// figuresOf asks for both figures of an official; nil where there are none the visitor may see.
func figuresOf(v *web.Visit, official string) (*figures, error) {
	answer, err := v.Correct.GetContestFigures(v.Context(), &pb.GetContestFiguresRequest{OfficialId: official})
	switch status.Code(err) { //nolint:exhaustive // the others are a page of their own
	case codes.OK:
		return &figures{GetContestFiguresResponse: answer}, nil
	case codes.NotFound, codes.InvalidArgument:
		return nil, nil //nolint:nilnil // nil = none, as the comment says
	case codes.Unavailable: // the figures are made anew; the contests themselves can be read
		words, _ := web.Message(err)
		return &figures{GetContestFiguresResponse: &pb.GetContestFiguresResponse{OfficialId: official}, Problem: words}, nil
	}
	return nil, err
}

func (f *figures) draw(v *web.Visit, n int) {
	f.ID = "both-" + strconv.Itoa(n)
	given, without := f.GetGiven(), f.GetWithoutContested()
	if f.GetSuppressed() || len(given) != 5 || len(without) != 5 {
		return
	}
	for score := range given {
		f.Rows = append([]scores{{int32(score + 1), given[score], without[score]}}, f.Rows...) //nolint:gosec // 1 to 5
	}
	draw := func(id, title string, counts []uint32) template.HTML {
		d := chart.Distribution{Title: title}
		for i, n := range counts {
			d.Counts[i] = int(n)
		}
		return d.SVG(v.Language, id)
	}
	f.Given = draw(f.ID+"-given", v.Text("actionspage.as_given"), given)
	f.Without = draw(f.ID+"-without", v.Text("actionspage.without_contested"), without)
	for i, counts := range [][]uint32{given, without} {
		all := counts[0] + counts[1] + counts[2] + counts[3] + counts[4]
		if all > 0 {
			f.Shares[i] = web.Percent(v.Language, float64(counts[3]+counts[4])/float64(all))
		}
	}
}
